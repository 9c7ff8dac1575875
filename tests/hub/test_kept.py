"""Answers that are kept: fresh ones for new ones, old ones while the hub is down, a token in none of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.hub.conftest import TOKEN, Serve
from tests.rigs.hub import Answer, LoopbackHub, Repo
from tui.hub import errors, kept
from tui.hub.client import Hub
from tui.hub.kept import FRESH_S, LONGEST_S, MOST_KEPT, Found, SearchCache
from tui.hub.search import PAGE, Question

MANY = [Repo(f"org/m{number}", {}, downloads=number) for number in range(PAGE + 10)]
DOWN = Answer(503)


class Clock:
    """Seconds that pass when they are told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "searches"


@pytest.fixture
def cache(folder: Path, clock: Clock) -> SearchCache:
    return SearchCache(folder, clock)


def last(found: Iterator[Found]) -> Found:
    return [*found][-1]


def ask(cache: SearchCache, hub: Hub, query: str = "m") -> Found:
    return last(cache.search(hub, Question(query=query)))


def test_a_fresh_answer_is_not_asked_for_again(serve: Serve, cache: SearchCache, folder: Path, clock: Clock) -> None:
    loopback, hub = serve(*MANY)
    assert [len(found.listings) for found in cache.search(hub, Question(query="m"))] == [PAGE, PAGE + 10]
    asked = loopback.count("models")
    clock.now += FRESH_S - 1
    (again,) = SearchCache(folder, clock).search(hub, Question(query="m"))
    assert (len(again.listings), again.age_s, again.problem) == (PAGE + 10, FRESH_S - 1, None)
    assert loopback.count("models") == asked
    ask(cache, hub, "m1")
    clock.now += 2
    assert ask(cache, hub).age_s == 0
    assert loopback.count("models") == 2 * asked + 1


def test_a_person_who_asks_once_more_gets_a_new_answer(serve: Serve, cache: SearchCache) -> None:
    loopback, hub = serve(*MANY[:3])
    ask(cache, hub)
    assert last(cache.search(hub, Question(query="m"), renew=True)).age_s == 0
    assert loopback.count("models") == 2
    ask(cache, hub)
    assert loopback.count("models") == 2


@pytest.mark.parametrize("how", ["down", "offline", "unreachable"])
def test_while_the_hub_cannot_be_asked_an_old_answer_comes_with_its_age(
    serve: Serve, cache: SearchCache, clock: Clock, how: str
) -> None:
    loopback, hub = serve(*MANY)
    ask(cache, hub)
    clock.now += 7200
    if how == "down":
        loopback.fail("models", DOWN)
    elif how == "offline":
        hub = replace(hub, offline=True)
    else:
        loopback.fail("models", Answer(200, body=b"x"))
    found = ask(cache, hub)
    assert (len(found.listings), found.age_s) == (PAGE + 10, 7200)
    assert isinstance(found.problem, errors.HubError)
    clock.now += LONGEST_S
    with pytest.raises(errors.HubError):
        ask(cache, hub)


def test_an_answer_that_did_not_come_whole_is_not_kept(serve: Serve, cache: SearchCache, folder: Path) -> None:
    loopback, hub = serve(*MANY)
    loopback.fail("models", DOWN, skip=1)
    pages = cache.search(hub, Question())
    assert len(next(pages).listings) == PAGE
    with pytest.raises(errors.HubTrouble):
        next(pages)
    assert not folder.exists()


def test_what_a_token_may_see_is_for_that_token_and_no_file_tells_it(
    serve: Serve, cache: SearchCache, folder: Path
) -> None:
    _, hub = serve(Repo("org/m", {}), Repo("org/secret-m", {}, private=True), token=TOKEN, may=("org/secret-m",))
    assert len(ask(cache, hub).listings) == 2
    assert len(ask(cache, replace(hub, token=None)).listings) == 1
    files = [*folder.iterdir()]
    assert len(files) == 2
    for file in files:
        assert TOKEN not in file.name
        assert TOKEN.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


def test_another_hub_is_another_answer(serve: Serve, cache: SearchCache) -> None:
    _, hub = serve(Repo("org/m", {}))
    assert len(ask(cache, hub).listings) == 1
    with LoopbackHub() as other:
        assert ask(cache, replace(hub, endpoint=other.endpoint)).listings == ()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b'{"asked_at": 1000000, "listings": [{"repo": 7}]}', b"\xff", b"[" * 9999]
)
def test_a_damaged_answer_is_asked_for_again(serve: Serve, cache: SearchCache, folder: Path, damage: bytes) -> None:
    loopback, hub = serve(Repo("org/m", {}))
    ask(cache, hub)
    (file,) = folder.iterdir()
    file.write_bytes(damage)
    assert len(ask(cache, hub).listings) == 1
    assert loopback.count("models") == 2


def test_an_answer_of_another_clock_is_asked_for_again(serve: Serve, cache: SearchCache, clock: Clock) -> None:
    loopback, hub = serve(Repo("org/m", {}))
    ask(cache, hub)
    clock.now -= 10
    ask(cache, hub)
    assert loopback.count("models") == 2


def test_a_folder_that_cannot_be_written_costs_time_only(serve: Serve, tmp_path: Path) -> None:
    _, hub = serve(Repo("org/m", {}))
    (tmp_path / "file").write_text("in the way")
    assert len(ask(SearchCache(tmp_path / "file" / "searches"), hub).listings) == 1


def test_only_so_many_are_kept(serve: Serve, cache: SearchCache, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_KEPT <= 100
    monkeypatch.setattr(kept, "MOST_KEPT", 3)
    _, hub = serve(Repo("org/m", {}))
    names: list[Path] = []
    for number in range(5):
        ask(cache, hub, f"m{number}")
        (new,) = set(folder.iterdir()) - set(names)
        os.utime(new, (number, number))
        names.append(new)
    assert sorted(folder.iterdir()) == sorted(names[2:])
