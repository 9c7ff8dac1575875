"""Searching the Hub: the client's own question, pages as they come, and what becomes of every mishap."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from huggingface_hub import HfApi, close_session

from tests.hub.conftest import TOKEN, Serve, impatient
from tests.rigs.hub import (
    BAD_TOKEN,
    CAPTIVE_PORTAL,
    Answer,
    Cut,
    LoopbackHub,
    Repo,
    Reset,
    Slow,
    Stall,
    WrongLength,
    rate_limited,
)
from tests.rigs.hub.faults import Fault
from tui.hub import errors, search
from tui.hub.client import Hub
from tui.hub.entries import EXPANDED
from tui.hub.listing import Listing
from tui.hub.search import PAGE, Question, search_listings

B = 1_000_000_000


def repo(number: int, **more: object) -> Repo:
    facts = {"total": number * B, "architecture": "llama", "context_length": 8192}
    return Repo(f"org/m{number}-{number}B-GGUF", {}, downloads=number, gguf=facts, **more)  # type: ignore[arg-type]


MANY = [repo(number) for number in range(1, 2 * PAGE + 21)]
ONE = (repo(1),)


ANYTHING = Question()


def found(hub: Hub, question: Question = ANYTHING, **more: object) -> list[Listing]:
    return [*itertools.chain.from_iterable(search_listings(hub, question, **more))]  # type: ignore[arg-type]


def in_json(what: object, **more: object) -> Answer:
    return Answer(200, body=json.dumps(what).encode(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (Question(), {"sort": "downloads"}),
        (Question(query=" qwen  8b\x1b[31m ", sort="updated"), {"search": "qwen 8b", "sort": "last_modified"}),
        (Question(sort="trending", licence="mit"), {"sort": "trending_score", "filter": ["gguf", "license:mit"]}),
        (Question(sort="likes", parameters=(0.5 * B, 8 * B)), {"sort": "likes", "num_parameters": "min:500M,max:8B"}),
        (Question(parameters=(None, 1.5 * B)), {"sort": "downloads", "num_parameters": "max:1.5B"}),
        (Question(pipeline="image-text-to-text"), {"sort": "downloads", "pipeline_tag": "image-text-to-text"}),
        (Question(query="org/m1-GGUF:Q8_0"), {"sort": "downloads", "search": "org/m1-GGUF"}),
        (Question(query="https://huggingface.co/org/m/tree/main"), {"sort": "downloads", "search": "org/m"}),
    ],
)
def test_the_question_is_the_clients_own(serve: Serve, question: Question, asked: dict[str, object]) -> None:
    loopback, hub = serve(*ONE)
    found(hub, question)
    client = HfApi(endpoint=hub.endpoint, token=False)
    list(client.list_models(**{"filter": "gguf", **asked}, limit=PAGE, expand=list(EXPANDED)))  # type: ignore[arg-type]
    ours, theirs = (dict(seen.request.query) for seen in loopback.requests)
    assert ours == theirs


def test_pages_come_one_by_one_up_to_the_limit(serve: Serve) -> None:
    loopback, hub = serve(*MANY)
    pages = search_listings(hub, Question(), limit=PAGE + 5)
    first = next(pages)
    assert loopback.count("models") == 1
    assert [len(first), *(len(page) for page in pages)] == [PAGE, 5]
    assert loopback.count("models") == 2
    assert first[0].repo == MANY[-1].id
    everything = found(hub, limit=1000)
    assert sorted(listing.repo for listing in everything) == sorted(one.id for one in MANY)
    assert [len(page) for page in search_listings(hub, Question(), limit=3)] == [3]


def test_what_an_entry_tells(serve: Serve) -> None:
    tags = ("gguf", "license:apache-2.0", "base_model:acme/m", "base_model:quantized:acme/m")
    entry = repo(8, tags=tags, gated="manual", likes=7, modified="2026-01-02T03:04:05.000Z")
    _, hub = serve(entry)
    (listing,) = found(hub)
    assert listing == Listing(
        repo="org/m8-8B-GGUF",
        model="acme/m",
        architecture="llama",
        parameters=8 * B,
        context_length=8192,
        use_cases=("chat", "writing"),
        licence="apache-2.0",
        gated=True,
        downloads=8,
        likes=7,
        updated="2026-01-02T03:04:05.000Z",
    )


REFUSED: dict[str, tuple[Fault, type[errors.HubError], str]] = {
    "401": (Answer(401), errors.NotAllowed, "log in with"),
    "403": (Answer(403), errors.NotAllowed, "refuses"),
    "404": (Answer(404), errors.NotAHub, "check HF_ENDPOINT"),
    "429 for long": (rate_limited(3000), errors.RateLimited, "try again in 3000 s"),
    "429 in the other header": (rate_limited(900, standard=False), errors.RateLimited, "try again in 900 s"),
    "500": (Answer(500), errors.HubTrouble, "status 500"),
    "503": (Answer(503), errors.HubTrouble, "try again in a while"),
    "captive portal": (CAPTIVE_PORTAL, errors.NotAHub, "login page"),
    "no JSON": (Answer(200, body=b"[{"), errors.NotAHub, "is no hub"),
    "no list": (in_json({"error": "x"}), errors.NotAHub, "is no hub"),
    "a list without end": (Answer(200, body=b"[" * 200_000), errors.NotAHub, "is no hub"),
    "no text": (Answer(200, body=b"\xff\xfe\x00"), errors.NotAHub, "is no hub"),
    "not packed as it says": (
        Answer(200, headers=(("Content-Encoding", "gzip"),), body=b"[]"),
        errors.NotAHub,
        "is no hub",
    ),
    "cut": (Cut(10), errors.Interrupted, "broke"),
    "cut without an answer": (Cut(), errors.Interrupted, "broke"),
    "reset": (Reset(10), errors.Interrupted, "broke"),
    "shorter than it is": (WrongLength(-5), errors.NotAHub, "is no hub"),
}


@pytest.mark.parametrize(("fault", "kind", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_had_is_one_error_that_says_what_to_do(
    serve: Serve, fault: Fault, kind: type[errors.HubError], words: str
) -> None:
    loopback, hub = serve(*ONE)
    loopback.fail("models", fault)
    with pytest.raises(kind, match=words) as caught:
        found(hub)
    assert str(caught.value).isprintable()
    passing = caught.value.passing and "wait_s" not in vars(caught.value)
    assert loopback.count("models") == (hub.patience.tries if passing else 1)


def test_a_hub_that_says_nothing_is_given_up(serve: Serve) -> None:
    loopback, hub = serve(*ONE)
    for stall in (Stall(), Stall(3), Slow(20)):
        loopback.heal()
        loopback.fail("models", stall)
        with pytest.raises(errors.TimedOut, match=r"did not answer within 0\.3 s"):
            found(impatient(hub, tries=1))


@pytest.mark.parametrize("fault", [Answer(503), Reset(10), Cut(), rate_limited(0)])
def test_what_passes_is_asked_again(serve: Serve, fault: Fault) -> None:
    loopback, hub = serve(*ONE)
    loopback.fail("models", fault, times=1)
    assert [listing.repo for listing in found(hub)] == [ONE[0].id]
    assert loopback.count("models") == 2


def test_pages_that_came_stay_when_a_later_one_fails(serve: Serve) -> None:
    loopback, hub = serve(*MANY)
    loopback.fail("models", Answer(403), skip=1)
    pages = search_listings(hub, Question(), limit=200)
    assert len(next(pages)) == PAGE
    with pytest.raises(errors.NotAllowed):
        next(pages)


def test_tokens(serve: Serve) -> None:
    loopback, hub = serve(*ONE, repo(2, private=True), token=TOKEN, may=(repo(2).id,))
    assert len(found(hub)) == 2
    assert len(found(replace(hub, token=None))) == 1
    with pytest.raises(errors.BadToken, match="log in again") as caught:
        found(replace(hub, token="hf_expired"))
    assert "expired" not in str(caught.value)
    loopback.fail("models", BAD_TOKEN)
    with pytest.raises(errors.BadToken):
        found(hub)
    loopback.heal()
    loopback.fail("models", Answer(403))
    with pytest.raises(errors.NotAllowed, match="your token may not read it"):
        found(hub)


def test_nobody_is_asked_offline(serve: Serve) -> None:
    loopback, hub = serve(*ONE)
    with pytest.raises(errors.Offline, match="HF_HUB_OFFLINE"):
        found(replace(hub, offline=True))
    assert loopback.requests == []


def test_no_way_there(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    _, hub = serve(*ONE)
    with pytest.raises(errors.Unreachable, match="no connection"):
        found(replace(hub, endpoint="http://127.0.0.1:9"))
    elsewhere = replace(hub, endpoint="http://hub.example")
    try:
        close_session()
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        with pytest.raises(errors.Unreachable, match="HTTPS_PROXY"):
            found(elsewhere)
    finally:
        close_session()


def test_a_proxy_that_hangs(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, hub = serve(*ONE)
    proxy.fail("models", Stall())
    try:
        close_session()
        monkeypatch.setenv("HTTP_PROXY", proxy.endpoint)
        with pytest.raises(errors.TimedOut, match=r"hub\.example did not answer"):
            found(replace(impatient(hub, tries=1), endpoint="http://hub.example"))
    finally:
        close_session()


def test_a_cancel_is_heard_before_and_while_waiting(serve: Serve) -> None:
    loopback, hub = serve(*MANY)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(errors.Cancelled):
        found(hub, cancel=cancel)
    assert loopback.requests == []
    cancel.clear()
    loopback.fail("models", rate_limited(1000))
    patient = replace(hub, patience=replace(hub.patience, longest_wait_s=2000.0))
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(found, patient, cancel=cancel)
        while not loopback.count("models"):
            cancel.wait(0.005)
        cancel.set()
        with pytest.raises(errors.Cancelled):
            waiting.result(timeout=30)


def test_a_next_page_elsewhere_is_asked_of_the_hub_itself(serve: Serve) -> None:
    loopback, hub = serve(*MANY, token=TOKEN)
    with LoopbackHub(repo(999)) as other:
        link = f'<{other.endpoint}/api/models?filter=gguf&limit=7&cursor=100>; rel="next"'
        loopback.fail("models", in_json([{"id": "org/a"}], headers=(("Link", link),)), times=1)
        assert found(hub, limit=3)[0].repo == "org/a"
        assert other.requests == []
    assert loopback.requests[1].request.one("cursor") == "100"


def test_a_list_that_leads_back_to_itself_ends(serve: Serve) -> None:
    loopback, hub = serve()
    link = (("Link", f'<{hub.endpoint}/api/models?cursor=1>; rel="next"'),)
    loopback.fail("models", in_json([{"id": "org/a"}, {"id": "org/a"}], headers=link))
    assert [listing.repo for listing in found(hub)] == ["org/a"]
    assert loopback.count("models") == 2
    loopback.heal()
    loopback.fail("models", in_json([], headers=link))
    assert found(hub) == []


def test_an_answer_without_end_is_not_read_to_its_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_PAGE_BYTES", 1 << 16)
    loopback, hub = serve()
    bomb = gzip.compress(b"[" + b" " * (8 << 20))
    loopback.fail("models", Answer(200, headers=(("Content-Encoding", "gzip"),), body=bomb))
    with pytest.raises(errors.NotAHub):
        found(hub)


def test_a_packed_answer_is_read(serve: Serve) -> None:
    loopback, hub = serve()
    body = gzip.compress(b'[{"id": "org/a"}]')
    loopback.fail("models", Answer(200, headers=(("Content-Encoding", "gzip"),), body=body))
    assert found(hub) == [Listing(repo="org/a", use_cases=("chat", "writing"))]
