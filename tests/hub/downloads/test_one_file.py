"""One file from a hub: whole, right, and after every mishap on the way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download, scan_cache_dir

from tests.hub.conftest import TOKEN, Serve, impatient
from tests.hub.downloads.conftest import Open, item
from tests.rigs.hub import (
    CAPTIVE_PORTAL,
    Answer,
    Changed,
    Corrupt,
    Cut,
    IgnoreRange,
    Repo,
    Reset,
    Slow,
    Stall,
    WrongLength,
    gguf_bytes,
    of_bytes,
    rate_limited,
)
from tests.rigs.hub.faults import Fault

KIB, MIB = 1 << 10, 1 << 20
DATA = gguf_bytes(3 * MIB + 17)
NAME = "m-Q4_K_M.gguf"
SUM = hashlib.sha256(DATA).hexdigest()


def repo(data: bytes = DATA, **more: object) -> Repo:
    return Repo("org/m", {NAME: of_bytes(data)}, **more)  # type: ignore[arg-type]


def blobs(cache: Path) -> list[Path]:
    return sorted((cache / "models--org--m" / "blobs").iterdir())


def left_over(cache: Path) -> list[str]:
    """Whatever lies about that is no finished file."""
    beside = cache.parent / "puna-parts"
    inside = [path.name for path in cache.rglob("*") if path.name.endswith(".incomplete")]
    return inside + ([path.name for path in beside.iterdir()] if beside.exists() else [])


def asked_from(loopback: object) -> list[int]:
    """Where each request to the CDN began."""
    ranges = [seen.request.headers["range"] for seen in loopback.seen("cdn")]  # type: ignore[attr-defined]
    return [int(text.removeprefix("bytes=").partition("-")[0]) for text in ranges]


def test_a_file_comes_into_the_cache_by_the_clients_own_bookkeeping(
    serve: Serve, open_downloads: Open, cache: Path
) -> None:
    loopback, hub = serve(repo())
    downloads, told = open_downloads(hub)
    downloads.add(item(hub))
    done = told.end()
    assert (done.event, done.file, done.done_bytes, done.total_bytes) == ("done", NAME, len(DATA), len(DATA))
    assert Path(done.message or "").read_bytes() == DATA
    assert [blob.name for blob in blobs(cache)] == [SUM]
    (kept,) = scan_cache_dir(cache).repos
    (revision,) = kept.revisions
    assert (kept.repo_id, revision.refs, revision.commit_hash) == ("org/m", {"main"}, repo().at("main")[0])  # type: ignore[index]
    assert left_over(cache) == []
    got = loopback.count("cdn")
    assert hf_hub_download("org/m", NAME, cache_dir=cache, endpoint=loopback.endpoint) == done.message
    assert (got, loopback.count("cdn")) == (1, 1), "one GET, and none of the client's"
    kinds = [event.event for event in told.events]
    assert kinds.index("progress") < kinds.index("verify") < kinds.index("done")
    assert all(seen.request.headers["accept-encoding"] == "identity" for seen in loopback.seen("cdn"))


def test_the_token_goes_to_the_hub_and_not_to_where_it_leads(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(repo(private=True), token=TOKEN, may=("org/m",))
    downloads, told = open_downloads(hub)
    downloads.add(item(hub))
    assert told.end().event == "done"
    assert {seen.token for seen in loopback.seen("resolve")} == {TOKEN}
    assert {seen.token for seen in loopback.seen("cdn")} == {None}


@pytest.mark.parametrize(
    ("route", "fault"),
    [
        ("cdn", Reset(after=MIB)),
        ("cdn", Reset()),
        ("cdn", Cut(after=MIB)),
        ("cdn", Cut()),
        ("cdn", Answer(503)),
        ("cdn", Answer(403)),
        ("cdn", rate_limited(0)),
        ("cdn", WrongLength(-5)),
        ("cdn", WrongLength(5)),
        ("resolve", Reset()),
        ("resolve", Answer(502)),
        ("resolve", rate_limited(0, standard=False)),
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again_and_the_reason_told(
    serve: Serve, open_downloads: Open, route: str, fault: Fault
) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    times = 1 if isinstance(fault, Answer) and fault.status == 429 else 2  # such a try is a second later
    loopback.fail(route, fault, times=times)
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    done = told.end()
    assert done.event == "done", done
    assert Path(done.message or "").read_bytes() == DATA
    assert len(told.messages()) == times
    assert all("once more in" in text for text in told.messages())
    starts = asked_from(loopback)
    assert starts == sorted(starts)
    if isinstance(fault, Reset | Cut) and fault.after:
        # Of what a reset cut off, some never reached us.
        assert starts[-1] > (MIB if isinstance(fault, Cut) else 0), "it goes on where it stopped"


def test_silence_is_a_reason_to_try_again(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.fail("cdn", Stall(after=MIB), times=1)
    downloads, told = open_downloads(impatient(hub))
    downloads.add(wanted)
    assert told.end().event == "done"
    assert "did not answer within 0.3 s" in told.messages()[0]


def test_a_trickle_is_a_reason_too(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.fail("cdn", Slow(2 * KIB), times=1)
    downloads, told = open_downloads(impatient(hub))
    downloads.add(wanted)
    assert told.end().event == "done"
    assert "sends hardly anything" in told.messages()[0]
    assert 0 < asked_from(loopback)[1] < 64 * KIB, "what came is kept"


def test_an_address_that_has_expired_is_asked_for_anew(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.signatures.uses = 1
    loopback.fail("cdn", Cut(after=MIB), times=1)
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    assert told.end().event == "done"
    assert len({seen.request.one("Signature") for seen in loopback.seen("cdn")}) == 2


def test_a_server_that_ignores_ranges_costs_bytes_and_nothing_else(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.fail("cdn", Cut(after=2 * MIB), times=1)
    loopback.fail("cdn", IgnoreRange())
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    assert told.end().event == "done"
    assert any("whole files only" in text for text in told.messages())
    done = [event.done_bytes for event in told.events if event.event == "progress"]
    assert done == sorted(done), "what is here stays here"


def test_a_wrong_byte_is_found_and_the_file_fetched_once_more(serve: Serve, open_downloads: Open, cache: Path) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.fail("cdn", Corrupt(at=MIB), times=1)
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    assert told.end().event == "done"
    assert "set aside" in told.messages()[0]
    assert asked_from(loopback) == [0, 0]
    assert left_over(cache) == []


def test_a_byte_that_stays_wrong_fails_with_both_sums(serve: Serve, open_downloads: Open, cache: Path) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.fail("cdn", Corrupt(at=0))
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    failed = told.end()
    assert failed.event == "failed"
    wrong = hashlib.sha256(bytes([DATA[0] ^ 0xFF]) + DATA[1:]).hexdigest()
    assert SUM in (failed.message or "")
    assert wrong in (failed.message or "")
    assert not (cache / "models--org--m").exists(), "nothing wrong reaches the cache"
    loopback.heal()
    downloads.retry(wanted.id)
    assert told.wait(lambda event: event.event == "done")
    assert left_over(cache) == []


def test_a_file_that_changes_on_the_hub_begins_anew_and_says_so(
    serve: Serve, open_downloads: Open, cache: Path
) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    downloads, told = open_downloads(hub, run=False)
    downloads.add(wanted)
    newer = gguf_bytes(2 * MIB, 6)
    loopback.fail("cdn", Cut(after=MIB), times=1)
    loopback.fail("resolve", Answer(404, "EntryNotFound"), times=1, skip=1)
    downloads.start()
    told.moving()
    loopback.repos["org/m"] = repo(newer)
    done = told.end()
    assert done.event == "done"
    assert done.total_bytes == len(newer)
    assert Path(done.message or "").read_bytes() == newer
    assert any("has changed on the hub" in text for text in told.messages())
    assert left_over(cache) == []


def test_another_file_under_the_same_address_is_refused(serve: Serve, open_downloads: Open) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.fail("cdn", Changed(of_bytes(b"x" * MIB)))
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    failed = told.end()
    assert failed.event == "failed"
    assert "another m-Q4_K_M.gguf than a moment ago" in (failed.message or "")


@pytest.mark.parametrize(
    ("route", "fault", "said"),
    [
        ("resolve", Answer(403, "GatedRepo"), "accept its terms"),
        ("resolve", Answer(404, "EntryNotFound"), "no file"),
        ("cdn", CAPTIVE_PORTAL, "login page"),
        ("cdn", Answer(403), "not served any more"),
        ("resolve", Answer(403), "refuses"),
        ("cdn", rate_limited(3000), "asked too often"),
        ("cdn", Answer(500), "trouble of its own"),
    ],
    ids=str,
)
def test_what_does_not_pass_ends_the_item_with_a_reason_and_the_queue_lives(
    serve: Serve, open_downloads: Open, route: str, fault: Fault, said: str
) -> None:
    loopback, hub = serve(repo())
    wanted = item(hub)
    loopback.fail(route, fault)
    downloads, told = open_downloads(hub)
    downloads.add(wanted)
    failed = told.end()
    assert failed.event == "failed"
    assert said in (failed.message or "")
    (entry,) = downloads.entries()
    assert (entry.state, entry.item.reason) == ("failed", failed.message)
    loopback.heal()
    downloads.retry(wanted.id)
    assert told.wait(lambda event: event.event == "done")
