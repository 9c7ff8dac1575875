"""Pictures of the finder, with rows made by hand: beside the chat and alone, a model in detail, all filters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.app.finder.rows import CODER, QUANTS, ROWS
from tests.app.rig import Bench
from tests.rigs.hub.environment import hub_home
from tests.screens.test_screens import GPUS, answered, picture, terminal
from tui.app.flows.finder.hub import HubSide
from tui.app.flows.finder.looking import Looking
from tui.app.flows.finder.rows import Rows
from tui.app.panels.finder.about import About
from tui.app.panels.finder.filters import Choices
from tui.app.panels.finder.panel import FinderPanel
from tui.app.panels.finder.shelf import Shelf
from tui.app.panels.finder.source import Source
from tui.hub.listing import Listing

__all__ = ["terminal"]

ABOUT = About(
    CODER, QUANTS, note="Exact: a dry run of the file's header.", page="https://huggingface.co/unsloth/Qwen3-Coder",
    fixes=("n_ctx 4 096: −1.3 GiB, half the context",), card="# Qwen3 Coder\n\nA model that writes code.\n\n- fast",
)  # fmt: skip


@pytest.fixture(autouse=True)
def rows_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """No Hub is asked, and nothing is priced."""

    def about(self: Looking, listing: Listing, *_: object) -> About:
        return ABOUT if listing == CODER else About(listing, tuple(row for row in ROWS if row.listing == listing))

    def nothing(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr(Rows, "restock", nothing)
    monkeypatch.setattr(HubSide, "search", nothing)
    monkeypatch.setattr(Looking, "look", nothing)
    monkeypatch.setattr(Looking, "about", about)
    with hub_home(tmp_path / "hf", monkeypatch):
        yield


async def found(bench: Bench, *, focus: bool = True) -> FinderPanel:
    """The finder with its rows, the list in focus."""
    await bench.press("f10")
    panel = bench.app.desk.finder.panel
    assert panel is not None
    await bench.shows("catalogue of")
    panel.show(Shelf(ROWS), len(ROWS), Choices())
    problem = "the Hub cannot be reached: no connection to huggingface.co; check the network"
    panel.tell_source(Source("catalogue of 2026-11-22", problem, "^r tries again"))
    if focus:
        await bench.press("escape")
        await bench.until(lambda: panel.pane.about)
    return panel


def test_beside_the_chat(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await answered(bench)
        panel = await found(bench)
        panel.wish(panel.wishes.__class__(use_case="code", max_wait_s=20.0, fits="gpu"))

    assert picture(snap_compare, tmp_path, steps, size=(160, 45), machine=GPUS)


def test_alone_while_one_types(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        panel = await found(bench, focus=False)
        await bench.press(*"3")
        await bench.until(lambda: len(panel.found.rows) < len(ROWS) and panel.pane.about)

    assert picture(snap_compare, tmp_path, steps, size=(80, 24), machine=GPUS)


@pytest.mark.parametrize("size", [(80, 24), (40, 10)], ids=["80x24", "40x10"])
def test_a_model_in_detail(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    async def steps(bench: Bench) -> None:
        await found(bench)
        await bench.press("space", "down")

    assert picture(snap_compare, tmp_path, steps, size=size, machine=GPUS)


def test_many_columns_in_ascii(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await found(bench)

    assert picture(snap_compare, tmp_path, steps, size=(159, 28), machine=GPUS, ascii_only=True)


def test_all_filters(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await found(bench)
        await bench.press("F", "right", "down", "right")

    assert picture(snap_compare, tmp_path, steps, size=(80, 24), machine=GPUS)
