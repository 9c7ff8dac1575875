"""One model is in memory at a time: what was there has left it before the next comes, however one goes from one to the
next, and before the program ends.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.app.rig import LLAMA, QWEN, Bench, World, workbench
from tests.chat.scripted import Gate


async def turns(bench: Bench) -> None:
    """Let everything happen that does not wait for an engine to end."""
    for _ in range(5):
        await asyncio.to_thread(lambda: None)
        await bench.pilot.pause()


async def loaded(bench: Bench) -> None:
    """Load a first model; from now on engines take their time to end."""
    bench.app.desk.loading.load(LLAMA)
    await bench.until(lambda: bench.app.desk.loading.ready)
    bench.world.end_gate.clear()


async def finish(bench: Bench, *log: str) -> None:
    """Let engines end, and see that everything came in this order."""
    await turns(bench)
    bench.world.end_gate.set()
    await bench.until(lambda: bench.app.desk.loading.ready)
    assert bench.world.log == ["tiny-llama loading", *log]


async def test_a_model_waits_for_the_one_that_is_being_unloaded(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await loaded(bench)
        bench.app.desk.loading.unload()
        await bench.until(lambda: "tiny-llama closing" in bench.world.log)
        bench.app.desk.loading.load(QWEN)
        await finish(
            bench, "tiny-llama loaded", "tiny-llama closing", "tiny-llama closed",
            "qwen-coder loading", "qwen-coder loaded",
        )  # fmt: skip


async def test_a_third_model_waits_for_the_first_when_the_second_was_stopped(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await loaded(bench)
        bench.app.desk.loading.load(QWEN)
        await bench.until(lambda: "tiny-llama closing" in bench.world.log)
        bench.app.desk.loading.cancel()
        await bench.pilot.pause()
        bench.app.desk.loading.load(QWEN)
        await finish(
            bench, "tiny-llama loaded", "tiny-llama closing", "tiny-llama closed",
            "qwen-coder loading", "qwen-coder loaded",
        )  # fmt: skip


async def test_a_model_waits_for_a_load_that_is_being_stopped(tmp_path: Path) -> None:
    world = World()
    world.load_gate = Gate()
    world.end_gate.clear()
    async with workbench(tmp_path, world) as bench:
        bench.app.desk.loading.load(LLAMA)
        await bench.until(lambda: "tiny-llama loading" in world.log)
        bench.app.desk.loading.cancel()
        await bench.until(lambda: "tiny-llama stopping" in world.log)
        bench.app.desk.loading.load(QWEN)
        world.load_gate.set()
        bench.app.desk.loading.load(QWEN)
        await finish(bench, "tiny-llama stopping", "tiny-llama stopped", "qwen-coder loading", "qwen-coder loaded")


async def test_the_end_waits_for_everything_that_is_leaving(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await loaded(bench)
        bench.app.desk.loading.unload()
        await bench.until(lambda: "tiny-llama closing" in bench.world.log)
        end = asyncio.ensure_future(bench.app.desk.loading.close())
        await turns(bench)
        assert not end.done()
        bench.world.end_gate.set()
        await end
        assert bench.world.log[-1] == "tiny-llama closed"


async def test_the_end_stops_a_load_and_waits_for_it(tmp_path: Path) -> None:
    world = World()
    world.load_gate = Gate()
    world.end_gate.clear()
    async with workbench(tmp_path, world) as bench:
        bench.app.desk.loading.load(LLAMA)
        await bench.until(lambda: "tiny-llama loading" in world.log)
        end = asyncio.ensure_future(bench.app.desk.loading.close())
        await bench.until(lambda: "tiny-llama stopping" in world.log)
        await turns(bench)
        assert not end.done()
        world.end_gate.set()
        await end
        assert world.log == ["tiny-llama loading", "tiny-llama stopping", "tiny-llama stopped"]
