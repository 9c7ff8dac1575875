"""Notices as a person sees them: a few, each once, and never over the prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets._toast import Toast

from tests.app.rig import LLAMA, World, workbench
from tui.app.app import Opening
from tui.engine.errors import EngineError


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (120, 40), (200, 50)])
async def test_notices_stand_between_meter_and_prompt(tmp_path: Path, size: tuple[int, int]) -> None:
    async with workbench(tmp_path, size=size, opening=Opening(view="chat"), toasts=True) as bench:
        app = bench.app
        for number in range(5):
            app.desk.tell(f"Notice {number}: " + "something that takes more than one row " * 4)
        await bench.until(lambda: "Notice 4" in str([toast.render() for toast in app.screen.query(Toast)]))
        await bench.press("x")
        toasts = [app.screen.find_widget(toast).visible_region for toast in app.screen.query(Toast)]
        meter, ask = app.meter.region, app.bench.query("#ask").first().region
        assert any(toasts)
        for toast in filter(None, toasts):
            assert meter.bottom <= toast.y
            assert toast.bottom <= ask.y


async def test_few_notices_each_once(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        for words in ("one", "two", "one", "three", "three", "four"):
            bench.app.desk.tell(words)
        await bench.until(lambda: bench.notices and bench.notices[-1] == "four")
        assert bench.notices == ["one", "three", "four"]


async def test_a_load_that_fails_is_told_once(tmp_path: Path) -> None:
    world = World()
    world.load_error = EngineError("load", "the file is half as long as it says", "get it again")
    async with workbench(tmp_path, world) as bench:
        await bench.write("Hello")
        await bench.shows("the file is half as long as it says; get it again")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        assert bench.notices == []
        bench.app.desk.loading.load(LLAMA)
        words = "tiny-llama could not be loaded: the file is half as long as it says. Get it again."
        await bench.until(lambda: bench.notices == [words])
