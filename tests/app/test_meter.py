"""The meter's widget: one line, a strip or the full picture, whose memory is whose, and what is painted when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import ComposeResult

from tests.hardware.meter.machines import ENGINES, machine
from tests.rigs.nvml import FakeGpu, StandIn
from tui.app.look import LookApp
from tui.app.panels.meter.first import first_look
from tui.app.panels.meter.panel import _PENS, MeterPanel
from tui.app.panels.meter.strip import shown, strip_height, strip_lines
from tui.app.themes import ThemeBook
from tui.config.paths import share
from tui.hardware.history import RAM, History
from tui.hardware.meter.gauges import Gauge
from tui.hardware.meter.marks import ASCII, ROLES, UNICODE, Marks, text_of
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Cpu, Disk, Gpu, GpuProcess, Ram, Snapshot, Swap

GIB = 1 << 30

H100 = Gpu(
    0, "GPU-a", "NVIDIA H100 80GB HBM3", "nvidia", 80 * GIB, 31 * GIB, 48 * GIB, 63, 54, 412.0,
    processes=(GpuProcess(1, "x", "ana", 13 * GIB, False), GpuProcess(2, "puna", "you", 18 * GIB, True)),
)  # fmt: skip
RTX = Gpu(1, "GPU-b", "NVIDIA GeForce RTX 4090", "nvidia", 24 * GIB, GIB, 22 * GIB, 2, 38, 21.0)
LOST = Gpu(2, None, None, "nvidia", error="lost: it has fallen off the bus")
MACHINE = Snapshot(
    0.0, (H100, RTX), Ram(256 * GIB, 200 * GIB), Swap(8 * GIB, GIB), Cpu(16, None, 12), disk=Disk(930 * GIB, 412 * GIB)
)
GHOST = {"GPU-0": 100 * GIB, "GPU-1": 500 * GIB, RAM: 30 * GIB}
SIZES = [(10, 2), (30, 4), (40, 10), (60, 16), (80, 24), (120, 40), (160, 45), (200, 50), (300, 80)]


class Shown(LookApp):
    """A meter and nothing else."""

    def __init__(self, first: Sequence[Gauge] = (), *, full: bool = False, ascii_only: bool = False) -> None:
        super().__init__(ThemeBook(share("themes")), ascii_only=ascii_only)
        self.meter = MeterPanel(first)
        self.meter.styles.height = 1
        self._full = full

    def compose(self) -> ComposeResult:
        yield self.meter

    def on_mount(self) -> None:
        self.meter.full = self._full

    def lines(self) -> list[str]:
        return [self.meter.render_line(y).text for y in range(self.meter.size.height)]

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())


async def drawn(shot: Snapshot, size: tuple[int, int], ghost: dict[str, int] | None = None, **how: Any) -> list[str]:
    """The lines of a meter that has seen this for three seconds."""
    app = Shown(**how)
    async with app.run_test(size=size) as pilot:
        for _ in range(3):
            app.meter.sampled(shot, ENGINES, ghost)
        await pilot.pause()
        return app.lines()


# ---- its forms


@pytest.mark.parametrize(
    ("size", "height"), [((160, 45), 2), ((80, 24), 2), ((60, 16), 2), ((59, 16), 1), ((40, 10), 1)]
)
async def test_it_is_a_line_in_a_small_terminal_and_else_a_line_a_gpu(size: tuple[int, int], height: int) -> None:
    lines = await drawn(MACHINE, size)
    assert len(lines) == height
    assert all(name in "".join(lines) for name in ("H100", "4090", "RAM", "31", "80", "56"))


@pytest.mark.parametrize("full", [False, True], ids=["strip", "full"])
async def test_it_follows_every_size(full: bool) -> None:
    app = Shown(full=full)
    async with app.run_test(size=(80, 24)) as pilot:
        app.meter.sampled(machine(8), ENGINES, GHOST)
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert [line for line in app.lines() if cell_len(line) != width] == []
            assert (len(app.lines()) == height) == full
            assert "RAM" in app.text()


FIGURES = re.compile(r"\d[\d.]*")


def figures(count: int) -> set[float]:
    """Every figure that a strip may show of `machine(count)` with GHOST."""
    held = [567 + index for index in range(count)]
    whole = {789, 789 * count, 238, 1511, 1273, 1243, 640, 320, 100, 500, 600, 30, 88, 91, 1357, *held, sum(held)}
    whole |= {abs(789 - used - more) for used in held for more in (0, 100, 500)}
    whole |= {abs(789 * count - sum(held) - more) for more in (0, 600, 100)} | set(range(count + 1))
    return {float(figure) for figure in whole}


@settings(max_examples=300, deadline=None)
@given(
    count=st.sampled_from([0, 1, 2, 3, 8, 16]),
    width=st.integers(40, 300),
    height=st.integers(10, 80),
    marks=st.sampled_from([UNICODE, ASCII]),
    ghost=st.sampled_from([{}, GHOST]),
)
def test_no_strip_is_wider_than_the_screen_and_no_figure_is_torn(
    count: int, width: int, height: int, marks: Marks, ghost: dict[str, int]
) -> None:
    shot, history = machine(count), History()
    history.note(shot)
    rows = strip_height(count, width, height)
    lines = [text_of(line) for line in strip_lines(shown(shot, ghost, marks), width, rows, marks, history)]
    assert len(lines) == rows
    assert [line for line in lines if cell_len(line) > width] == []
    seen = {float(figure.rstrip(".")) for figure in FIGURES.findall("\n".join(lines))}
    assert seen <= figures(count)
    assert marks is UNICODE or "\n".join(lines).isascii()


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (160, 45), (200, 50)])
async def test_in_full_everything_is_told(size: tuple[int, int]) -> None:
    lines = await drawn(MACHINE, size, {"GPU-a": 17 * GIB}, full=True)
    text = "\n".join(lines)
    words = ["H100", "4090", "RAM", "63%", "61"]
    words += ["pid", "ana", "you", "Qwen3-Coder", "31.0+17.0/80.0 GiB", "31.0 free", "swap"] if size[1] > 10 else []
    words += ["412W", "54°", "memory", "busy", "700001", "3.1k/128k"] if size[0] >= 160 else []
    assert [word for word in words if word not in text] == []


async def test_where_there_is_room_the_strip_has_history_work_and_heat() -> None:
    lines = await drawn(MACHINE, (160, 45), {"GPU-a": 17 * GIB})
    assert re.search(r"H100 .*31\.0 \+ 17\.0 → 31\.0 free GiB +▅▅▅ +63 % +54° +RAM .*cpu +12 %", lines[0])
    assert re.search(r"4090 .*1\.0 of 24\.0 GiB, 22\.0 free +▁▁▁ +2 % +38° +swap .*1\.0 of 8\.0 GiB", lines[1])


async def test_the_disk_stands_at_the_right_of_a_wide_strip() -> None:
    for shot in (MACHINE, replace(MACHINE, swap=Swap(0, 0))):
        lines = await drawn(shot, (160, 45))
        assert lines[0].rstrip().endswith("cpu  12 %")
        assert lines[1].rstrip().endswith("disk 412 GiB free")
        assert len(lines[0].rstrip()) == len(lines[1].rstrip())
    one = replace(MACHINE, gpus=(H100,))
    (line,) = await drawn(one, (160, 45))
    assert re.search(r"31\.0 of 80\.0 GiB, 48\.0 free .*RAM .*cpu +12 % +disk 412 GiB free *$", line)
    assert re.search(r"RAM .*disk 412 GiB free *$", (await drawn(replace(MACHINE, gpus=()), (160, 45)))[0])
    assert "disk" not in "".join(await drawn(MACHINE, (120, 40)))


@pytest.mark.parametrize(("disk", "words"), [(Disk(930 * GIB, 4 * GIB), "only 4.0 GiB free"), (Disk(), "does not")])
async def test_a_disk_that_is_nearly_full_is_told_in_narrower_strips(disk: Disk, words: str) -> None:
    for gpus in ((H100, RTX), (H100,), ()):
        for width in (100, 120, 160, 200):
            lines = await drawn(replace(MACHINE, gpus=gpus, disk=disk), (width, 40))
            assert f"disk {words}" in "".join(lines)
            assert not gpus or re.search(r"H100 [█▓░]{4,} 31", lines[0])
    assert "disk" not in "".join(await drawn(replace(MACHINE, disk=disk), (80, 24)))


async def test_a_card_that_is_left_alone_is_idle_in_the_strip() -> None:
    idle = replace(RTX, utilization=0, idle_s=12)
    assert "idle 12 s" in (await drawn(replace(MACHINE, gpus=(H100, idle)), (160, 45)))[1]
    assert " idle" in (await drawn(replace(MACHINE, gpus=(H100, idle)), (80, 24)))[1]


async def test_eight_cards_share_lines_and_none_is_lost() -> None:
    cards = tuple(Gpu(n, f"GPU-{n}", "NVIDIA H100 80GB HBM3", "nvidia", 80 * GIB, 8 * GIB, 70 * GIB) for n in range(8))
    shot = Snapshot(0.0, cards, Ram(256 * GIB, 200 * GIB))
    lines = await drawn(shot, (160, 24))
    assert len(lines) == 4
    assert all(f"{n} H100" in "\n".join(lines) for n in range(8))
    lines = await drawn(shot, (40, 10))
    assert "8×H100" in lines[0]
    assert "56/256" in lines[0]


# ---- whose memory it is


@pytest.mark.parametrize("full", [False, True])
async def test_the_four_parts_differ_in_shape_in_either_set_of_signs(full: bool) -> None:
    for ascii_only, marks in ((False, UNICODE), (True, ASCII)):
        app = Shown(full=full, ascii_only=ascii_only)
        async with app.run_test(size=(120, 40)) as pilot:
            app.meter.sampled(MACHINE, (), {"GPU-a": 9 * GIB})
            await pilot.pause()
            line = app.lines()[0]
            bar = [sign for sign in line if sign in marks[:4]]
            assert list(dict.fromkeys(bar)) == [marks.used, marks.ours, marks.ghost, marks.free]
            assert app.text().isascii() == ascii_only
            assert "31.0+9.0" in line.replace(" ", "")


@pytest.mark.parametrize("full", [False, True])
async def test_a_ghost_that_does_not_fit_is_told_by_what_is_missing(full: bool) -> None:
    lines = await drawn(MACHINE, (160, 40), {"GPU-b": 30 * GIB}, full=full)
    line = next(line for line in lines if "4090" in line)
    assert re.search(r"1\.0( \+ |\+)30\.0.* 8\.0 (GiB )?short", line)
    assert "░" not in line.partition("RAM")[0].partition("swap")[0]


def test_every_role_has_a_colour() -> None:
    assert {"", *ROLES} <= set(_PENS)


# ---- what goes wrong


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("size", [(40, 10), (120, 40)])
async def test_a_card_that_is_lost_keeps_its_place_and_comes_back(
    stand_in: StandIn, size: tuple[int, int], full: bool
) -> None:
    cards = [FakeGpu(uuid=f"GPU-{n}", used=(3 + n) * GIB) for n in (0, 1)]
    stand_in.show(cards)
    app = Shown(full=full)
    with stand_in.in_this_process():
        sampler = Sampler(environ={})
        async with app.run_test(size=size) as pilot:
            for lost in (False, True, False):
                stand_in.show([cards[0], replace(cards[1], errors={"memory": 15}) if lost else cards[1]])
                app.meter.sampled(sampler.sample())
                await pilot.pause()
                assert "3" in app.text()
                assert ("lost" in app.text()) == lost
                cards_only = re.sub(r"RAM.*", "", app.text())
                assert bool(re.search(r"\b4(\.0)?(/| of )24", cards_only)) != lost
        sampler.close()


async def test_zero_total_and_odd_names_are_shown_as_they_are(stand_in: StandIn) -> None:
    stand_in.show(
        [FakeGpu(name="Ev\x1b[31mil [/x] card", uuid="GPU-0", total=0, used=0, free=0), FakeGpu(uuid="GPU-1")]
    )
    with stand_in.in_this_process():
        sampler = Sampler(environ={})
        shot = sampler.sample()
        sampler.close()
    for full in (False, True):
        for size in ((40, 10), (120, 40)):
            lines = await drawn(shot, size, full=full)
            assert all("\x1b" not in line and cell_len(line) == size[0] for line in lines)
    assert "[/x]" in "".join(await drawn(shot, (120, 40), full=True))


async def test_sixteen_cards_of_the_stand_in(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(uuid=f"GPU-{n}", used=(n + 1) * GIB, free=(23 - n) * GIB) for n in range(16)])
    with stand_in.in_this_process():
        sampler = Sampler(environ={})
        shot = sampler.sample()
        sampler.close()
    for full, size in ((True, (80, 24)), (False, (160, 45))):
        lines = await drawn(shot, size, full=full)
        assert [n for n in range(16) if not re.search(rf"\b{n + 1}(\.0)?(/| of )24", "\n".join(lines))] == []


async def test_a_driver_that_hangs_or_fails_is_told_in_the_strip_too() -> None:
    lines = await drawn(replace(MACHINE, gpus_stale=True, gpus_age_s=12.4), (120, 40))
    assert "12 s old" in lines[0]
    many = replace(MACHINE, gpus=tuple(replace(MACHINE.gpus[0], index=n, uuid=f"GPU-{n}") for n in range(8)))
    for size in ((120, 20), (80, 24), (60, 16), (40, 10)):
        told = "\n".join(await drawn(replace(many, gpus_stale=True, gpus_age_s=12.4), size))
        assert re.search(r"\bold\b", told), size
        assert not re.search(r"\bold\b", "\n".join(await drawn(many, size)))
    broken = replace(MACHINE, gpus=(), nvml_error="the NVIDIA driver was updated: restart the machine")
    lines = await drawn(broken, (160, 45))
    assert "the NVIDIA driver was updated: restart the machine" in lines[0]
    lines = await drawn(Snapshot(0.0), (80, 24))
    assert "RAM" in lines[0]


# ---- the first frame


def test_the_first_look_reads_meminfo_and_keeps_places_for_cards(tmp_path: Path) -> None:
    (tmp_path / "driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)
    (tmp_path / "meminfo").write_text("MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n")
    card, ram = first_look(tmp_path, tmp_path)
    assert (card.label, card.total) == ("0 GPU", None)
    assert (ram.total, ram.used, ram.free) == (1000 * 1024, 600 * 1024, 400 * 1024)


@pytest.mark.parametrize("limit", [b"max\n", None])
def test_the_first_look_leaves_a_limited_or_unreadable_ram_to_the_real_measurement(
    tmp_path: Path, limit: bytes | None
) -> None:
    assert first_look(tmp_path, tmp_path) == (Gauge("RAM", key=RAM),)
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 400 kB\n")
    if limit is not None:
        (tmp_path / "memory.max").write_bytes(limit)
    assert first_look(tmp_path, tmp_path)[-1].total == 1000 * 1024
    (tmp_path / "memory.max").write_bytes(b"4096\n")
    assert first_look(tmp_path, tmp_path)[-1].total is None


async def test_before_anything_is_measured_there_are_places_for_it() -> None:
    app = Shown((Gauge("0 GPU"), Gauge("RAM", 64 * GIB, 20 * GIB, 0, 44 * GIB, key=RAM)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert re.search(r"0 GPU … +RAM .*20\.0 of 64\.0 GiB|0 GPU … +RAM .*20/64", app.text())


# ---- what is painted


async def test_it_repaints_only_the_lines_that_it_would_show_differently() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        app.meter.sampled(MACHINE)
        await pilot.pause()
        painted: list[int] = []
        app.meter.refresh = lambda *regions, **_: painted.extend(r.y for r in regions) or app.meter  # type: ignore[method-assign, func-returns-value]
        app.meter.sampled(replace(MACHINE, ram=replace(MACHINE.ram, available_bytes=200 * GIB - 1)))
        assert painted == []
        app.meter.sampled(replace(MACHINE, gpus=(H100, replace(RTX, used_bytes=9 * GIB))))
        assert painted == [1]
        app.meter.show_ghost({"GPU-a": GIB})
        assert painted == [1, 0, 1]  # the words beside the bars are of one width
