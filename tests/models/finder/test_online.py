"""What the Hub finds streams in over the catalogue: the newest search counts and waits for no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub.conftest import impatient
from tests.models.finder.conftest import Serve
from tests.rigs.hub import CAPTIVE_PORTAL, Answer, Repo, Stall, rate_limited
from tests.rigs.hub.faults import Fault
from tui.hub import errors
from tui.hub.client import Hub
from tui.hub.kept import SearchCache
from tui.hub.listing import Listing
from tui.hub.search import PAGE, Question
from tui.models.finder import online
from tui.models.finder.online import OnlineSearch, Results, question_of
from tui.models.finder.values import Wishes

B = 1_000_000_000
MANY = [
    Repo(f"org/m{number}-GGUF", {}, downloads=number, gguf={"total": B, "architecture": "llama"})
    for number in range(PAGE + 10)
]
CATALOGUE = (
    Listing(repo="org/m3-GGUF", parameters=B, layers=16),
    Listing(repo="acme/rare-GGUF", parameters=2 * B),
)
ANY = Wishes(query="m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "searches"


async def told(search: OnlineSearch, wishes: Wishes = ANY) -> list[Results]:
    return [results async for results in search.search(wishes, CATALOGUE)]


async def test_the_catalogue_at_once_then_page_by_page(serve: Serve, folder: Path) -> None:
    _, connect = serve(*MANY)
    results = await told(OnlineSearch(connect, SearchCache(folder)))
    assert [(one.state, len(one.found), one.source) for one in results] == [
        ("asking", 0, "catalogue"),
        ("asking", PAGE, "hub"),
        ("asking", PAGE + 10, "hub"),
        ("done", PAGE + 10, "hub"),
    ]
    assert results[0].listings == CATALOGUE
    by_repo = {listing.repo: listing for listing in results[-1].listings}
    assert len(by_repo) == PAGE + 11
    assert (by_repo["org/m3-GGUF"].layers, by_repo["org/m3-GGUF"].downloads) == (16, 3)
    assert by_repo["acme/rare-GGUF"] is CATALOGUE[1]


async def test_what_earlier_searches_found_is_there_at_once(serve: Serve, folder: Path) -> None:
    _, connect = serve(*MANY)
    search = OnlineSearch(connect, SearchCache(folder))
    await told(search, Wishes(query="m7"))
    first = (await told(search, Wishes(query="m8")))[0]
    assert [listing.repo for listing in first.listings[:1]] == ["org/m7-GGUF"]


async def test_what_is_remembered_is_bounded(serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "MOST_REMEMBERED", PAGE)
    _, connect = serve(*MANY)
    search = OnlineSearch(connect, SearchCache(folder))
    await told(search)
    last = (await told(search, Wishes(query="m1-")))[-1]
    assert len(last.listings) <= PAGE + 10 + len(CATALOGUE)
    assert last.listings[0].repo == "org/m1-GGUF"


async def test_a_newer_search_waits_for_no_older_one(serve: Serve, folder: Path) -> None:
    loopback, connect = serve(*MANY)
    search = OnlineSearch(connect, SearchCache(folder))
    loopback.fail("models", Stall(), times=1)
    older = asyncio.create_task(told(search, Wishes(query="m1")))
    await asked(lambda: loopback.count("models") == 1)
    newer = await told(search, Wishes(query="m2"))
    assert newer[-1].state == "done"
    assert [one.state for one in await older] == ["asking"]


async def test_a_search_that_is_stopped_just_ends(serve: Serve, folder: Path) -> None:
    loopback, connect = serve(*MANY)
    search = OnlineSearch(connect, SearchCache(folder))
    loopback.fail("models", Stall())
    running = asyncio.create_task(told(search))
    await asked(lambda: loopback.count("models") == 1)
    search.stop()
    assert [one.state for one in await running] == ["asking"]
    search.stop()


async def test_a_search_that_is_no_longer_listened_to_is_dropped(serve: Serve, folder: Path) -> None:
    loopback, connect = serve(*MANY)
    loopback.fail("models", rate_limited(1), skip=1)
    results = OnlineSearch(connect, SearchCache(folder)).search(ANY, CATALOGUE)
    await anext(results)
    await anext(results)
    await results.aclose()
    await asked(lambda: not any(thread.name == "hub" for thread in threading.enumerate()))
    assert loopback.count("models") <= 2


async def asked(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110 - nobody tells of what reaches the hub
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (CAPTIVE_PORTAL, errors.NotAHub),
        (Answer(401), errors.NotAllowed),
        (Answer(403), errors.NotAllowed),
        (Answer(404), errors.NotAHub),
        (Answer(503), errors.HubTrouble),
        (rate_limited(3000), errors.RateLimited),
        (Answer(200, body=b'[{"id": 7}, 8, {"id": "../.."}]'), None),
    ],
)
async def test_without_the_hub_the_catalogue_stays(
    serve: Serve, folder: Path, fault: Fault, kind: type[errors.HubError] | None
) -> None:
    loopback, connect = serve(*MANY)
    loopback.fail("models", fault)
    last = (await told(OnlineSearch(connect, SearchCache(folder))))[-1]
    assert last.listings == CATALOGUE
    if kind is None:
        assert (last.state, last.problem, last.source) == ("done", None, "hub")
    else:
        assert isinstance(last.problem, kind)
        assert (last.state, last.source) == ("failed", "catalogue")


async def test_a_later_page_that_fails_leaves_what_came(serve: Serve, folder: Path) -> None:
    loopback, connect = serve(*MANY)
    loopback.fail("models", Answer(403), skip=1)
    last = (await told(OnlineSearch(connect, SearchCache(folder))))[-1]
    assert (last.state, len(last.found), len(last.listings)) == ("failed", PAGE, PAGE + 2)


async def test_an_old_answer_comes_with_its_age(serve: Serve, folder: Path) -> None:
    loopback, connect = serve(*MANY)
    clock = iter((1000.0, 9000.0))
    await told(OnlineSearch(connect, SearchCache(folder, lambda: next(clock))))
    loopback.fail("models", Answer(503))
    last = (await told(OnlineSearch(connect, SearchCache(folder, lambda: next(clock)))))[-1]
    assert (last.state, last.age_s, len(last.found)) == ("done", 8000.0, PAGE + 10)
    assert isinstance(last.problem, errors.HubTrouble)


async def test_no_way_to_a_hub(serve: Serve, folder: Path) -> None:
    _, connect = serve()

    def nowhere() -> Hub:
        raise errors.BadEndpoint("HF_ENDPOINT is 'x', which is no address")

    ways = {
        errors.BadEndpoint: nowhere,
        errors.Offline: lambda: replace(connect(), offline=True),
        errors.Unreachable: lambda: replace(connect(), endpoint="http://127.0.0.1:9"),
    }
    for kind, way in ways.items():
        last = (await told(OnlineSearch(way, SearchCache(folder))))[-1]
        assert (last.state, type(last.problem), last.listings) == ("failed", kind, CATALOGUE)


async def test_a_hub_that_says_nothing_is_given_up(serve: Serve, folder: Path) -> None:
    loopback, connect = serve(*MANY)
    loopback.fail("models", Stall())
    last = (await told(OnlineSearch(lambda: impatient(connect(), tries=1), SearchCache(folder))))[-1]
    assert isinstance(last.problem, errors.TimedOut)


@pytest.mark.parametrize(
    ("wishes", "question"),
    [
        (Wishes(), Question()),
        (Wishes(query=" q ", sort="updated", licence="mit"), Question(query="q", sort="updated", licence="mit")),
        (Wishes(sort="speed", parameters=(1.0, None)), Question(parameters=(1.0, None))),
        (Wishes(family="qwen"), Question(query="qwen")),
        (Wishes(use_case="code"), Question(query="coder")),
        (Wishes(use_case="code", query="x"), Question(query="x")),
        (Wishes(use_case="vision", query="x"), Question(query="x", pipeline="image-text-to-text")),
    ],
)
def test_what_the_hub_is_asked_for_wishes(wishes: Wishes, question: Question) -> None:
    assert question_of(wishes) == question
