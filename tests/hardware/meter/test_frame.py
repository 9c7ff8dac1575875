"""The monitor's pictures as values: what is told at each size, and in which words."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import permutations

import pytest

from tests.hardware.meter.machines import ENGINES, GIB, machine, picture, scene_of
from tui.cli.meter.live import HELP
from tui.cli.meter.paint import COLOURS, MONOCHROME, PLAIN, paint
from tui.hardware.history import RAM
from tui.hardware.meter.frame import Scene, frame
from tui.hardware.meter.holders import holders
from tui.hardware.meter.marks import ASCII, UNICODE, Marks, text_of
from tui.hardware.meter.oneline import one_line
from tui.hardware.snapshot import Disk, EngineMemory, Gpu, GpuProcess, Ram, Snapshot

SIZES = [(30, 4), (40, 10), (80, 24), (200, 50)]


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
    for word in ("memory", "busy", "222.0 free", "1234W", "91°", "1980MHz mem 10501MHz", "CUDA0"):
        assert word in text
    for word in ("swap", "192 of 256 cores", "88%", "disk", "3210/4567 GiB", "1357 free"):
        assert word in text
    for word in (
        "pid",
        "user",
        "process",
        "engine",
        "tok/s",
        "context",
        "foreign process",
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
    lines = picture(scene_of(count, processes=0), 10, 2)
    ram = next(line for line in lines if "RAM" in line)
    assert ram.split() == ["RAM", "16%"]
    assert count == 0 or lines[0].split()[-1] in ("72%", "73%")


def test_a_picture_after_others_is_the_one_that_would_have_been_the_first() -> None:
    usual = machine(2)
    busier = replace(usual, gpus=(replace(usual.gpus[0], utilization=7), usual.gpus[1]))
    renamed = replace(usual, gpus=(replace(usual.gpus[0], name="NVIDIA Beta"), usual.gpus[1]))
    snapshots = [usual, busier, renamed, replace(usual, gpus_stale=True), machine(2, lost=0), machine(1), machine(3)]
    looks: list[tuple[Snapshot, int, int, Marks, dict[str, int]]]
    looks = [(snapshot, 120, 40, UNICODE, {}) for snapshot in snapshots]
    looks += [(usual, width, height, UNICODE, {}) for width, height in [*SIZES, (119, 40), (140, 40), (120, 9)]]
    looks += [
        (usual, 120, 40, ASCII, {}),
        (usual, 120, 40, UNICODE, {"GPU-0": GIB}),
        (usual, 120, 40, UNICODE, {RAM: GIB}),
    ]
    kept = Scene(usual)
    for before, after in permutations(looks, 2):
        for snapshot, width, height, marks, ghost in (before, after):
            kept.snapshot, kept.ghost = snapshot, ghost
            drawn = frame(kept, width, height, marks)
            assert drawn == frame(Scene(snapshot, ghost=ghost), width, height, marks)


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


@pytest.mark.parametrize("marks", [UNICODE, ASCII])
@pytest.mark.parametrize("count", [1, 3, 8, 16])
@pytest.mark.parametrize(
    ("width", "height"), [(10, 2), (30, 2), (30, 3), (30, 4), (40, 10), (40, 18), (80, 1), (200, 5)]
)
def test_old_figures_are_told_as_such_however_small_the_terminal(
    width: int, height: int, count: int, marks: Marks
) -> None:
    old = replace(machine(count), gpus_stale=True, gpus_age_s=7.4)
    text = "\n".join(picture(Scene(old), width, height, marks))
    assert "7 s" in text
    assert "RAM" in text
    if height > count + 1:
        # Nobody else loses a row to it.
        assert all(f" {567 + index}" in text for index in range(count))
    if width < 36:
        assert "7 s old" in text
    assert one_line(old, (), marks).count("(7 s old)") == 1
    assert "old" not in one_line(machine(count), (), marks)


def test_a_card_that_refuses_is_not_called_lost() -> None:
    snapshot = machine(16)
    silent = replace(snapshot.gpus[0], error="no permission to read it", used_bytes=None)
    text = "\n".join(picture(Scene(replace(snapshot, gpus=(silent, *snapshot.gpus[1:]))), 30, 4))
    assert "16×Alpha (1 error)" in text
    lost = replace(silent, error="lost: it has fallen off the bus")
    text = "\n".join(picture(Scene(replace(snapshot, gpus=(lost, *snapshot.gpus[1:]))), 30, 4))
    assert "16×Alpha (1 lost)" in text


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


def test_a_card_that_is_left_alone_says_that_it_is_idle_and_since_when_that_is_known() -> None:
    idle = replace(machine(1).gpus[0], utilization=0, processes=(), idle_s=12)
    for width, words in ((30, " idle"), (40, " idle"), (80, " idle 12s"), (200, " idle 12s")):
        line = next(line for line in picture(Scene(Snapshot(1.0, (idle,))), width, 10) if "Alpha" in line)
        assert words in line
        assert "0%" not in line
    assert one_line(Snapshot(1.0, (idle,)), (), UNICODE).startswith("Alpha 567/789G idle")


def disk_row(free: int | None, width: int, height: int) -> list[tuple[str, str]]:
    """The spans of the row that tells of the disk; none where there is no such row."""
    disk = Disk(930 * GIB, free) if free is not None else Disk()
    lines = frame(scene_of(2, snapshot=replace(machine(2), disk=disk)), width, height, UNICODE)
    return next((line for line in lines if text_of(line).strip().startswith("disk")), [])


def test_the_disk_is_told_where_there_is_room_and_earlier_when_it_is_nearly_full() -> None:
    for width, height in ((80, 24), (160, 45), (200, 50)):
        row = disk_row(412 * GIB, width, height)
        assert "518.0/930.0 GiB" in text_of(row)
        assert "412.0 free" in text_of(row)
        assert {"warn", "bad"}.isdisjoint(role for _, role in row)
    assert disk_row(412 * GIB, 40, 10) == []
    # 3 % are left, and that is plenty.
    assert "warn" not in {role for _, role in disk_row(27 * GIB, 80, 24)}
    for width, height in ((40, 10), (80, 24), (200, 50)):
        row = disk_row(4 * GIB, width, height)
        assert "926" in text_of(row)
        assert "warn" in {role for _, role in row}
        assert ("only 4.0 free" in text_of(row)) == (width >= 80)
    assert "does not answer" in text_of(disk_row(None, 80, 24))


def test_who_is_foreign_and_who_only_has_no_name_is_told() -> None:
    strangers = (
        GpuProcess(5, None, None, 3 * GIB, False, foreign=True),
        GpuProcess(6, None, "ana", 2 * GIB, False),
    )
    gpu = replace(machine(1).gpus[0], processes=strangers)
    text = "\n".join(picture(Scene(Snapshot(1.0, (gpu,))), 80, 24))
    assert re.search(r"5 +foreign process +3\.0", text)
    assert re.search(r"6 +ana +unnamed +2\.0", text)


def test_memory_of_our_engines_is_ours_in_ram_and_mapped_models_are_told_apart() -> None:
    snapshot = replace(
        machine(2),
        ram=Ram(512 * GIB, 64 * GIB, 128 * GIB, "cgroup"),
        engines=(EngineMemory(700001, anon_bytes=32 * GIB, file_bytes=7 * GIB, shared_bytes=0),),
    )
    for height in (50, 9):  # with histories below the lines, and within them
        line = next(line for line in picture(Scene(snapshot), 200, height) if "RAM" in line)
        assert "64.0/128.0 GiB" in line
        assert "limit; the machine has 512.0, engines 32.0, mapped models 7.0" in line
        bar = line.split()[1]
        assert all(
            abs(bar.count(sign) / len(bar) - part) < 0.02 for sign, part in zip("█▓░", (0.25, 0.25, 0.5), strict=True)
        )


def test_a_driver_that_fails_is_told_in_words_beside_the_ram() -> None:
    words = "the NVIDIA driver was updated, but the old one is still running: restart the machine"
    snapshot = replace(machine(0), nvml_error=words)
    for width, height in SIZES:
        lines = picture(Scene(snapshot), width, height)
        assert "RAM" in "\n".join(lines)
        assert lines[0].strip().startswith("the NVIDIA driver was")
    assert " ".join(" ".join(picture(Scene(snapshot), 40, 10)).split()).startswith(words)
    assert picture(Scene(machine(0)), 40, 10)[0].strip() == "no GPU here: models run in RAM"
    assert "only GPU memory is listed by process" in picture(Scene(machine(0)), 80, 24)[0]
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
    assert one_line(replace(machine(0), nvml_error="x: y"), (), UNICODE) == "GPU driver fails · RAM 238/1511G"
    assert one_line(machine(1, lost=0), (), UNICODE) == "Alpha lost · RAM 238/1511G"


def test_colours_are_the_terminals_sixteen_and_can_be_left_out() -> None:
    lines = frame(scene_of(2), 80, 24, UNICODE)
    coloured = "\n".join(paint(line, COLOURS) for line in lines)
    assert set(re.findall(r"\x1b\[([\d;]*)m", coloured)) <= {"0", "1", "2", "31", "33", "34", "36", "2;34"}
    plain = "\n".join(paint(line, MONOCHROME) for line in lines)
    assert set(re.findall(r"\x1b\[([\d;]*)m", plain)) <= {"0", "1", "2"}
    assert "\x1b" not in "\n".join(paint(line, PLAIN) for line in lines)


def test_help_and_messages_take_the_last_rows() -> None:
    lines = picture(scene_of(2, help=HELP), 40, 10)
    assert lines[0].startswith(" 0 Alpha")
    assert lines[-1].strip() == "any other key closes this"
    assert "q quit   p or space pause" in [line.strip() for line in lines]
    tiny = picture(scene_of(2, help=HELP), 12, 6)
    assert (tiny[0].split()[0], tiny[1]) == ("RAM", "q quit")
    assert picture(scene_of(2, message="paused"), 40, 10)[-1].strip() == "paused"


def test_without_a_gpu_the_rows_that_are_left_hold_the_history_of_ram() -> None:
    for width in (80, 120):
        text = picture(scene_of(0, engines=()), width, 24)
        assert any("memory " in line and "busy " in line for line in text), width
    assert any("▁" in line or "█" in line for line in picture(scene_of(0, engines=()), 40, 10)[2:])
