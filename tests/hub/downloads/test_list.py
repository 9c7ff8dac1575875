"""The list as a whole: everything paused at once, what leaves it, who is told of changes, how many run at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from tests.hub.conftest import Serve
from tests.hub.downloads.conftest import Open, item
from tests.hub.downloads.test_control import repos, slow, states, wait_until
from tests.rigs.hub import Answer, Stall
from tui.config.paths import Paths
from tui.hub.downloads.persistence import Persistence
from tui.hub.downloads.queue import Queue
from tui.hub.downloads.values import Entry, Wanted

KIB, MIB = 1 << 10, 1 << 20


@dataclass(slots=True)
class Seen:
    """What a watch was told."""

    told: list[tuple[tuple[Entry, ...], str]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, entries: tuple[Entry, ...], problem: str) -> None:
        with self.changed:
            self.told.append((entries, problem))
            self.changed.notify_all()

    def wait(self, *wanted: str) -> None:
        """Until the list's states, in order, are these."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: bool(self.told) and [entry.state for entry in self.told[-1][0]] == list(wanted), 60
            ), self.told[-1:]


def parts(cache: Path) -> list[Path]:
    return list((cache.parent / "puna-parts").glob("*.part"))


def test_everything_rests_and_goes_on_together(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(3))
    slow(loopback)
    downloads, told = open_downloads(hub)
    added = [downloads.add(item(hub, f"org/m{number}")) for number in range(3)]
    told.moving()
    downloads.pause_all()
    assert set(states(downloads).values()) == {"paused"}
    wait_until(lambda: all(entry.owner is None for entry in downloads.entries()))
    loopback.heal()
    downloads.resume_all()
    assert {told.end(one.id).event for one in added} == {"done"}
    downloads.pause_all()
    assert set(states(downloads).values()) == {"done"}, "what has ended does not rest"


def test_finished_ones_leave_the_list_and_their_files_stay(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(2))
    loopback.fail("cdn", Stall(after=64 * KIB), within="m1")
    downloads, told = open_downloads(hub)
    done = downloads.add(item(hub, "org/m0"))
    path = Path(told.end(done.id).message or "")
    downloads.add(item(hub, "org/m1"))
    downloads.clear()
    assert [entry.item.repo for entry in downloads.entries()] == ["org/m1"]
    assert path.exists()


def test_what_is_dropped_leaves_the_list_and_goes_on_when_it_is_asked_for_again(
    serve: Serve, open_downloads: Open, cache: Path, puna_home: Paths
) -> None:
    loopback, hub = serve(*repos(2))
    loopback.fail("cdn", Stall(after=256 * KIB), times=1)
    downloads, told = open_downloads(hub)
    added = downloads.add(item(hub, "org/m0"))
    told.wait(lambda event: event.done_bytes >= 128 * KIB)
    downloads.drop(added.id)
    assert downloads.entries() == ()
    wait_until(lambda: Queue(puna_home).owner(added.id) is None)
    (part,) = parts(cache)
    kept = part.stat().st_size
    other = downloads.add(item(hub, "org/m1"))
    told.end(other.id)
    downloads.add(item(hub, "org/m0"))
    assert told.end(added.id).event == "done"
    starts = [seen.request.headers["range"] for seen in loopback.seen("cdn")]
    assert starts[-1] == f"bytes={kept}-{MIB - 1}"
    assert list(states(downloads)) == ["org/m1", "org/m0"], "it comes at the end again"


def test_a_watch_is_told_of_every_change_once_whoever_makes_it(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(2))
    slow(loopback)
    seen = Seen()
    open_downloads(hub, watch=seen)
    second, _ = open_downloads(hub, run=False)
    seen.wait()
    added = [second.add(item(hub, f"org/m{number}")) for number in range(2)]
    seen.wait("running", "running")
    second.pause(added[0].id)
    seen.wait("paused", "running")
    second.move(added[0].id, 1)
    seen.wait("running", "paused")
    second.pause(added[1].id)
    seen.wait("paused", "paused")
    loopback.heal()
    second.resume_all()
    seen.wait("done", "done")
    second.clear()
    seen.wait()
    assert all(before != after for before, after in zip(seen.told, seen.told[1:], strict=False))


def test_a_list_that_cannot_be_read_is_told_with_what_it_was(
    serve: Serve, open_downloads: Open, puna_home: Paths
) -> None:
    _, hub = serve(*repos(1))
    seen = Seen()
    downloads, _ = open_downloads(hub, watch=seen)
    downloads.add(item(hub, "org/m0"))
    seen.wait("done")
    puna_home.downloads_file.unlink()
    puna_home.downloads_file.mkdir()
    wait_until(lambda: seen.told[-1][1])
    entries, problem = seen.told[-1]
    assert [entry.state for entry in entries] == ["done"]
    assert "downloads.json" in problem
    puna_home.downloads_file.rmdir()
    wait_until(lambda: not seen.told[-1][1])


def test_two_that_fetch_whatever_there_is_keep_to_the_number_together(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(3))
    slow(loopback)
    first, told = open_downloads(hub)
    for number in range(3):
        first.add(item(hub, f"org/m{number}"))
    told.moving()
    seen = Seen()
    _, also_told = open_downloads(hub, watch=seen)
    also_told.wait(lambda event: "another puna" in (event.message or ""))
    seen.wait("running", "running", "queued")
    first.pause_all()
    seen.wait("paused", "paused", "paused")
    loopback.heal()
    first.resume_all()
    seen.wait("done", "done", "done")


def test_of_those_that_left_only_the_last_are_remembered(puna_home: Paths) -> None:
    from tests.hub.downloads.test_queue import made
    from tui.hub.downloads.queue import KEPT

    queue = Queue(puna_home)
    for number in range(KEPT + 2):
        queue.put(made(number, outcome="kept"))
    assert len(queue.read()) == KEPT
    assert queue.read()[0].files == (Wanted("m2-Q4_K_M.gguf", 1000, f"{2:064x}"),)


def test_who_hurries_does_not_wait_for_the_next_try(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(1))
    loopback.fail("cdn", Answer(503), times=1)
    downloads, told = open_downloads(hub, persistence=Persistence(first_pause_s=600.0, longest_pause_s=600.0))
    added = downloads.add(item(hub, "org/m0"))
    told.wait(lambda event: event.event == "retry")

    def hurried() -> bool:
        downloads.hurry(added.id)
        return any(event.event == "done" for event in told.events)

    wait_until(hurried)
