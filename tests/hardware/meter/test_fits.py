"""Any machine on any terminal: nothing is wider or higher than there is room, and no figure is torn."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hardware.meter.machines import ENGINES, machine, picture, scene_of
from tui.cli.meter.live import HELP
from tui.hardware.meter.frame import Scene
from tui.hardware.meter.holders import ORDERS
from tui.hardware.meter.marks import ASCII, UNICODE, Marks
from tui.hardware.meter.oneline import one_line
from tui.hardware.meter.words import cells
from tui.hardware.snapshot import Cpu, Disk, Gpu, GpuProcess, Ram, Snapshot, Swap

_SHOWN = re.compile(r"\d[\d.]*")


def _figures(count: int) -> set[str]:
    """Every figure that may stand in a picture of `machine(count)`."""
    sizes = {*range(567, 584), 789, 234, 123, 210, 238, 1511, 1273, 640, 320, 4567, 3210, 1357}
    sizes |= {222 - index for index in range(count)} | {234 * count, 210 * count, 789 * count, 567 * count}
    sizes.add(sum(567 + index for index in range(count)))
    figures = {form for size in sizes for form in (str(size), f"{size}.0")}
    figures |= {str(800000 + index) for index in range(count)} | {str(900000 + index) for index in range(count)}
    figures |= {
        "700001",
        "700002",
        "100",
        "91",
        "1234",
        "1980",
        "10501",
        "256",
        "192",
        "88",
        "61",
        "1",
        "16",
        "73",
        "70",
        "50",
        "999999",
    }
    figures |= {"3", "3.1", "128", "194", "195"} | {str(index) for index in range(2 * count + 3)}
    return figures | {str(round(100 * (567 + index) / 789)) for index in range(count)}


def _sums(cards: list[int]) -> set[str]:
    """What several of these cards have together: total, used, held by our engine, by nobody and free; and their
    number."""
    number, used = len(cards), sum(567 + index for index in cards)
    sums = {789 * number, used, 234 * number, 210 * number, 789 * number - used}
    full = {str(round(100 * used / (789 * number)))} if number else set()
    return {form for value in sums for form in (str(value), f"{value}.0")} | {str(number)} | full


@settings(max_examples=400, deadline=None)
@given(
    count=st.sampled_from([0, 1, 2, 8, 16]),
    width=st.integers(1, 240),
    height=st.one_of(st.none(), st.integers(1, 60)),
    marks=st.sampled_from([UNICODE, ASCII]),
    order=st.sampled_from(ORDERS),
    processes=st.sampled_from([None, 0, 1, 3]),
    above=st.integers(0, 40),
    message=st.sampled_from(["", "paused", "every 1 s"]),
    helping=st.booleans(),
    lost=st.one_of(st.none(), st.integers(0, 15)),
)
def test_nothing_is_wider_than_the_terminal_and_no_figure_is_torn(
    count: int,
    width: int,
    height: int | None,
    marks: Marks,
    order: str,
    processes: int | None,
    above: int,
    message: str,
    helping: bool,
    lost: int | None,
) -> None:
    scene = scene_of(
        count, 3, order=order, processes=processes, above=above, message=message, snapshot=machine(count, lost=lost)
    )
    scene.help = HELP if helping else ()
    text = "\n".join(picture(scene, width, height, marks))
    allowed = _figures(count) | _sums([index for index in range(count) if index != lost]) | _sums(list(range(count)))
    assert {figure.rstrip(".") for figure in _SHOWN.findall(text)} <= allowed
    assert marks is UNICODE or text.isascii()


_BYTES = st.one_of(st.none(), st.integers(0, 1 << 52))
_NAMES = st.one_of(st.none(), st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=40))
_PROCESSES = st.builds(GpuProcess, st.integers(0, 1 << 22), _NAMES, _NAMES, _BYTES, st.booleans(), st.booleans())
_GPUS = st.builds(
    Gpu,
    index=st.integers(0, 99),
    uuid=_NAMES,
    name=_NAMES,
    vendor=st.just("nvidia"),
    total_bytes=_BYTES,
    used_bytes=_BYTES,
    free_bytes=_BYTES,
    utilization=st.one_of(st.none(), st.integers(0, 100)),
    temperature_c=st.one_of(st.none(), st.integers(-40, 200)),
    power_w=st.one_of(st.none(), st.floats(0, 5000)),
    error=_NAMES,
    processes=st.lists(_PROCESSES, max_size=4).map(tuple),
    parent=_NAMES,
    instance=st.one_of(st.none(), st.integers(0, 7)),
    divided=st.booleans(),
    asleep=st.booleans(),
    idle_s=st.one_of(st.none(), st.integers(0, 60)),
    clock_mhz=st.one_of(st.none(), st.integers(0, 9999)),
    memory_clock_mhz=st.one_of(st.none(), st.integers(0, 99999)),
    unattributed_bytes=_BYTES,
    cuda_visible=st.one_of(st.none(), st.booleans()),
    cuda_index=st.one_of(st.none(), st.integers(0, 16)),
)
_SNAPSHOTS = st.builds(
    Snapshot,
    time=st.just(1.0),
    gpus=st.lists(_GPUS, max_size=16).map(tuple),
    ram=st.builds(Ram, _BYTES, _BYTES, _BYTES),
    swap=st.builds(Swap, _BYTES, _BYTES),
    cpu=st.builds(Cpu, st.one_of(st.none(), st.integers(1, 512)), st.one_of(st.none(), st.floats(0.01, 512))),
    nvml_error=_NAMES,
    disk=st.one_of(st.none(), st.builds(Disk, _BYTES, _BYTES)),
    gpus_age_s=st.floats(0, 1e6),
    gpus_stale=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(_SNAPSHOTS, st.integers(1, 240), st.one_of(st.none(), st.integers(1, 60)), st.sampled_from([UNICODE, ASCII]))
def test_any_machine_fits_any_terminal(snapshot: Snapshot, width: int, height: int | None, marks: Marks) -> None:
    scene = Scene(snapshot, ENGINES)
    for _ in range(2):
        scene.history.note(snapshot)
        picture(scene, width, height, marks)
    assert cells(one_line(snapshot, ENGINES, marks, width)) <= width
    assert one_line(snapshot, ENGINES, marks)
