"""Several downloads at once, and what a person does with them."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest

from tests.hub.conftest import Serve
from tests.hub.downloads.conftest import Open, item
from tests.rigs.hub import Answer, Content, LoopbackHub, Repo, Slow, Stall, gguf_bytes, of_bytes, with_hole
from tui.config.errors import ConfigError
from tui.config.paths import Paths
from tui.config.settings import DownloadSettings
from tui.hub.choice import locate
from tui.hub.client import Hub
from tui.hub.downloads.control import Downloads
from tui.hub.downloads.errors import NoSpace
from tui.hub.downloads.limit import SharedLimit
from tui.hub.downloads.persistence import Persistence
from tui.hub.downloads.queue import Queue
from tui.hub.downloads.space import RESERVE_BYTES, Room
from tui.hub.downloads.throttle import Throttle
from tui.hub.downloads.values import Item, beside

KIB, MIB = 1 << 10, 1 << 20


def content(seed: int, size: int = MIB) -> Content:
    return of_bytes(gguf_bytes(size, seed))


def repos(count: int) -> list[Repo]:
    return [Repo(f"org/m{number}", {f"m{number}-Q4_K_M.gguf": content(number)}) for number in range(count)]


def states(downloads: Downloads) -> dict[str, str]:
    return {entry.item.name.partition(":")[0]: entry.state for entry in downloads.entries()}


def slow(loopback: LoopbackHub, within: str = "") -> None:
    """From here on a MiB takes 4 seconds, so that a test can look at it."""
    loopback.fail("cdn", Slow(256 * KIB), within=within)


def test_two_at_once_in_the_order_of_the_queue(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(4))
    loopback.fail("cdn", Stall(after=64 * KIB), times=2)
    downloads, told = open_downloads(hub, run=False)
    wanted = [downloads.add(item(hub, f"org/m{number}")) for number in range(4)]
    downloads.move(wanted[3].id, -3)
    downloads.start()
    for first in (wanted[3].id, wanted[0].id):
        told.moving(first)
    assert states(downloads) == {"org/m3": "running", "org/m0": "running", "org/m1": "queued", "org/m2": "queued"}
    downloads.pause(wanted[3].id)
    downloads.pause(wanted[0].id)
    assert {told.end(wanted[number].id).event for number in (1, 2)} == {"done"}
    assert states(downloads)["org/m0"] == "paused"


def test_the_shards_of_a_model_are_one_item(serve: Serve, open_downloads: Open) -> None:
    files = {f"Q8_0/m-Q8_0-0000{number}-of-00003.gguf": content(number, MIB + number) for number in (1, 2, 3)}
    loopback, hub = serve(Repo("org/m", files))
    loopback.fail("cdn", Slow(8 * MIB), times=1)
    downloads, told = open_downloads(hub)
    downloads.add(item(hub))
    done = told.end()
    assert [event.event for event in told.events].count("done") == 1
    assert (done.file, done.total_bytes) == ("Q8_0/m-Q8_0-00001-of-00003.gguf", 3 * MIB + 6)
    folder = Path(done.message or "").parent
    assert [path.stat().st_size - MIB for path in sorted(folder.iterdir())] == [1, 2, 3]
    shown = [event.done_bytes for event in told.events if event.event == "progress"]
    assert shown == sorted(shown)


def test_a_projector_is_an_item_beside_its_model(serve: Serve, open_downloads: Open) -> None:
    files = {"m-Q4_K_M.gguf": content(1), "mmproj-F16.gguf": content(2)}
    _, hub = serve(Repo("org/m", files))
    chosen = locate(hub, "org/m")
    downloads, told = open_downloads(hub)
    added = [downloads.add(item(hub)), downloads.add(beside(chosen.files, chosen.files.projectors[0]))]
    paths = [Path(told.end(one.id).message or "") for one in added]
    assert [path.name for path in paths] == ["m-Q4_K_M.gguf", "mmproj-F16.gguf"]
    assert paths[0].parent == paths[1].parent


def test_a_file_that_two_items_want_is_fetched_once(serve: Serve, open_downloads: Open) -> None:
    same = content(1, 256 * KIB)
    loopback, hub = serve(Repo("org/a", {"a-Q4_K_M.gguf": same, "b-Q4_K_M.gguf": same}))
    slow(loopback)
    downloads, told = open_downloads(hub, run=False)
    added = [downloads.add(item(hub, f"{hub.endpoint}/org/a/blob/main/{name}-Q4_K_M.gguf")) for name in "ab"]
    downloads.start()
    told.moving()
    loopback.heal()
    assert [told.end(one.id).event for one in added] == ["done", "done"], told.messages("failed")
    assert loopback.count("cdn") == 1
    assert all(Path(told.end(one.id).message or "").stat().st_size == same.size for one in added)


def test_pause_keeps_and_resume_goes_on(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(1))
    slow(loopback)
    downloads, told = open_downloads(hub)
    added = downloads.add(item(hub, "org/m0"))
    told.wait(lambda event: event.done_bytes >= 64 * KIB)
    downloads.pause(added.id)
    wait_until(lambda: downloads.entries()[0].owner is None)
    (entry,) = downloads.entries()
    assert entry.state == "paused"
    loopback.heal()
    downloads.resume(added.id)
    assert told.end().event == "done"
    starts = [seen.request.headers["range"] for seen in loopback.seen("cdn")]
    assert starts == [f"bytes=0-{MIB - 1}", f"bytes={entry.done_bytes}-{MIB - 1}"], "nothing is asked for twice"


def test_cancel_is_heard_while_nothing_comes_and_leaves_nothing(
    serve: Serve, open_downloads: Open, cache: Path
) -> None:
    loopback, hub = serve(*repos(1))
    loopback.fail("cdn", Stall(after=256 * KIB))
    downloads, told = open_downloads(hub)
    added = downloads.add(item(hub, "org/m0"))
    told.moving()
    downloads.cancel(added.id)
    assert downloads.entries() == ()
    wait_until(lambda: not (cache.parent / "puna-parts").exists())
    assert [event.event for event in told.events if event.event in ("done", "failed")] == []


def test_cancel_of_what_waits_deletes_what_came_of_it(serve: Serve, open_downloads: Open, cache: Path) -> None:
    loopback, hub = serve(*repos(1))
    loopback.fail("cdn", Stall(after=256 * KIB))
    downloads, told = open_downloads(hub)
    added = downloads.add(item(hub, "org/m0"))
    told.moving()
    downloads.pause(added.id)
    wait_until(lambda: downloads.entries()[0].owner is None)
    assert list((cache.parent / "puna-parts").glob("*.part"))
    downloads.cancel(added.id)
    assert not (cache.parent / "puna-parts").exists()


def test_the_limit_holds_for_all_together(serve: Serve, open_downloads: Open) -> None:
    _, hub = serve(*repos(2))
    downloads, told = open_downloads(hub, settings=DownloadSettings(limit_mib_s=0.05))
    added = [downloads.add(item(hub, f"org/m{number}")) for number in range(2)]
    told.moving()
    # At this limit both would take 40 seconds.
    downloads.limit(0)
    assert {told.end(one.id).event for one in added} == {"done"}


def test_what_the_whole_queue_needs_counts_before_one_begins(serve: Serve, open_downloads: Open) -> None:
    _, hub = serve(*repos(3))
    room = Room(1, RESERVE_BYTES + 2 * MIB)
    downloads, _ = open_downloads(hub, run=False, look=lambda folder: room)
    for number in range(2):
        downloads.add(item(hub, f"org/m{number}"))
    with pytest.raises(NoSpace, match=r"needs 1 MiB|needs 1024 KiB"):
        downloads.add(item(hub, "org/m2"))
    assert len(downloads.entries()) == 2


def test_a_disk_that_fills_up_meanwhile_fails_the_item_and_keeps_the_part(serve: Serve, open_downloads: Open) -> None:
    _, hub = serve(*repos(1))
    rooms = [Room(1, RESERVE_BYTES + 2 * MIB), Room(1, RESERVE_BYTES)]
    downloads, told = open_downloads(hub, look=lambda folder: rooms.pop(0) if len(rooms) > 1 else rooms[0])
    added = downloads.add(item(hub, "org/m0"))
    failed = told.end()
    assert failed.event == "failed"
    assert "free" in (failed.message or "")
    rooms[:] = [Room(1, RESERVE_BYTES + 2 * MIB)]
    downloads.retry(added.id)
    told.wait(lambda event: event.event == "done")


def test_a_cache_that_may_not_be_written_is_told(serve: Serve, open_downloads: Open, tmp_path: Path) -> None:
    _, hub = serve(*repos(1))
    (tmp_path / "file").write_text("in the way")
    downloads, told = open_downloads(hub, cache=tmp_path / "file" / "hub")
    downloads.add(item(hub, "org/m0"))
    failed = told.end()
    assert failed.event == "failed"
    assert "a file is in the way of a folder" in (failed.message or "")


def test_a_chosen_folder_gets_the_file_under_its_repository(serve: Serve, open_downloads: Open, tmp_path: Path) -> None:
    loopback, hub = serve(*repos(1))
    folder = tmp_path / "models"
    downloads, told = open_downloads(hub)
    downloads.add(item(hub, "org/m0", str(folder)))
    assert told.end().message == str(folder / "org" / "m0" / "m0-Q4_K_M.gguf")
    assert sorted(path.name for path in folder.rglob("*")) == ["m0", "m0-Q4_K_M.gguf", "org"]
    assert loopback.count("cdn") == 1


def test_another_file_of_that_name_in_a_chosen_folder_stays(serve: Serve, open_downloads: Open, tmp_path: Path) -> None:
    _, hub = serve(*repos(1))
    target = tmp_path / "org" / "m0" / "m0-Q4_K_M.gguf"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x" * MIB)
    downloads, told = open_downloads(hub)
    downloads.add(item(hub, "org/m0", str(tmp_path)))
    failed = told.end()
    assert failed.event == "failed"
    assert "is another file" in (failed.message or "")
    assert target.read_bytes() == b"x" * MIB


def test_what_is_here_already_is_done_at_once(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(1))
    downloads, told = open_downloads(hub)
    added = downloads.add(item(hub, "org/m0"))
    told.end()
    told.events.clear()
    downloads.add(added)
    assert told.end().event == "done"
    assert loopback.count("cdn") == 1


def test_a_second_puna_sees_the_queue_follows_it_and_does_not_double_it(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(1))
    slow(loopback)
    first, told = open_downloads(hub)
    added = first.add(item(hub, "org/m0"))
    told.moving()
    second, also_told = open_downloads(hub)
    second.add(item(hub, "org/m0"))
    joined = also_told.wait(lambda event: event.event == "progress")
    assert "another puna" in (joined.message or "")
    assert [entry.state for entry in second.entries()] == ["running"]
    loopback.heal()
    second.pause(added.id)
    wait_until(lambda: first.entries()[0].owner is None)
    second.resume(added.id)
    assert (told.end().event, also_told.wait(lambda event: event.event == "done").event) == ("done", "done")
    asked = [int(seen.request.headers["range"][6:].partition("-")[0]) for seen in loopback.seen("cdn")]
    assert len(asked) == 2
    assert asked[1] > 0


def test_why_another_puna_waits_is_known_here_and_it_goes_on_when_it_is_asked_to(
    serve: Serve, open_downloads: Open
) -> None:
    loopback, hub = serve(*repos(1))
    loopback.fail("cdn", Answer(503))
    first, told = open_downloads(hub, persistence=Persistence(first_pause_s=600.0, longest_pause_s=600.0))
    ahead = 4e9  # of a clock that has been set back since
    added = first.add(msgspec.structs.replace(item(hub, "org/m0"), hurried=ahead))
    told.wait(lambda event: event.event == "retry")
    second, also_told = open_downloads(hub)
    waits = also_told.wait(lambda event: event.event == "retry")
    assert "trouble of its own" in (waits.message or "")
    assert 500 < (waits.again_s or 0) <= 600
    assert waits.tries == 1
    loopback.heal()
    second.hurry(added.id)
    assert (told.end().event, also_told.wait(lambda event: event.event == "done").event) == ("done", "done")


def test_what_is_no_model_is_told_and_stays(serve: Serve, open_downloads: Open) -> None:
    files = {"m-Q8_0-00001-of-00002.gguf": content(1), "m-Q8_0-00002-of-00002.gguf": of_bytes(b"<html>")}
    _, hub = serve(Repo("org/m", files))
    downloads, told = open_downloads(hub)
    added = downloads.add(item(hub))
    failed = told.end()
    assert failed.event == "failed"
    assert "00002-of-00002.gguf is not a GGUF file, and the hub has it like that; choose" in (failed.message or "")
    (entry,) = downloads.entries()
    assert (entry.state, entry.done_bytes) == ("failed", MIB + 6)
    downloads.cancel(added.id)
    assert Path(entry.item.path).stat().st_size == MIB


def test_every_process_takes_its_share_of_a_limit_that_may_change(puna_home: Paths) -> None:
    throttle = Throttle()
    limit = SharedLimit(puna_home, 8.0, throttle)
    shares = []
    for here, everywhere in ((1, 1), (1, 4), (0, 3)):
        limit.share(here, everywhere)
        shares.append(throttle.bytes_s)
    assert shares == [8 * MIB, 2 * MIB, 8 * MIB]
    puna_home.config_file.parent.mkdir(parents=True)
    puna_home.config_file.write_text("[downloads]\nlimit_mib_s = 3\n")
    limit.share(1, 2)
    for broken in ("theme = = 1\n", "[downloads]\nlimit_mib_s = 'fast'\n"):
        before = throttle.bytes_s
        puna_home.config_file.write_text(broken)
        limit.share(1, 2)
        assert throttle.bytes_s == before, "a slip in the file lifts no limit"
    assert throttle.bytes_s == 1.5 * MIB
    limit.set(0)
    assert throttle.bytes_s == 0


def test_what_one_closes_another_goes_on_with(serve: Serve, open_downloads: Open, puna_home: Paths) -> None:
    loopback, hub = serve(*repos(1))
    slow(loopback)
    first, told = open_downloads(hub)
    first.add(item(hub, "org/m0"))
    told.moving()
    first.close()
    assert Queue(puna_home).read()[0].open
    loopback.heal()
    _, also_told = open_downloads(hub)
    assert also_told.end().event == "done"


def test_a_model_that_changed_since_it_was_queued_begins_anew(
    serve: Serve, open_downloads: Open, cache: Path, puna_home: Paths
) -> None:
    loopback, hub = serve(*repos(1))
    loopback.fail("cdn", Stall(after=256 * KIB), times=1)
    first, told = open_downloads(hub)
    first.add(item(hub, "org/m0"))
    told.moving()
    first.close()
    newer = content(99)
    loopback.repos["org/m0"] = Repo("org/m0", {"m0-Q4_K_M.gguf": newer})
    second, also_told = open_downloads(hub)
    second.add(item(hub, "org/m0"))
    done = also_told.end()
    assert Path(done.message or "").read_bytes() == newer.read(0, newer.size)
    assert "has changed on the hub" in also_told.messages()[0]
    assert not (cache.parent / "puna-parts").exists(), "what was set aside goes with the end"


def test_a_branch_that_moves_on_while_a_file_comes_costs_no_second_fetch(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(1))
    old = loopback.repos["org/m0"]
    wanted = item(hub, "org/m0")
    newer = with_hole(b"newer", 64 * MIB)
    loopback.repos["org/m0"] = Repo("org/m0", {"m0-Q4_K_M.gguf": newer}, revisions={"old": old.files})
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    done = told.end()
    assert done.event == "done", done
    assert wanted.commit in (done.message or "")
    # What had left the hub before the connection was closed.
    assert loopback.sent_bytes("cdn") < 32 * MIB


def wait_until(test: object, limit_s: float = 30.0) -> None:
    """Look until it is so; the state of other threads has no event to wait for."""
    pause = threading.Event()
    for _ in range(int(limit_s / 0.01)):
        if test():  # type: ignore[operator]
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to be")


def test_offline_nothing_is_asked(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(*repos(1))
    wanted = item(hub, "org/m0")
    downloads, told = open_downloads(Hub(hub.endpoint, offline=True, patience=hub.patience))
    downloads.add(wanted)
    assert "offline mode is on" in (told.end().message or "")
    assert loopback.count("resolve") == 0


def test_an_end_that_cannot_be_written_down_is_told_once_and_not_begun_again_at_once(
    serve: Serve, open_downloads: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    loopback, hub = serve(*repos(2))
    wanted = [item(hub, f"org/m{number}") for number in range(2)]
    loopback.fail("resolve", Answer(403, "GatedRepo"), within="m0")
    update = Queue.update

    def full(queue: Queue, item: str, **changes: object) -> Item | None:
        if changes.get("outcome") == "failed":
            raise ConfigError("cannot be written: no space left on device", file=queue.file)
        return update(queue, item, **changes)

    monkeypatch.setattr(Queue, "update", full)
    downloads, told = open_downloads(hub)
    downloads.add(wanted[0])
    assert "no space left" in (told.end(wanted[0].id).message or "")
    loopback.fail("cdn", Slow(2 * MIB), within="")
    downloads.add(wanted[1])
    assert told.end(wanted[1].id).event == "done"
    assert [event.item for event in told.events if event.event == "failed"] == [wanted[0].id]
    monkeypatch.undo()
    loopback.heal()
    downloads.retry(wanted[0].id)
    told.wait(lambda event: event.event == "done" and event.item == wanted[0].id)
