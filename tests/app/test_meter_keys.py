"""The meter in the workbench: opened and left by a key, and what its keys do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.rig import KILLED, Bench, World, workbench, write_config
from tests.chat.scripted import Gate
from tests.hardware.meter.machines import ENGINES, GIB, machine
from tests.rigs.nvml import FakeGpu, StandIn
from tui.app.app import Opening
from tui.app.messages import Sampled
from tui.hardware.meter.holders import ORDERS
from tui.hardware.snapshot import GpuProcess


def seen(bench: Bench, count: int = 2, used_gib: int = 567) -> None:
    """Memory is measured: so many cards, of which the first holds this much."""
    shot = machine(count)
    first = replace(shot.gpus[0], used_bytes=used_gib * GIB)
    bench.app.desk.on_sampled(Sampled(replace(shot, gpus=(first, *shot.gpus[1:])), ENGINES))


def pids(bench: Bench) -> list[str]:
    """The pids that are listed, from top to bottom."""
    return re.findall(r"^ *(\d{6}) ", bench.text(), re.MULTILINE)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (160, 45)])
async def test_a_key_opens_it_and_escape_leads_back(tmp_path: Path, size: tuple[int, int]) -> None:
    async with workbench(tmp_path, size=size) as bench:
        seen(bench)
        await bench.press("f2", "m")
        await bench.until(lambda: bench.app.meter.size.height == size[1] - 1)
        assert bench.app.meter.has_focus
        assert not bench.app.bench.region
        await bench.shows("1 Alpha", "RAM", "esc close")
        await bench.press("escape")
        await bench.until(lambda: bench.app.bench.library.has_focus)
        assert bench.app.meter.size.height <= 2
        await bench.shows("tiny-llama")


async def test_it_opens_while_one_writes_and_what_was_written_stays(tmp_path: Path) -> None:
    async with workbench(tmp_path, opening=Opening(view="chat")) as bench:
        seen(bench)
        await bench.press("h", "i", "ctrl+g")
        await bench.until(lambda: bench.app.meter.has_focus)
        await bench.press("x", "ctrl+g")
        await bench.until(lambda: bench.app.bench.chat.editor.has_focus)
        assert bench.app.bench.chat.editor.text == "hi"


async def test_a_click_on_it_opens_it(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        seen(bench)
        await bench.pilot.click("#meter")
        await bench.until(lambda: bench.app.meter.has_focus and bench.app.meter.full)


async def test_going_elsewhere_closes_it(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."])) as bench:
        for key, there in (("f2", "library"), ("f3", "chat")):
            await bench.press("ctrl+g")
            await bench.until(lambda: bench.app.meter.full)
            await bench.press(key)
            await bench.until(lambda: not bench.app.meter.full)
            assert bench.app.bench.view == there
        await bench.press("ctrl+g")
        bench.app.desk.chatting.submit("Say one.")
        await bench.shows("One.", "3 tokens")
        assert not bench.app.meter.full
        assert bench.app.bench.chat.editor.has_focus


async def test_it_shows_what_happens_while_an_answer_streams(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["First", gate, " and last."])) as bench:
        await bench.write("Say it.")
        await bench.shows("First")
        await bench.press("ctrl+g")
        seen(bench)
        await bench.shows("Qwen3-Coder", "tok/s")
        gate.set()
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        await bench.press("escape")
        await bench.shows("First and last.")


async def test_pause_lets_it_stand_still_and_leaving_lets_it_go_on(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        seen(bench)
        await bench.press("f2", "m", "p")
        await bench.shows("paused", "567.0")
        seen(bench, used_gib=700)
        await bench.pilot.pause()
        assert "567.0" in bench.text()
        assert "700.0" not in bench.text()
        await bench.press("space")
        await bench.shows("700.0")
        assert "paused" not in bench.text()
        await bench.press("p")
        seen(bench, used_gib=345)
        await bench.press("escape")
        await bench.shows("345.0")


@pytest.mark.parametrize("way", ["escape", "ctrl+g"])
async def test_leaving_goes_back_to_plain_keys_where_one_came_from_them(tmp_path: Path, way: str) -> None:
    async with workbench(tmp_path, opening=Opening(view="chat")) as bench:
        seen(bench)
        await bench.press("escape", "m", way)
        await bench.until(lambda: bench.app.bench.chat.transcript.has_focus)
        await bench.press("r")
        assert bench.app.bench.chat.editor.text == ""


async def test_nothing_moves_while_it_is_paused_and_nothing_is_lost(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(120, 40)) as bench:
        seen(bench, used_gib=100)
        await bench.press("f2", "m", "p")
        await bench.shows("paused")
        still = bench.text()
        for used_gib in range(200, 600, 100):
            seen(bench, used_gib=used_gib)
            await bench.press("s", "e", "e", "s", "s", "s")
            assert bench.text() == still
        await bench.press("p")
        await bench.shows("500.0")
        key = machine(1).gpus[0].key
        assert len(bench.app.meter._history.held(key)) == 5
        assert bench.app.meter._scene is not None
        assert bench.app.meter._scene.history is bench.app.meter._history


async def test_sorting_goes_through_all_orders(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        seen(bench)
        await bench.press("f2", "m", "e")
        shown = {}
        for order in (*ORDERS[1:], ORDERS[0]):
            await bench.press("s")
            await bench.shows(f"by {order}")
            shown[order] = pids(bench)
        assert shown["memory"][:3] == ["700001", "800000", "800001"]
        assert shown["pid"] == sorted(shown["pid"])
        assert shown["name"][0] == "700001"


async def test_without_a_gpu_it_says_that_no_process_is_listed(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(80, 24)) as bench:
        bench.app.desk.on_sampled(Sampled(machine(0), ENGINES))
        await bench.press("f2", "m")
        await bench.shows("only GPU memory is listed by process")
        for key in "set":
            bench.app.clear_notifications()
            await bench.press(key)
            await bench.until(lambda: any("there is no GPU here" in words for words in bench.notices))


async def test_processes_are_few_until_all_are_wanted_and_scroll_where_there_is_no_room(tmp_path: Path) -> None:
    async with workbench(tmp_path, size=(80, 24)) as bench:
        shot = machine(2)
        many = tuple(GpuProcess(500000 + n, f"job{n}", "ana", (99 - n) * GIB, False) for n in range(40))
        shot = replace(shot, gpus=(replace(shot.gpus[0], processes=many), shot.gpus[1]))
        bench.app.desk.on_sampled(Sampled(shot))
        await bench.press("f2", "m")
        await bench.shows("700001", "more")
        few = len(pids(bench))
        assert few == 3
        await bench.press("e")
        await bench.until(lambda: len(pids(bench)) > 8)
        more = len(pids(bench))
        await bench.press("down", "j", "j")
        assert pids(bench)[0] == "500001"
        assert f"3 above, {44 - 3 - more} more" in bench.text()
        await bench.press(*["down"] * 60)
        assert pids(bench)[-1].startswith("900001")
        assert "no process listed" in bench.text()
        await bench.press("up")
        assert "no process listed" not in bench.text()
        await bench.press("k", "enter", "enter")
        assert pids(bench)[0] == "700001"


async def test_the_interval_goes_from_a_fifth_of_a_second_to_ten(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        seen(bench)
        await bench.press("f2", "m")
        for key, steps in (("minus", ("0.5", "0.2", "0.2")), ("plus", ("0.5", "1", "2", "5", "10", "10"))):
            for step in steps:
                await bench.press(key)
                await bench.shows(f"every {step} s")
                assert bench.app.desk.background.interval_s == float(step)


async def test_another_interval_counts_at_once(tmp_path: Path, stand_in: StandIn) -> None:
    write_config(tmp_path, "[monitor]\ninterval_s = 10\n")
    stand_in.show([FakeGpu(used=3 * GIB)])
    with stand_in.in_this_process():
        async with workbench(tmp_path, watch=True) as bench:
            await bench.until(lambda: bench.app.desk.machine and bench.app.desk.machine.gpus)
            await bench.press("f2", "m")
            await bench.shows("every 10 s")
            stand_in.show([FakeGpu(used=7 * GIB)])
            await bench.press(*["minus"] * 5)
            await bench.until(lambda: re.search(r"\b7\.0\S*/24\.0", bench.text()), 8)


async def test_its_keys_can_be_others(tmp_path: Path) -> None:
    write_config(tmp_path, '[keys]\nmeter = "Z"\nmeter_pause = "x"\nclose_meter = "z"\n')
    async with workbench(tmp_path) as bench:
        seen(bench)
        await bench.press("f2", "m")
        assert not bench.app.meter.full
        await bench.press("Z", "x")
        await bench.shows("paused", "z close", "x pause")
        await bench.press("z")
        await bench.until(lambda: not bench.app.meter.full)


async def test_an_engine_that_stops_is_told_at_once(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["A deque", gate, KILLED])) as bench:
        await bench.write("Write.")
        await bench.shows("A deque")
        await bench.press("ctrl+g")
        bench.world.engine.die()
        gate.set()
        await bench.shows("the engine stopped", "r reload")
        assert not bench.app.meter.full
