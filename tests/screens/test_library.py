"""Pictures of the library: the panel at three sizes, and what opens from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.app.rig import BROKEN, LLAMA, QWEN, Bench, a_model
from tests.screens.test_screens import picture, terminal
from tui.app.screens.delete import DeleteScreen
from tui.app.screens.join import JoinScreen
from tui.app.screens.ways import Ways, WaysScreen
from tui.library.copies import CopyPlan, CopyWork
from tui.library.importing import How, Import, Step
from tui.library.joining import Joined
from tui.library.model import LibraryError, Place
from tui.library.removal import Holding
from tui.models.removal import Deletion, Elsewhere, Kept

__all__ = ["terminal"]

GIB = 1 << 30
TWICE = replace(QWEN, also=(Place(Path("/lm-studio/qwen-coder.gguf"), "lm-studio", "qwen-coder"),))
MODELS = (
    a_model("gemma-3-12b-it-Q5_K_M", "Q5_K_M", 7.9),
    BROKEN,
    replace(BROKEN, name="page", problem="is not a GGUF file"),
    TWICE,
    a_model("Qwen3-Coder-30B-A3B-Instruct-Q4_K_M", gib=17.3, repo="unsloth/Qwen3-Coder-30B"),
    LLAMA,
    a_model("unsloth-DeepSeek-R1-Distill-Llama-70B-Abliterated-with-a-very-long-name", gib=39.6),
)
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (160, 45)], ids=["40x10", "80x24", "160x45"])
def test_the_list(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    async def steps(bench: Bench) -> None:
        bench.app.bench.library.loaded = LLAMA.identity
        await bench.press("f2")
        bench.app.bench.library.select(TWICE.identity)

    assert picture(snap_compare, tmp_path, steps, size=size, models=MODELS)


def test_the_filter(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await bench.press("f2", "s", "f", *"qwen")

    assert picture(snap_compare, tmp_path, steps, size=(80, 24), models=MODELS, theme="salar")


def deletions() -> tuple[Deletion | Kept, ...]:
    """Two places of one file, and one that has to stay."""
    held = (Holding((1, 2), 7 * GIB, 2),)
    mine, theirs = TWICE.path, TWICE.also[0].path
    stays = "has the same bytes, and stays"
    return (
        Deletion("a", mine, "hf-cache", "the Hugging Face cache", (mine,), (4121,), (),
                 (Elsewhere(theirs, "lm-studio", stays),), held),
        Deletion("b", theirs, "lm-studio", "LM Studio", (theirs,), (4121,), ("the settings of x name it",),
                 (Elsewhere(mine, "hf-cache", stays),), held),
        Kept(Path("/demo.gguf"), "demo", "/demo.gguf: belongs to a Python package"),
    )  # fmt: skip


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (160, 45)], ids=["40x10", "80x24", "160x45"])
def test_deleting(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    async def steps(bench: Bench) -> None:
        await bench.press("f2")
        bench.app.push_screen(DeleteScreen(TWICE, deletions, bench.app.desk.keymap, loaded=True))
        await bench.shows("[x] hub cache")
        await bench.press("down", "space", "y")
        await bench.shows("y once more")

    assert picture(snap_compare, tmp_path, steps, size=size, models=MODELS)


@SIZES
def test_copies(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    one, two = Path("/models/a.gguf"), Path("/other/b.gguf")
    plans = (
        CopyPlan(Place(two, "lm-studio", "b"), CopyWork((), ((one, two),), (), 14 * GIB), True),
        CopyPlan(Place(Path("/far/c.gguf"), "added", "c"), CopyWork((), (), (two,)), False),
        CopyPlan(Place(Path("/near/d.gguf"), "folder", "d"), CopyWork((), ((one, two),), (), 14 * GIB), False),
    )

    async def steps(bench: Bench) -> None:
        await bench.press("f2")
        bench.app.push_screen(JoinScreen(TWICE, lambda: plans, bench.app.desk.keymap))
        await bench.shows("to compare them")

    assert picture(snap_compare, tmp_path, steps, size=size, models=MODELS)


def test_copies_that_were_made_one_in_ascii(snap_compare: Any, tmp_path: Path) -> None:
    joined = Joined(Path("/a.gguf"), Path("/b.gguf"), Path("/.b"), 7 * GIB)
    plan = CopyPlan(Place(Path("/b.gguf"), "folder", "b"), CopyWork((joined,), (), ()), True)

    async def steps(bench: Bench) -> None:
        await bench.press("f2")
        bench.app.push_screen(JoinScreen(TWICE, lambda: [plan], bench.app.desk.keymap))
        await bench.shows("gives 7.0 GiB back")

    assert picture(snap_compare, tmp_path, steps, size=(80, 24), models=MODELS, ascii_only=True)


@SIZES
def test_ways(snap_compare: Any, tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = Path("/downloads/m.gguf"), Path("/models/m.gguf")
    moves = (Step(source, target, 4 * GIB),)
    plans: dict[How, Import | LibraryError] = {
        how: Import(how, moves, 4 * GIB * (how == "copy"), 90 * GIB) for how in get_args(How)
    }
    plans["link"] = LibraryError("/downloads/m.gguf: is on another disk than /models; copy it, or link it symbolically")
    monkeypatch.setattr("tui.app.screens.ways._ways", lambda *_: Ways((LLAMA,), plans))

    async def steps(bench: Bench) -> None:
        await bench.press("f2")
        bench.app.push_screen(WaysScreen("/downloads/m.gguf", bench.app.paths, ("/models",), bench.app.desk.keymap))
        await bench.shows("where it is")
        await bench.press("down")

    assert picture(snap_compare, tmp_path, steps, size=size, models=MODELS)
