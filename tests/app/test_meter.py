"""The meter: whose memory is whose, and what fits where on a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.segment import Segment
from textual.app import ComposeResult

from tui.app.look import LookApp
from tui.app.panels.meter.gauges import RAM, Gauge, Meter, first_look, measure, short_name
from tui.app.panels.meter.ghost import RESERVE_BYTES, ghost_of
from tui.app.panels.meter.strip import MeterStrip
from tui.app.themes import ThemeBook
from tui.config.paths import share
from tui.hardware.snapshot import Cpu, Gpu, GpuProcess, Ram, Snapshot

GIB = 1 << 30

H100 = Gpu(
    0, "GPU-a", "NVIDIA H100 80GB HBM3", "nvidia", 80 * GIB, 31 * GIB, 48 * GIB, 63, 54,
    processes=(GpuProcess(1, "x", "ana", 13 * GIB, False), GpuProcess(2, "puna", "you", 18 * GIB, True)),
)  # fmt: skip
RTX = Gpu(1, "GPU-b", "NVIDIA GeForce RTX 4090", "nvidia", 24 * GIB, GIB, 22 * GIB, 2, 38)
LOST = Gpu(2, None, None, "nvidia", error="the card is lost (GPU is lost)")
MACHINE = Snapshot(0.0, (H100, RTX), Ram(256 * GIB, 200 * GIB), cpu=Cpu(16, None, 12))


def test_every_byte_has_an_owner() -> None:
    meter = measure(MACHINE, held_bytes=5 * GIB, ghost={"GPU-b": 4 * GIB, RAM: GIB})
    h100, rtx, ram = meter.gauges
    assert (h100.name, h100.used, h100.ours, h100.ghost, h100.free) == ("H100", 31 * GIB, 18 * GIB, 0, 48 * GIB)
    assert (rtx.name, rtx.ghost, rtx.left) == ("4090", 4 * GIB, 18 * GIB)
    assert (ram.total, ram.used, ram.ours, ram.ghost) == (256 * GIB, 56 * GIB, 5 * GIB, GIB)
    assert meter.cpu == 12


def test_a_limit_is_the_whole_of_ram_and_unknown_is_said() -> None:
    limited = measure(Snapshot(0.0, ram=Ram(256 * GIB, 10 * GIB, 16 * GIB, "cgroup"))).gauges[-1]
    assert (limited.total, limited.used, limited.free) == (16 * GIB, 6 * GIB, 10 * GIB)
    assert measure(Snapshot(0.0)).gauges[-1].error == "not known"
    assert measure(Snapshot(0.0, (LOST,))).gauges[0].error == "the card is lost (GPU is lost)"


@pytest.mark.parametrize(
    ("name", "index", "several", "short"),
    [
        ("NVIDIA H100 80GB HBM3", 0, False, "H100"),
        ("NVIDIA GeForce RTX 4090", 1, False, "4090"),
        ("NVIDIA GeForce RTX 4090", 1, True, "4090:1"),
        ("AMD Radeon RX 7900 XTX", 0, False, "RX 7900 XTX"),
        ("", 3, False, "GPU:3"),
        ("\x1b[31mEvil\x1b[0m", 0, False, "Evil"),
    ],
)
def test_cards_have_short_names(name: str, index: int, several: bool, short: str) -> None:
    assert short_name(name, index, several) == short


def test_the_first_look_reads_meminfo_and_keeps_places_for_cards(tmp_path: Path) -> None:
    (tmp_path / "driver/nvidia/gpus/0000:01:00.0").mkdir(parents=True)
    (tmp_path / "meminfo").write_text("MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n")
    card, ram = first_look(tmp_path, tmp_path).gauges
    assert (card.name, card.total) == ("GPU:0", 0)
    assert (ram.total, ram.used, ram.free) == (1000 * 1024, 600 * 1024, 400 * 1024)


@pytest.mark.parametrize("limit", [b"max\n", None])
def test_the_first_look_leaves_a_limited_or_unreadable_ram_to_the_real_measurement(
    tmp_path: Path, limit: bytes | None
) -> None:
    assert first_look(tmp_path, tmp_path).gauges == (Gauge(RAM, RAM, 0, 0, 0),)
    (tmp_path / "meminfo").write_text("MemTotal: 1000 kB\nMemAvailable: 400 kB\n")
    if limit is not None:
        (tmp_path / "memory.max").write_bytes(limit)
    assert first_look(tmp_path, tmp_path).gauges[-1].total == 1000 * 1024
    (tmp_path / "memory.max").write_bytes(b"4096\n")
    assert first_look(tmp_path, tmp_path).gauges[-1].total == 0


def test_the_ghost_goes_to_the_cards_first_and_the_rest_to_ram() -> None:
    room = 48 * GIB - RESERVE_BYTES
    assert ghost_of(10 * GIB, MACHINE) == {"GPU-a": 10 * GIB}
    assert ghost_of(60 * GIB, MACHINE) == {"GPU-a": room, "GPU-b": 60 * GIB - room}
    assert ghost_of(10 * GIB, MACHINE, 0) == {RAM: 10 * GIB}
    assert ghost_of(10 * GIB, MACHINE, 24, 47) == {"GPU-a": 5 * GIB, RAM: 5 * GIB}
    assert ghost_of(10 * GIB, Snapshot(0.0)) == {RAM: 10 * GIB}


class Shown(LookApp):
    """A meter and nothing else."""

    def __init__(self, meter: Meter, *, ascii_only: bool = False) -> None:
        super().__init__(ThemeBook(share("themes")), ascii_only=ascii_only)
        self.strip = MeterStrip(meter)
        self.strip.styles.height = 1

    def compose(self) -> ComposeResult:
        yield self.strip

    def lines(self) -> list[str]:
        return [self.strip.render_line(y).text for y in range(self.strip.size.height)]


FULL = measure(MACHINE, 5 * GIB, {"GPU-b": 4 * GIB})


@pytest.mark.parametrize(
    ("size", "height"), [((160, 45), 2), ((120, 40), 2), ((80, 24), 2), ((40, 10), 1), ((300, 80), 2), ((60, 16), 2)]
)
async def test_every_line_is_as_wide_as_the_screen(size: tuple[int, int], height: int) -> None:
    app = Shown(FULL)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        lines = app.lines()
        assert len(lines) == height
        assert all(Segment(line).cell_length == size[0] for line in lines), lines
        assert all(name in "".join(lines) for name in ("H100", "4090", "RAM"))


async def test_eight_cards_share_lines_and_none_is_lost() -> None:
    cards = tuple(Gpu(n, f"GPU-{n}", "NVIDIA H100 80GB HBM3", "nvidia", 80 * GIB, 8 * GIB, 70 * GIB) for n in range(8))
    app = Shown(measure(Snapshot(0.0, cards, Ram(256 * GIB, 200 * GIB))))
    async with app.run_test(size=(160, 24)) as pilot:
        await pilot.pause()
        text = "\n".join(app.lines())
        assert app.strip.size.height == 4
        assert all(f"H100:{n}" in text for n in range(8))


async def test_the_four_parts_differ_in_shape_in_either_set_of_signs() -> None:
    for ascii_only in (False, True):
        app = Shown(measure(MACHINE, 0, {"GPU-a": 9 * GIB}), ascii_only=ascii_only)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            glyphs = app.glyphs
            line = app.lines()[0]
            assert all(sign in line for sign in (glyphs.used, glyphs.ours, glyphs.ghost, glyphs.free))
            assert line.isascii() == ascii_only
            assert "31.0+~9.0" in line.replace(" ", "")


async def test_a_ghost_that_does_not_fit_is_told_by_a_minus() -> None:
    app = Shown(measure(MACHINE, 0, {"GPU-b": 30 * GIB}))
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.pause()
        assert "1.0 + ~30.0 → -8.0 free GiB" in app.lines()[1]


async def test_it_repaints_only_what_it_would_show_differently() -> None:
    app = Shown(FULL)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        painted: list[int] = []
        app.strip.refresh = lambda *_a, **_k: painted.append(1) or app.strip  # type: ignore[method-assign, func-returns-value]
        app.strip.show(
            FULL._replace(gauges=(*FULL.gauges[:-1], FULL.gauges[-1]._replace(used=FULL.gauges[-1].used + 1)))
        )
        assert painted == []
        app.strip.show(measure(MACHINE, 0, {}))
        assert painted == [1]


async def test_a_lost_card_keeps_its_row() -> None:
    app = Shown(measure(Snapshot(0.0, (H100, LOST), Ram(256 * GIB, 200 * GIB))))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "the card is lost" in app.lines()[1]
        assert "RAM" in app.lines()[0]
