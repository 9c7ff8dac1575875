"""Pictures of the downloads: one of every kind, and none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.app.downloads import ALL
from tests.app.rig import Bench
from tests.screens.test_screens import GPUS, picture, terminal
from tui.app.panels.downloads.values import Row, summed
from tui.app.panels.downloads.words import in_short

__all__ = ["terminal"]


async def show(bench: Bench, rows: tuple[Row, ...], at: int = 0) -> None:
    """The panel with these in place of a list on disk."""
    flow = bench.app.desk.downloads
    await bench.press("escape", "d")
    await bench.shows("Nothing is being fetched.")
    await bench.until(lambda: not any(worker.is_running for worker in bench.app.workers))
    await flow.close()
    flow.rows = rows
    flow.draw()
    bench.app.key_bar.note = in_short(summed(rows), bench.app.glyphs, bench.app.size.width)
    await bench.press(*["down"] * at)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
def test_one_of_every_kind(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    async def steps(bench: Bench) -> None:
        await show(bench, ALL, at=1)

    assert picture(snap_compare, tmp_path, steps, size=size, machine=GPUS)


def test_one_of_every_kind_at_40_by_10_in_ascii(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await show(bench, ALL, at=6)

    assert picture(snap_compare, tmp_path, steps, size=(40, 10), ascii_only=True)


def test_nothing_yet_by_daylight(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await show(bench, ())

    assert picture(snap_compare, tmp_path, steps, size=(80, 24), theme="salar")
