"""The pieces that a download is made of: the part on disk, its limits, and what is told of it."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from tui.hub.downloads import part as parts
from tui.hub.downloads.digest import sha256_of
from tui.hub.downloads.errors import DiskTrouble, NoSpace
from tui.hub.downloads.part import open_part, part_bytes, part_path
from tui.hub.downloads.persistence import Persistence, persist
from tui.hub.downloads.space import RESERVE_BYTES, Room, check_room, look
from tui.hub.downloads.speed import Speed, eta_s
from tui.hub.downloads.stop import Stop
from tui.hub.downloads.teller import Teller
from tui.hub.downloads.throttle import Throttle
from tui.hub.downloads.values import Event, Item, Wanted
from tui.hub.errors import Cancelled, HubTrouble, NotFound, RateLimited, Unreachable

MIB = 1 << 20
WANTED = Wanted("m.gguf", 1000, "a" * 64)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def write(folder: Path, data: bytes, wanted: Wanted = WANTED) -> None:
    with open_part(folder, wanted, Stop()) as part:
        part.write(data)


def test_a_part_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write(tmp_path, b"a" * 300)
    with open_part(tmp_path, WANTED, Stop()) as part:
        assert part.length == part_bytes(tmp_path, WANTED) == 300
        part.write(b"b" * 10)
    assert part_path(tmp_path, WANTED).read_bytes() == b"a" * 300 + b"b" * 10


def test_after_a_reboot_only_what_had_surely_reached_the_disk_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = tmp_path / "boot_id"
    boot.write_text("first\n")
    monkeypatch.setattr(parts, "_BOOT", boot)
    monkeypatch.setattr(parts, "SYNC_BYTES", 100)
    folder = tmp_path / "parts"
    with open_part(folder, WANTED, Stop()) as part:
        part.write(b"a" * 120)  # the disk is waited for, beside
        part.write(b"b" * 50)
    assert part_bytes(folder, WANTED) == 170
    with open_part(folder, WANTED, Stop()) as part:
        assert part.length == 170, "this machine runs on"
    boot.write_text("second\n")
    with open_part(folder, WANTED, Stop()) as part:
        assert part.length == 120
    assert part_bytes(folder, WANTED) == 120


@pytest.mark.parametrize("mark", ["", "nonsense", "first x", "\0"])
def test_a_damaged_mark_is_no_reason_to_fetch_again(tmp_path: Path, mark: str) -> None:
    write(tmp_path, b"a" * 300)
    (tmp_path / f"{WANTED.sha256}.synced").write_text(mark)
    with open_part(tmp_path, WANTED, Stop()) as part:
        assert part.length == 300


def test_a_part_that_is_too_long_is_cut(tmp_path: Path) -> None:
    part_path(tmp_path, WANTED).write_bytes(b"a" * 5000)
    with open_part(tmp_path, WANTED, Stop()) as part:
        assert part.length == 1000


def test_who_waits_for_a_part_can_be_stopped(tmp_path: Path) -> None:
    stop = Stop()
    with open_part(tmp_path, WANTED, Stop()):
        threading.Timer(0.05, stop.set).start()
        with pytest.raises(Cancelled), open_part(tmp_path, WANTED, stop):
            raise AssertionError("it is taken")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskTrouble, match="in the way"), open_part(tmp_path / "file" / "parts", WANTED, Stop()):
        raise AssertionError("there is no folder")


def test_the_sum_is_that_of_the_file_and_can_be_stopped(tmp_path: Path) -> None:
    file, seen = tmp_path / "file", list[int]()
    file.write_bytes(os.urandom(3 * MIB + 1))
    assert sha256_of(file, Stop(), seen.append) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert seen == [MIB, 2 * MIB, 3 * MIB, 3 * MIB + 1]
    stop = Stop()
    stop.set()
    with pytest.raises(Cancelled):
        sha256_of(file, stop, seen.append)


def test_the_limit_is_a_rate_with_a_short_burst() -> None:
    clock = Clock()
    throttle = Throttle(1000, clock)
    assert [round(throttle.due(100), 3) for _ in range(3)] == [0.0, 0.1, 0.2]
    clock.now += 60
    assert throttle.due(100) == pytest.approx(0.0), "a pause is no credit"
    assert throttle.due(1000) == pytest.approx(1.0)
    throttle.bytes_s = 0
    assert throttle.due(10**9) == 0.0


def test_a_low_limit_is_kept_in_small_pieces() -> None:
    throttle = Throttle()
    sizes = []
    for rate in (0, 50 << 10, MIB, 100 * MIB):
        throttle.bytes_s = rate
        sizes.append(throttle.at_once())
    assert sizes == [256 << 10, 16 << 10, round(0.1 * MIB), 256 << 10]


def test_speed_is_that_of_the_last_seconds() -> None:
    clock = Clock()
    speed = Speed(clock)
    assert speed.rate() is None
    for _ in range(20):
        clock.now += 1
        speed.add(1000)
        rate = speed.rate()
    assert rate == 1000
    for _ in range(10):
        clock.now += 1
        rate = speed.rate()
    assert (rate, eta_s(100, rate), eta_s(100, None), eta_s(500, 1000)) == (0, None, None, 0.5)


def test_progress_is_told_now_and_then_and_the_last_of_it_always() -> None:
    clock, told = Clock(), list[Event]()
    teller = Teller(made(), told.append, clock)
    for done in range(0, 1001, 10):
        teller.fetched(done, 10)
        clock.now += 0.05
    assert (told[0].done_bytes, told[-1].done_bytes) == (0, 1000)
    assert 15 < len(told) < 30
    assert told[-1].bytes_s == pytest.approx(200, rel=0.1)
    teller.pulse()
    assert len(told) < 30, "not at once"
    clock.now += 1
    teller.pulse()
    assert told[-1].done_bytes == 1000
    teller.done("there")
    count = len(told)
    clock.now += 9
    teller.pulse()
    assert len(told) == count


def made() -> Item:
    return Item(id="x", name="org/m", repo="org/m", commit="c" * 40, revision="main", files=(WANTED,))


def room(device: int, free: int) -> Room:
    return Room(device, free + RESERVE_BYTES)


def test_room_is_counted_a_disk_at_a_time() -> None:
    disks = {Path("/a"): room(1, 100), Path("/b"): room(1, 100), Path("/c"): room(2, 10**9)}
    check_room(Path("/a"), 60, [(Path("/c"), 10**6)], disks.get)
    check_room(Path("/a"), 60, [(Path("/b"), 40)], disks.get)
    with pytest.raises(NoSpace, match=r"needs 60 B and what is ahead in the queue 41 B.*free 1 B more"):
        check_room(Path("/a"), 60, [(Path("/b"), 41)], disks.get)
    check_room(Path("/a"), 0, [(Path("/b"), 10**9)], disks.get)
    check_room(Path("/unknown"), 10**12, [], disks.get)


def test_the_disk_of_a_folder_that_is_not_there_yet_is_looked_at(tmp_path: Path) -> None:
    found = look(tmp_path / "not" / "there")
    assert found is not None
    assert found.device == tmp_path.stat().st_dev


@pytest.mark.parametrize(
    ("error", "failures", "pause_s"),
    [
        (HubTrouble(""), 1, 1.0),
        (HubTrouble(""), 4, 8.0),
        (HubTrouble(""), 11, 60.0),
        (HubTrouble(""), 12, None),
        (Unreachable(""), 1, 1.0),
        (NotFound(""), 1, None),
        (RateLimited("", 30), 1, 31.0),
        (RateLimited("", 3000), 1, None),
        (RateLimited("", None), 2, 2.0),
    ],
)
def test_pauses(error: HubTrouble, failures: int, pause_s: float | None) -> None:
    assert Persistence().pause_s(error, failures) == pause_s


def test_failures_count_only_while_nothing_comes() -> None:
    done = [0]
    told: list[tuple[str, float]] = []

    def work() -> str:
        done[0] += 1
        if done[0] < 30:
            raise HubTrouble("trouble; try again")
        return "done"

    quick = Persistence(tries=3, first_pause_s=0.0)
    assert persist(work, quick, Stop(), lambda why, pause_s: told.append((why, pause_s)), lambda: done[0]) == "done"
    assert told == [("trouble", 0.0)] * 29
    done[0] = 0
    with pytest.raises(HubTrouble):
        persist(work, quick, Stop(), lambda why, pause_s: None)
    assert done[0] == 3
