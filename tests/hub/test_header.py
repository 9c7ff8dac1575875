"""The header of a model that is not here: what it costs, and what becomes of every mishap on the way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.hub.conftest import TOKEN, Serve, impatient
from tests.hub.headers import header, in_a_hole
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.hub import (
    CAPTIVE_PORTAL,
    Answer,
    Changed,
    Content,
    Corrupt,
    Cut,
    IgnoreRange,
    Repo,
    Reset,
    Slow,
    Stall,
    WrongLength,
    of_bytes,
    of_file,
    rate_limited,
    with_hole,
)
from tests.rigs.hub.faults import Fault
from tui.gguf.errors import GgufError
from tui.gguf.layout import read_layout
from tui.gguf.stripped import strip
from tui.hub import errors
from tui.hub.client import Hub
from tui.hub.files import ModelRow, RepoFiles, repo_files
from tui.hub.header import FIRST_BYTES, MOST_BYTES, RemoteHeader, fetch_header, fetch_start

KIB, MIB = 1 << 10, 1 << 20
NAME = "m-Q4_K_M.gguf"
LARGE = header(n_tokens=128_256, n_merges=280_147)
"""As long as that of a published model of 128 thousand tokens."""
MEDIUM = header(n_tokens=40_000, n_merges=60_000)
SMALL = header(n_tokens=2_000, n_merges=2_000)


def repo(content: Content, **more: object) -> Repo:
    return Repo("org/m", {NAME: content}, **more)  # type: ignore[arg-type]


def answered(content_range: str, *headers: tuple[str, str]) -> Answer:
    """A part, or what passes itself off as one."""
    ranged = (("Content-Range", content_range), *headers)
    return Answer(206, headers=ranged, body=MEDIUM[:FIRST_BYTES], content_type="binary/octet-stream")


def only(hub: Hub, name: str = "org/m") -> tuple[RepoFiles, ModelRow]:
    files = repo_files(hub, name)
    return files, files.rows[0]


def fetched(hub: Hub, cancel: threading.Event | None = None) -> RemoteHeader:
    return fetch_header(hub, *only(hub), cancel=cancel)


def test_the_header_of_20_gib_costs_about_the_header(serve: Serve, tmp_path: Path) -> None:
    assert 6 * MIB < len(LARGE) < 9 * MIB
    loopback, hub = serve(repo(in_a_hole(LARGE)))
    told: list[tuple[int, int]] = []
    got = fetch_header(hub, *only(hub), progress=lambda done, needed: told.append((done, needed)))
    assert got.layout.header.file_bytes == 20 << 30
    assert got.layout.header.n_vocab == 128_256
    assert (got.layout.header.data_offset, len(got.layout.tensors)) == (len(LARGE), 64)
    assert got.stripped.data_bytes == 64 * 4 * MIB
    assert len(got.stripped.data) < 8 * KIB
    assert len(LARGE) <= got.fetched_bytes < 1.2 * len(LARGE)
    assert loopback.sent_bytes("cdn") < 1.2 * len(LARGE) + MIB
    assert loopback.count("cdn") <= 8
    assert loopback.count("resolve") == 1
    done = [fetched for fetched, _ in told]
    assert done == sorted(done)
    assert told[-1][0] == got.fetched_bytes
    assert all(fetched <= needed for fetched, needed in told)


def test_the_start_costs_one_window(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(LARGE)))
    got = fetch_start(hub, *only(hub))
    assert (got.header.architecture, got.header.n_layer, got.header.n_vocab) == ("llama", 32, 128_256)
    assert got.file_bytes == 20 << 30
    assert got.fetched_bytes <= FIRST_BYTES == 64 * KIB
    assert loopback.sent_bytes("cdn") <= 64 * KIB
    assert loopback.count("cdn") == 1


def test_several_headers_at_once(serve: Serve) -> None:
    made = {f"m{n}-Q4_K_M.gguf": in_a_hole(header(2_000, 2_000, n_layer=n)) for n in range(2, 10)}
    _, hub = serve(Repo("org/m", made))
    files = repo_files(hub, "org/m")
    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(lambda row: fetch_header(hub, files, row), files.rows))
    layers = {row.path: header.layout.header.n_layer for row, header in zip(files.rows, got, strict=True)}
    assert layers == {f"m{n}-Q4_K_M.gguf": n for n in range(2, 10)}


@pytest.mark.parametrize("architecture", ["llama", "gemma3"])
def test_a_remote_header_is_that_of_the_same_file_here(serve: Serve, tmp_path: Path, architecture: str) -> None:
    path = tiny_model(tmp_path / NAME, architecture)  # type: ignore[arg-type]
    _, hub = serve(repo(of_file(path)))
    assert fetched(hub).stripped == strip(read_layout(path))


def test_shards_are_joined_from_their_headers(serve: Serve, tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "t-F32.gguf", shards=3)
    parts = {f"deep/{path.name}": of_file(path) for path in sorted(tmp_path.glob("*.gguf"))}
    loopback, hub = serve(Repo("org/m", parts))
    got = fetched(hub)
    assert got.stripped == strip(read_layout(first))
    assert got.layout.header.shards == 3
    assert loopback.count("resolve") == 3
    assert got.fetched_bytes <= loopback.sent_bytes("cdn")


def test_large_shards_cost_their_headers(serve: Serve) -> None:
    parts = [header(60_000 if number == 0 else 0, 50_000, shard=(number, 3)) for number in range(3)]
    files = {f"m-Q4_K_M-{n + 1:05d}-of-00003.gguf": in_a_hole(part, 9 << 30) for n, part in enumerate(parts)}
    _, hub = serve(Repo("org/m", files))
    files_there, row = only(hub)
    got = fetch_header(hub, files_there, row)
    assert (len(got.layout.tensors), got.layout.header.file_bytes) == (64, 27 << 30)
    assert got.fetched_bytes < 1.6 * sum(map(len, parts)) + 3 * FIRST_BYTES
    assert fetch_start(hub, files_there, row).file_bytes == 27 << 30


def test_the_token_goes_to_the_hub_and_not_to_the_other_origin(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM), gated="auto"), token=TOKEN, may=("org/m",))
    fetched(hub)
    assert {seen.request.headers["accept-encoding"] for seen in loopback.seen("cdn")} == {"identity"}
    assert {seen.token for seen in loopback.seen("resolve")} == {TOKEN}
    assert {seen.token for seen in loopback.seen("cdn")} == {None}


def test_everything_is_asked_at_the_commit_that_was_looked_at(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(SMALL)))
    files, row = only(hub)
    fetch_header(hub, files, row)
    assert {seen.path for seen in loopback.seen("resolve")} == {f"/org/m/resolve/{files.commit}/{NAME}"}


@pytest.mark.parametrize(
    "fault",
    [
        Reset(after=50_000),
        Reset(),
        Cut(after=50_000),
        Cut(),
        Stall(after=50_000),
        Answer(503),
        Answer(500),
        WrongLength(-7),
        WrongLength(7),
    ],
    ids=repr,
)
def test_what_may_pass_is_tried_again_and_taken_up_where_it_broke(serve: Serve, fault: Fault) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    loopback.fail("cdn", fault, times=2, skip=2)
    got = fetched(impatient(hub) if isinstance(fault, Stall) else hub)
    assert len(got.layout.tensors) == 64
    assert loopback.sent_bytes("cdn") < 1.3 * len(MEDIUM) + MIB


def test_breaking_again_and_again_is_borne_while_it_gets_on(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    loopback.fail("cdn", Cut(after=FIRST_BYTES + 5_000), times=2 * hub.patience.tries, skip=1)
    assert len(fetched(hub).layout.tensors) == 64
    assert loopback.sent_bytes("cdn") < 1.3 * len(MEDIUM) + MIB


def test_a_hub_in_trouble_is_asked_again(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(SMALL)))
    files, row = only(hub)
    loopback.fail("resolve", Answer(502), rate_limited(0), times=1)
    assert fetch_header(hub, files, row).layout.header.n_layer == 32
    assert loopback.count("resolve") == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Answer(503), errors.HubTrouble),
        (Reset(after=0), errors.Interrupted),
        (Cut(), errors.Interrupted),
        (WrongLength(-70_000), errors.Interrupted),
    ],
)
def test_what_does_not_pass_is_told_after_the_tries_that_were_allowed(
    serve: Serve, fault: Fault, kind: type[errors.HubError]
) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    loopback.fail("cdn", fault)
    with pytest.raises(kind, match="try again"):
        fetched(hub)
    assert loopback.count("cdn") == hub.patience.tries


def test_silence_is_told_after_the_tries_that_were_allowed(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    hub = impatient(hub, tries=2)
    loopback.fail("cdn", Stall())
    with pytest.raises(errors.TimedOut, match=r"did not answer within 0.3 s; try again"):
        fetched(hub)
    assert loopback.count("cdn") <= hub.patience.tries


@pytest.mark.parametrize(
    ("route", "fault", "kind", "words"),
    [
        ("cdn", IgnoreRange(), errors.NoRanges, "whole files only"),
        ("cdn", Answer(200, body=b"no", content_type="text/plain"), errors.NoRanges, "proxy"),
        ("cdn", answered("bytes 5-65535/21474836480"), errors.NoRanges, "whole files only"),
        ("cdn", answered("bytes 0-65535/21474836480", ("Content-Encoding", "gzip")), errors.NoRanges, "whole files"),
        ("resolve", CAPTIVE_PORTAL, errors.NotAHub, "login page"),
        ("resolve", rate_limited(300), errors.RateLimited, "in 300 s"),
        ("resolve", Answer(403), errors.NotAllowed, "hf auth login"),
        ("resolve", Answer(404, error_code="EntryNotFound"), errors.NotFound, f"no file '{NAME}'"),
        ("resolve", Answer(401, error_code="GatedRepo"), errors.Gated, "accept its terms at"),
        ("cdn", Answer(403), errors.NotAllowed, "refuses"),
        ("cdn", Answer(416), errors.Changed, "another m-Q4_K_M.gguf"),
        ("cdn", Changed(of_bytes(SMALL)), errors.Changed, "try again"),
        ("cdn", Answer(418), errors.NotAHub, "status 418"),
    ],
)
def test_what_will_not_pass_is_told_at_once(
    serve: Serve, route: str, fault: Fault, kind: type[errors.HubError], words: str
) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    files, row = only(hub)
    loopback.fail(route, fault)
    with pytest.raises(kind, match=words):
        fetch_header(hub, files, row)
    assert loopback.count(route) == 1
    # A whole file is not read: no more travels than the buffers of a connection hold.
    assert loopback.sent_bytes("cdn") < 32 * MIB


def test_a_file_that_changes_between_two_parts(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    loopback.fail("cdn", Changed(with_hole(MEDIUM[:-1], 20 << 30)), skip=2)
    with pytest.raises(errors.Changed, match="than a moment ago"):
        fetched(hub)


def test_a_file_that_was_replaced_since_the_list_was_read(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    files, row = only(hub)
    commit = files.commit
    loopback.repos["org/m"] = Repo("org/m", {}, revisions={commit: {NAME: in_a_hole(SMALL)}})
    with pytest.raises(errors.Changed):
        fetch_header(hub, files, row)


def test_an_address_that_expires_is_asked_for_anew(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    loopback.signatures.uses = 2
    assert len(fetched(hub).layout.tensors) == 64
    assert loopback.count("resolve") == -(-(loopback.count("cdn") - (loopback.count("resolve") - 1)) // 2)


def test_a_wrong_byte_is_told_as_damage(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    loopback.fail("cdn", Corrupt(at=0))
    with pytest.raises(GgufError, match=r"org/m/m-Q4_K_M\.gguf: is not a GGUF file"):
        fetched(hub)
    loopback.heal()
    # The highest byte of the first key's length.
    loopback.fail("cdn", Corrupt(at=31))
    with pytest.raises(GgufError, match="the file is damaged"):
        fetched(hub)
    assert loopback.sent_bytes("cdn") <= 2 * FIRST_BYTES


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (of_bytes(b""), "is empty"),
        (of_bytes(b"GG"), "is not a GGUF file"),
        (of_bytes(b"PK\3\4" + bytes(100)), "is not a GGUF file"),
        (of_bytes(SMALL[:1000]), "cut short"),
        (with_hole(MEDIUM, 100 * MIB), "needs 2"),
    ],
)
def test_files_that_are_no_models(serve: Serve, content: Content, words: str) -> None:
    _, hub = serve(Repo("org/m", {NAME: content}))
    files = repo_files(hub, "org/m")
    row = ModelRow("Q4_K_M", files.rows[0].files, 1)
    with pytest.raises(GgufError, match=words):
        fetch_header(hub, files, row)


@pytest.mark.parametrize(("most", "sent"), [(MIB, MIB), (200 * KIB, FIRST_BYTES)])
def test_a_header_that_is_too_long_is_given_up_as_soon_as_that_is_sure(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, most: int, sent: int
) -> None:
    assert MOST_BYTES == 64 * MIB
    monkeypatch.setattr("tui.hub.header.MOST_BYTES", most)
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    with pytest.raises(GgufError, match="more than"):
        fetched(hub)
    assert loopback.sent_bytes("cdn") <= sent


def test_a_row_with_a_missing_shard_is_refused_unasked(serve: Serve) -> None:
    loopback, hub = serve(Repo("org/m", {"m-Q4_K_M-00002-of-00002.gguf": in_a_hole(SMALL)}))
    with pytest.raises(errors.NoModel, match="shard 1 of 2 is missing"):
        fetched(hub)
    assert loopback.count("resolve") == 0


def test_cancelling_before_and_while_it_comes(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(MEDIUM)))
    loopback.fail("cdn", Slow(bytes_s=1_000_000))
    event = threading.Event()
    told: list[int] = []

    def progress(done: int, needed: int) -> None:
        told.append(done)
        if done > 2 * FIRST_BYTES:
            event.set()

    with pytest.raises(errors.Cancelled):
        fetch_header(hub, *only(hub), progress=progress, cancel=event)
    # In the middle of the second window, with the piece that came next.
    assert 2 * FIRST_BYTES < told[-1] < 4 * FIRST_BYTES
    assert loopback.count("cdn") == 2
    with pytest.raises(errors.Cancelled):
        fetched(hub, event)
    assert loopback.count("cdn") == 2


def test_cancelling_ends_the_wait_between_two_tries(serve: Serve) -> None:
    loopback, hub = serve(repo(in_a_hole(SMALL)))
    files, row = only(hub)
    loopback.fail("resolve", rate_limited(1))
    event = threading.Event()
    timer = threading.Timer(0.05, event.set)
    timer.start()
    with pytest.raises(errors.Cancelled):
        fetch_header(hub, files, row, cancel=event)
    timer.join()
