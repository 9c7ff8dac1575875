"""The list under a person's keys: narrowed, sorted, and following what changes on the disk."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.app.rig import BROKEN, LLAMA, QWEN, Bench, World, a_model, home_paths, workbench, write_config
from tests.library.conftest import Home
from tests.models.test_usage import speed
from tests.rigs.gguf_maker import plain_gguf
from tui.app.panels.library.panel import LibraryPanel
from tui.app.text import clean
from tui.models.lessons import keep_speed

MANY = tuple(
    a_model(f"model-{number:04}", "Q8_0" if number % 10 else "Q4_K_M", number % 7 + 1) for number in range(1000)
)
LONG = a_model("a-name-that-is-much-too-long-for-any-panel-" * 4, "Q4_K_M", 3)


def library(bench: Bench) -> LibraryPanel:
    return bench.app.bench.library


def title(bench: Bench) -> str:
    shown = library(bench)._border_title
    return shown.plain if shown is not None else ""


async def test_letters_narrow_the_list_until_escape(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(80, 24)) as bench:
        await bench.press("f2", "f")
        await bench.until(lambda: "e details" not in bench.text() and "c chat" not in bench.text())
        await bench.press(*"tiny")
        assert [model.name for model in library(bench).rows] == ["tiny-llama"]
        assert clean(title(bench)) == "Library · 1 of 3 · tiny▏"
        await bench.press(*["backspace"] * 4, *"coder")
        assert library(bench).selected == QWEN
        await bench.press("enter")
        assert (library(bench).typing, title(bench)) == (False, "Library · 1 of 3 · coder")
        await bench.shows("esc show all")
        await bench.press("escape")
        assert (len(library(bench).rows), library(bench).selected) == (3, QWEN)
        assert bench.app.bench.view == "library"


async def test_a_filter_that_matches_nothing_says_so(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(80, 24)) as bench:
        await bench.press("f2", "f", *"zzz")
        await bench.shows('No model here has "zzz"', "esc  shows all")
        await bench.press("[", "/", "b", "]")
        assert title(bench).endswith("zzz[/b]▏")
        await bench.press("ctrl+u", "escape")
        assert len(library(bench).rows) == 3
        await bench.press("f", *"qwen", "f3")
        assert not library(bench).typing, "going elsewhere ends it"
        assert library(bench).words == "qwen"


async def test_a_paste_narrows_too(tmp_path: Path) -> None:
    from textual.events import Paste

    async with workbench(tmp_path, size=(80, 24)) as bench:
        await bench.press("f2", "f")
        library(bench).post_message(Paste("qwen\x1b[31m"))
        await bench.until(lambda: library(bench).words == "qwen")


async def test_alt_and_a_letter_is_no_letter(tmp_path: Path) -> None:
    from textual.events import Key

    async with workbench(tmp_path, size=(80, 24)) as bench:
        await bench.press("f2", "f")
        library(bench).post_message(Key("alt+x", "x"))  # as terminals send it: with its letter
        await bench.press("q")
        await bench.until(lambda: library(bench).words == "q")


async def test_one_key_goes_through_the_orders_and_the_cursor_stays(tmp_path: Path) -> None:
    keep_speed(
        home_paths(tmp_path), msgspec.structs.replace(speed(time.time() - 7200, 20.0, 100.0), model=QWEN.identity)
    )
    async with workbench(tmp_path, size=(80, 24)) as bench:
        await bench.press("f2")
        library(bench).select(LLAMA.identity)
        await bench.press("s")
        assert title(bench) == "Library · 3 · by size"
        assert (library(bench).rows[0], library(bench).selected) == (QWEN, LLAMA)
        await bench.press("s")
        await bench.shows("by last use", "ago")
        assert library(bench).rows[0] == QWEN
        await bench.press("s", "s")
        assert title(bench) == "Library · 3"


async def test_a_thousand_models_and_names_of_any_length(tmp_path: Path) -> None:
    async with workbench(tmp_path, models=(*MANY, LONG), size=(80, 24)) as bench:
        await bench.press("f2", "f", *"model-0999")
        assert [model.name for model in library(bench).rows] == ["model-0999"]
        await bench.press("escape", "end")
        assert library(bench).selected == LONG
        line = next(line for line in bench.text().splitlines() if "much-too-long" in line)
        assert "Q4_K_M" not in line
        assert "folder" not in line
        assert "…" in line


async def test_the_cursor_stays_on_the_same_file_when_the_list_changes(tmp_path: Path) -> None:
    twin = replace(LLAMA, name="other/tiny-llama", path=Path("/other/tiny-llama.gguf"))
    async with workbench(tmp_path, models=(LLAMA, QWEN, twin), size=(80, 24)) as bench:
        await bench.press("f2", "end")
        assert library(bench).selected == twin
        library(bench).show((BROKEN, LLAMA, QWEN, twin))
        assert library(bench).selected == twin
        library(bench).show((BROKEN, LLAMA, QWEN))
        assert library(bench).selected == LLAMA, "the same model in another place"
        library(bench).show((BROKEN, QWEN))
        assert library(bench).index == 1, "where it was"


async def test_what_the_command_line_names_is_listed_whatever_the_filter_is(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(80, 24)) as bench:
        await bench.press("f2", "f", *"qwen", "enter")
        assert library(bench).select(LLAMA.identity)
        assert (library(bench).words, library(bench).selected) == ("", LLAMA)
        assert not library(bench).select("nobody")


def selected(bench: Bench) -> str:
    """The name of the model under the cursor."""
    model = library(bench).selected
    return model.name if model is not None else ""


async def test_what_changes_on_the_disk_is_followed(
    home: Home, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.flows.library.EVERY_S", 0.05)
    for name in ("a", "c"):
        plain_gguf(home.folder / f"{name}.gguf", {"general.name": name}, tensors={name: (4, 4)})
    half = home.folder / "half.gguf"
    async with workbench(tmp_path / "home", models=(), size=(80, 24)) as bench:
        bench.app.desk.library.look()
        await bench.until(lambda: len(library(bench).rows) == 2)
        await bench.press("f2", "end")
        shutil.copy(tiny, home.folder / "b.gguf")
        await bench.until(lambda: [model.name for model in library(bench).rows] == ["a", "b", "c"])
        assert selected(bench) == "c"
        shutil.copy(tiny, half)
        os.truncate(half, 200_000)
        await bench.shows("! half  is cut short")
        shutil.copy(tiny, half)
        await bench.until(lambda: all(not model.problem for model in library(bench).rows))
        (home.folder / "a.gguf").unlink()
        await bench.until(lambda: "a" not in [model.name for model in library(bench).rows])
        assert selected(bench) == "c"


async def test_what_was_passed_over_is_said_once(home: Home, tmp_path: Path) -> None:
    write_config(tmp_path / "home", f'[library]\nfolders = ["{home.folder}/none"]\n')
    async with workbench(tmp_path / "home", models=(), size=(80, 24)) as bench:
        for _ in range(2):
            bench.app.desk.library.look()
            await bench.until(lambda: bench.notices)
        await bench.until(lambda: library(bench).known)
        assert [note for note in bench.notices if "passed over" in note] == [
            f"{home.folder}/none: passed over, no such file or directory"
        ]


async def test_an_empty_panel_says_what_to_do(tmp_path: Path) -> None:
    async with workbench(tmp_path, models=(), size=(80, 24)) as bench:
        library(bench).show(())
        await bench.shows(
            "There are no models", "adds a file or a folder", "looks again", "F10  finds one", "puna[demo]"
        )


async def test_enter_on_a_broken_one_explains(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(), size=(80, 24)) as bench:
        await bench.press("f2", "end", "enter")
        await bench.shows(
            "half-a-file", "It cannot be loaded: ends too early; get it again.", "/models/half-a-file.gguf"
        )
