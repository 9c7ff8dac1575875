"""Adding a model: the path is completed, what each way would do is told, and only then is it done."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.app.rig import Bench, workbench, write_config
from tests.library.conftest import Home
from tests.rigs.gguf_maker import tiny_model
from tui.app.screens.add import AddScreen, restarted
from tui.app.screens.ways import WaysScreen
from tui.library import transfer


@pytest.fixture
def coming(home: Home, tiny: Path) -> Path:
    """A model in a folder of downloads."""
    (home.user / "Downloads").mkdir()
    return Path(shutil.copy(tiny, home.user / "Downloads" / "new-Q4_K_M.gguf"))


def there(file: Path) -> bool:
    return file.exists()


def names(bench: Bench) -> list[str]:
    return [model.name for model in bench.app.bench.library.rows]


async def asked(bench: Bench, path: str) -> None:
    """Open the dialog, write a path and take it."""
    await bench.press("f2", "a")
    await bench.until(lambda: isinstance(bench.app.screen, AddScreen))
    screen = bench.app.screen
    assert isinstance(screen, AddScreen)
    await bench.until(lambda: screen.line.has_focus)
    screen.line.value = path
    await bench.until(lambda: screen.rows.selected is not None and screen.rows.selected.value.text == path)
    await bench.press("enter")
    await bench.until(lambda: isinstance(bench.app.screen, WaysScreen))


async def test_a_path_is_completed_step_by_step(home: Home, coming: Path, tmp_path: Path) -> None:
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await bench.press("f2", "a")
        await bench.shows("Add a model", "~/", "Downloads/", "tab completes")
        await bench.press(*"dow")
        await bench.shows("~/dow")
        await bench.until(lambda: "this folder" not in bench.text())
        await bench.press("tab")
        await bench.shows("~/Downloads/", "this folder, and all models below it", "new-Q4_K_M.gguf")
        await bench.press("down", "tab")
        await bench.shows("~/Downloads/new-Q4_K_M.gguf", "this file")
        await bench.press("enter")
        await bench.shows("Add ~/Downloads/new-Q4_K_M.gguf", "where it is", "symbolic link", "nothing is written")
        await bench.press("escape")
        await bench.until(lambda: len(bench.app.screen_stack) == 1)


async def test_enter_right_behind_a_pasted_path_takes_that_and_not_what_stood_there(
    home: Home, coming: Path, tmp_path: Path
) -> None:
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await bench.press("f2", "a")
        await bench.shows("Downloads/")
        screen = bench.app.screen
        assert isinstance(screen, AddScreen)
        screen.line.value = "~/Downloads/new-Q4_K_M.gguf"
        screen.action_choose()  # in the same step, before what the path may go on with can have come
        await bench.until(lambda: isinstance(bench.app.screen, WaysScreen))
        await bench.shows("Add ~/Downloads/new-Q4_K_M.gguf")


async def test_enter_looks_into_a_folder_and_what_leads_nowhere_says_so(
    home: Home, coming: Path, tmp_path: Path
) -> None:
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await bench.press("f2", "a")
        await bench.shows("Downloads/")
        await bench.press("down", "enter")
        await bench.shows("~/Downloads/", "new-Q4_K_M.gguf")
        await bench.press(*"zz")
        await bench.shows("There is no folder and no model file that begins so.")
        await bench.press("enter")
        assert isinstance(bench.app.screen, AddScreen)


async def test_a_file_is_remembered_where_it_is(home: Home, coming: Path, tmp_path: Path) -> None:
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await asked(bench, str(coming))
        await bench.shows("It is remembered where it is")
        await bench.press("enter")
        await bench.until(lambda: names(bench) == ["new-Q4_K_M"])
        assert there(coming)
        assert list(home.folder.iterdir()) == []


@pytest.mark.parametrize(("downs", "told", "stays"), [
    (1, "are written;", True), (2, "No space is taken.", False), (3, "No space is taken.", True),
])  # fmt: skip
async def test_what_a_way_would_do_is_told_and_then_done(
    home: Home, coming: Path, tmp_path: Path, downs: int, told: str, stays: bool
) -> None:
    tiny_model(home.folder / "a.gguf", n_layer=3)
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await asked(bench, "~/Downloads/new-Q4_K_M.gguf")
        await bench.shows("where it is")
        await bench.press(*["down"] * downs)
        await bench.shows("~/Downloads →", told)
        assert [file.name for file in home.folder.iterdir()] == ["a.gguf"]
        await bench.press("enter")
        await bench.until(lambda: "new-Q4_K_M" in names(bench))
        assert (home.folder / "new-Q4_K_M.gguf").exists()
        assert there(coming) == stays
        selected = bench.app.bench.library.selected
        assert selected is not None
        assert selected.name == "new-Q4_K_M"


async def test_what_is_against_a_way_is_told(home: Home, tiny: Path, tmp_path: Path) -> None:
    theirs = home.user / ".lmstudio/models/org/m/m.gguf"
    theirs.parent.mkdir(parents=True)
    shutil.copy(tiny, theirs)
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await asked(bench, str(theirs))
        await bench.shows("where it is")
        await bench.press("down", "down")
        await bench.shows("belongs to LM Studio, which would miss it; link or copy it")
        await bench.press("enter")
        assert theirs.exists()
        assert isinstance(bench.app.screen, WaysScreen)


async def test_without_a_library_folder_only_its_place_is_left(home: Home, coming: Path, tmp_path: Path) -> None:
    write_config(tmp_path / "home", "")
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await asked(bench, str(coming))
        await bench.press("down")
        await bench.shows("there is no library folder yet", "puna config set library.folders PATH")
        await bench.press("enter", "up", "enter")
        await bench.until(lambda: names(bench) == ["new-Q4_K_M"])


async def test_a_folder_of_shards_tells_its_first_files(home: Home, tmp_path: Path) -> None:
    tiny_model(home.user / "set" / "big.gguf", shards=7)
    async with workbench(tmp_path / "home", models=(), size=(100, 30)) as bench:
        await asked(bench, "~/set")
        await bench.shows("1 model")
        await bench.press("down")
        await bench.shows("~/set →", "big-00001-of-00007.gguf", "and 2 more files")


async def test_what_is_no_model_is_told(home: Home, tmp_path: Path) -> None:
    (home.user / "page.gguf").write_text("<html>")
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await asked(bench, "~/page.gguf")
        await bench.shows("~/page.gguf: is not a GGUF file", "esc closes this")
        await bench.press("enter", "escape")
        await bench.until(lambda: len(bench.app.screen_stack) == 1)


async def test_a_copy_can_be_stopped_and_leaves_nothing(
    home: Home, coming: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, goes_on = threading.Event(), threading.Event()
    real = transfer._copy

    def slow(step: Any, target: Path, progress: Any) -> None:
        def told(n_bytes: int) -> None:
            writes.set()
            goes_on.wait(20)
            progress(n_bytes)

        real(step, target, told)

    monkeypatch.setattr("tui.library.transfer._copy", slow)
    async with workbench(tmp_path / "home", models=(), size=(100, 24)) as bench:
        await asked(bench, str(coming))
        await bench.shows("where it is")
        await bench.press("down", "enter")
        await bench.until(writes.is_set)
        await bench.press("escape")
        await bench.until(lambda: len(bench.app.screen_stack) == 1)
        goes_on.set()
        await bench.until(lambda: all(worker.group != "work" or worker.is_finished for worker in bench.app.workers))
        assert list(home.folder.iterdir()) == []
        assert there(coming)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("~//tmp/models", "/tmp/models"),
        ("~/~/models", "~/models"),
        ("/a//b/~/c", "~/c"),
        ("~/models/", "~/models/"),
        ("/tmp/x", "/tmp/x"),
        ("", ""),
    ],
)
def test_a_path_that_is_pasted_behind_what_stood_there_begins_anew(typed: str, meant: str) -> None:
    assert restarted(typed) == meant
