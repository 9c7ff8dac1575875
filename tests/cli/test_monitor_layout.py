"""The monitor's pictures as values: never wider or higher than the terminal, no figure torn, memory first."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.machines import ENGINES, GIB, machine
from tui.cli.meter.frame import Scene, frame
from tui.cli.meter.history import History, graph
from tui.cli.meter.holders import ORDERS, holders
from tui.cli.meter.live import HINTS
from tui.cli.meter.marks import ASCII, COLOURS, MONOCHROME, PLAIN, UNICODE, Marks, paint, text_of
from tui.cli.meter.oneline import one_line
from tui.cli.meter.words import cells, clip, rate, share, short_name, tokens, wrapped
from tui.hardware.snapshot import Cpu, Gpu, GpuProcess, Ram, Snapshot, Swap

SIZES = [(30, 4), (40, 10), (80, 24), (200, 50)]


def picture(scene: Scene, width: int, height: int | None, marks: Marks = UNICODE) -> list[str]:
    """The lines as text, held to the size of the terminal."""
    lines = [text_of(line) for line in frame(scene, width, height, marks)]
    assert height is None or len(lines) <= height
    assert [line for line in lines if cells(line) > width] == []
    return lines


def scene_of(count: int, ticks: int = 60, **changes: object) -> Scene:
    """A machine that has been watched for a while."""
    scene = Scene(machine(count), ENGINES, hints=HINTS, state="by memory, every 1 s")
    for _ in range(ticks):
        scene.history.note(scene.snapshot)
    for name, value in changes.items():
        setattr(scene, name, value)
    return scene


@pytest.mark.parametrize("count", [0, 1, 2, 8, 16])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_ram_and_every_gpu_are_told_at_each_size(count: int, width: int, height: int) -> None:
    text = "\n".join(picture(scene_of(count), width, height))
    assert "RAM" in text
    assert "238/1511" in text
    if count and not (count == 16 and height == 4):
        assert all(f"{567 + index}" in text for index in range(count))
    elif count:
        assert "16×Alpha" in text
        assert str(sum(567 + index for index in range(16))) in text


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_two_gpus_have_a_line_each_with_a_bar(width: int, height: int) -> None:
    lines = picture(scene_of(2), width, height)
    for index in (0, 1):
        line = next(line for line in lines if f"{index} Alpha" in line)
        assert set("█▓░") <= set(line)
        assert "100%" in line


def test_at_40_by_10_there_are_processes_engines_and_history() -> None:
    lines = picture(scene_of(2), 40, 10)
    assert len(lines) == 10
    assert any("800000" in line and "trainer" in line and "123.0G" in line for line in lines)
    assert any("700001" in line and "puna" in line and "468.0G" in line for line in lines)
    assert any("61 tok/s" in line and "3.1k/128k" in line for line in lines)
    assert any(set(line.strip()) == {"█"} for line in lines)


def test_at_full_width_everything_is_there() -> None:
    text = "\n".join(picture(scene_of(8), 200, 50))
    for word in ("memory", "busy", "222.0 free", "1234W", "91°", "1980MHz", "CUDA0", "swap", "192 of 256 cores", "88%"):
        assert word in text
    for word in (
        "pid",
        "user",
        "process",
        "engine",
        "tok/s",
        "context",
        "not visible here",
        "n/a",
        "no process listed",
    ):
        assert word in text
    assert "q quit" in text
    assert "by memory, every 1 s" in text


def test_more_gpus_than_rows_are_told_closer_together() -> None:
    assert picture(scene_of(8), 36, 6)[-1].split()[0] == "RAM"
    grid = picture(scene_of(8), 30, 5)
    assert [len(re.findall(r"\d+/789", line)) for line in grid] == [2, 2, 2, 2, 0]
    both = Scene(machine(16, names=("NVIDIA Alpha", "NVIDIA Beta")))
    named = picture(both, 30, 4)
    assert [line.split()[0] for line in named] == ["8×Alpha", "8×Beta", named[2], "RAM"]
    assert len(named[2]) == 16
    assert picture(both, 30, 2)[0].startswith("16 GPUs")
    assert "RAM" in picture(both, 40, 1)[0]


@pytest.mark.parametrize("count", [0, 1, 2, 8, 16])
def test_a_tiny_terminal_shows_something_sane(count: int) -> None:
    lines = picture(scene_of(count, processes=False), 10, 2)
    ram = next(line for line in lines if "RAM" in line)
    assert ram.split() == ["RAM", "16%"]
    assert count == 0 or lines[0].split()[-1] in ("72%", "73%")


_SHOWN = re.compile(r"\d[\d.]*")


def _figures(count: int) -> set[str]:
    """Every figure that may stand in a picture of `machine(count)`."""
    sizes = {*range(567, 584), 789, 234, 123, 210, 238, 1511, 1273, 640, 320}
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
        "256",
        "192",
        "88",
        "61",
        "1",
        "16",
        "73",
        "50",
        "999999",
    }
    figures |= {"3", "3.1", "128", "194", "195"} | {str(index) for index in range(2 * count + 3)}
    return figures | {str(round(100 * (567 + index) / 789)) for index in range(count)}


@settings(max_examples=400, deadline=None)
@given(
    count=st.sampled_from([0, 1, 2, 8, 16]),
    width=st.integers(1, 240),
    height=st.one_of(st.none(), st.integers(1, 60)),
    marks=st.sampled_from([UNICODE, ASCII]),
    order=st.sampled_from(ORDERS),
    processes=st.booleans(),
    message=st.sampled_from(["", "paused", "every 1 s", "sorted by memory, then"]),
    lost=st.one_of(st.none(), st.integers(0, 15)),
)
def test_nothing_is_wider_than_the_terminal_and_no_figure_is_torn(
    count: int,
    width: int,
    height: int | None,
    marks: Marks,
    order: str,
    processes: bool,
    message: str,
    lost: int | None,
) -> None:
    scene = scene_of(count, 3, order=order, processes=processes, message=message, snapshot=machine(count, lost=lost))
    text = "\n".join(picture(scene, width, height, marks))
    allowed = _figures(count)
    if lost is not None and lost < count:
        well = [567 + index for index in range(count) if index != lost]
        allowed |= {str(sum(well)), f"{sum(well)}.0", str(789 * len(well)), f"{789 * len(well)}.0", str(len(well))}
        allowed |= {str(234 * len(well)), f"{234 * len(well)}.0", f"{210 * len(well)}.0", str(210 * len(well))}
        allowed |= {str(round(100 * sum(well) / (789 * len(well))))} if well else set()
    if count:
        allowed.add(str(round(100 * sum(567 + index for index in range(count)) / (789 * count))))
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
    gpus_age_s=st.floats(0, 1e6),
    gpus_stale=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(_SNAPSHOTS, st.integers(1, 240), st.one_of(st.none(), st.integers(1, 60)), st.sampled_from([UNICODE, ASCII]))
def test_any_machine_fits_any_terminal(snapshot: Snapshot, width: int, height: int | None, marks: Marks) -> None:
    scene = Scene(snapshot, ENGINES)
    for _ in range(2):
        scene.history.note(snapshot)
        picture(scene, width, height, marks)
    assert cells(one_line(snapshot, ENGINES, marks, width)) <= width
    assert one_line(snapshot, ENGINES, marks)


def test_used_by_others_by_us_and_free_differ_without_colour_and_without_unicode() -> None:
    for marks, signs in ((UNICODE, "█▓░"), (ASCII, "#=.")):
        line = next(line for line in picture(scene_of(1), 60, 10, marks) if "Alpha" in line)
        bar = line.split()[1]
        assert list(dict.fromkeys(bar)) == list(signs)
        # 567 used of 789, 234 of them ours, 222 free.
        assert [round(bar.count(sign) / len(bar), 1) for sign in signs] == [0.4, 0.3, 0.3]


def test_what_a_driver_keeps_for_itself_is_not_drawn_as_free() -> None:
    gpu = Gpu(0, "GPU-0", "NVIDIA Alpha", "nvidia", 100 * GIB, 40 * GIB, 20 * GIB)
    line = picture(Scene(Snapshot(1.0, (gpu,))), 60, 10)[0]
    assert round(line.count("░") / (line.count("█") + line.count("░")), 1) == 0.2
    assert "20.0 free" not in line
    assert "20.0 free" in picture(Scene(Snapshot(1.0, (gpu,))), 100, 10)[0]


def test_a_lost_gpu_keeps_its_row_and_says_so() -> None:
    lines = picture(Scene(machine(2, lost=1)), 80, 24)
    assert "lost: it has fallen off the bus" in next(line for line in lines if "1 Alpha" in line)
    narrow = next(line for line in picture(Scene(machine(2, lost=1)), 40, 10) if "1 Alpha" in line)
    assert narrow.strip().startswith("1 Alpha lost: it has")
    assert narrow.endswith("…")


def test_instances_of_a_divided_card_are_rows_of_their_own_and_are_not_counted_twice() -> None:
    card = Gpu(0, "GPU-0", "NVIDIA A100-SXM4-80GB", "nvidia", 80 * GIB, 32 * GIB, 47 * GIB, divided=True)
    part = Gpu(
        0,
        "MIG-1",
        "NVIDIA A100-SXM4-80GB MIG 3g.40gb",
        "nvidia",
        40 * GIB,
        30 * GIB,
        10 * GIB,
        parent="GPU-0",
        instance=1,
    )
    lines = picture(Scene(Snapshot(1.0, (card, part), Ram(64 * GIB, 32 * GIB))), 80, 24)
    assert lines[0].split()[:2] == ["0", "A100"]
    assert any(line.split()[:2] == ["0:1", "3g.40gb"] for line in lines)
    assert picture(Scene(Snapshot(1.0, (card, part), Ram(64 * GIB, 32 * GIB))), 40, 1) == [" A100 32/80G · RAM 32/64G"]


def test_sleeping_hidden_and_stale_gpus_are_quiet() -> None:
    asleep = replace(machine(1).gpus[0], asleep=True, used_bytes=None, total_bytes=None)
    line = picture(Scene(Snapshot(1.0, (asleep,))), 80, 10)[0]
    assert "asleep" in line
    hidden = replace(machine(1).gpus[0], cuda_visible=False)
    assert "hidden" in picture(Scene(Snapshot(1.0, (hidden,))), 120, 10)[0]
    stale = replace(machine(1), gpus_stale=True, gpus_age_s=12.3)
    drawn = frame(Scene(stale), 80, 10, UNICODE)
    assert "has not answered for 12 s" in text_of(drawn[0])
    assert ("Alpha", "dim") in drawn[1]


def test_a_driver_that_fails_is_told_in_words_beside_the_ram() -> None:
    words = "the NVIDIA driver was updated, but the old one is still running: restart the machine"
    snapshot = replace(machine(0), nvml_error=words)
    for width, height in SIZES:
        lines = picture(Scene(snapshot), width, height)
        assert "RAM" in "\n".join(lines)
        assert lines[0].strip().startswith("the NVIDIA driver was")
    assert " ".join(" ".join(picture(Scene(snapshot), 40, 10)).split()).startswith(words)
    assert "no GPU here" in picture(Scene(machine(0)), 40, 10)[0]
    assert "asking the graphics driver" in picture(Scene(replace(machine(0), gpus_age_s=0.3)), 40, 10)[0]


def test_processes_are_sorted_and_joined_over_gpus() -> None:
    gpus = machine(3).gpus
    found = holders(gpus)
    assert (found[0].pid, found[0].used_bytes, found[0].gpus, found[0].mine) == (700001, 702 * GIB, (0, 1, 2), True)
    assert (found[-1].pid, found[-1].used_bytes) == (None, 630 * GIB)
    assert [holder.pid for holder in holders(gpus, "pid")[:4]] == [700001, 800000, 800001, 800002]
    assert [holder.user for holder in holders(gpus, "user")[:2]] == ["ana", "ben"]
    text = picture(Scene(Snapshot(1.0, gpus)), 80, None)
    assert any("700001" in line and line.rstrip().endswith("0-2") for line in text)


def test_a_line_for_a_status_bar() -> None:
    two = machine(2, names=("NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 4090"))
    assert one_line(two, ENGINES[:1], UNICODE) == "H100 567/789G 100% · 4090 568/789G 100% · RAM 238/1511G · 61 tok/s"
    assert one_line(two, ENGINES, ASCII).endswith(" | RAM 238/1511G | 2 engines 61 tok/s")
    assert one_line(machine(8), (), UNICODE) == "8×Alpha 4564/6312G 100% · RAM 238/1511G"
    assert one_line(machine(8), (), UNICODE, 20) == "RAM 238/1511G"
    assert one_line(machine(0), (), UNICODE) == "RAM 238/1511G"
    assert one_line(replace(machine(0), nvml_error="x: y"), (), UNICODE) == "NVIDIA driver fails · RAM 238/1511G"
    assert one_line(machine(1, lost=0), (), UNICODE) == "Alpha lost · RAM 238/1511G"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA A100-SXM4-40GB", "A100"),
        ("NVIDIA GeForce RTX 4090", "4090"),
        ("NVIDIA GeForce GTX 1080 Ti", "1080 Ti"),
        ("Tesla T4", "T4"),
        ("AMD Radeon RX 7900 XTX", "RX 7900 XTX"),
        ("NVIDIA GH200 480GB", "GH200"),
        ("NVIDIA", "GPU"),
        ("", "GPU"),
        (None, "GPU"),
    ],
)
def test_cards_have_short_names(name: str | None, short: str) -> None:
    assert short_name(name, "…") == short


def test_words_are_cut_between_numbers_only() -> None:
    assert clip("Qwen3-30B", 8, "…") == "Qwen3-…"
    assert clip("Qwen3-30B", 9, "…") == "Qwen3-30B"
    assert clip("error 999999", 9, "…") == "error…"
    assert clip("漢字漢字", 5, "…") == "漢字…"
    assert clip("1234", 3, "…") == "…"
    assert clip("abc", 0, "…") == ""
    assert wrapped("one two three four", 9, "…", 2) == ["one two", "three…"]


def test_figures_are_written_as_people_say_them() -> None:
    assert share(49 * GIB, 80 * GIB, "–", fine=False) == "49/80"
    assert share(int(3.1 * GIB), 8 * GIB, "–", fine=False) == "3.1/8.0"
    assert share(None, 24 * GIB, "–", fine=True) == "–/24.0"
    assert share(0, 0, "–", fine=False) == "0.0/0.0"
    assert [tokens(count) for count in (0, 812, 3174, 16384, 131072, 200000)] == [
        "0",
        "812",
        "3.1k",
        "16k",
        "128k",
        "195k",
    ]
    assert [rate(speed, "–") for speed in (None, 4.25, 61.4, float("nan"))] == ["–", "4.2", "61", "–"]


def test_a_graph_is_as_wide_and_high_as_asked() -> None:
    assert graph(bytes([0, 50, 100]), 5, UNICODE.levels) == ["  ▁▄█"]
    assert graph(bytes([0, 50, 100]), 3, UNICODE.levels, 2) == ["  █", "▁██"]
    assert graph(bytes([255, 100]), 2, ASCII.levels) == [" #"]
    history = History()
    for count in (2, 2, 1):
        history.note(machine(count))
    assert history.busy("GPU-0", 4, UNICODE) == [" ███"]
    assert history.busy("GPU-1", 4, UNICODE) == ["    "]


def test_colours_are_the_terminals_sixteen_and_can_be_left_out() -> None:
    lines = frame(scene_of(2), 80, 24, UNICODE)
    coloured = "\n".join(paint(line, COLOURS) for line in lines)
    assert set(re.findall(r"\x1b\[([\d;]*)m", coloured)) <= {"0", "1", "2", "31", "33", "34", "36", "2;34"}
    plain = "\n".join(paint(line, MONOCHROME) for line in lines)
    assert set(re.findall(r"\x1b\[([\d;]*)m", plain)) <= {"0", "1", "2"}
    assert "\x1b" not in "\n".join(paint(line, PLAIN) for line in lines)


def test_help_and_messages_take_the_last_rows() -> None:
    lines = picture(scene_of(2, message="a b c d e f g h i j k l m n o p q r s t"), 12, 6)
    assert lines[-1].strip().endswith("…") or "t" in lines[-1]
    assert lines[0].split()[-1] == "72%"
    assert picture(scene_of(2, message="paused"), 40, 10)[-1].strip() == "paused"
