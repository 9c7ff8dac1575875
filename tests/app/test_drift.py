"""When a price is asked for anew: at once where much has changed, after a while where less has, never for jitter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.app.described import cards, machine_with
from tui.app.flows.drift import STAYED_S, Drift
from tui.hardware.snapshot import EngineMemory, Snapshot


def _at(time_s: float, free_gib: float = 20.0, ram_free_gib: float = 44.0) -> Snapshot:
    return replace(machine_with(cards(free_gib), ram_free_gib=ram_free_gib), time=time_s)


def _over(*snapshots: Snapshot) -> list[bool]:
    """What each of them means after a question about 20 GiB at 0 s."""
    drift = Drift()
    drift.ask(_at(0))
    return [drift.is_over(snapshot) for snapshot in snapshots]


def test_what_was_never_asked_is_asked_now() -> None:
    fresh, told = Drift(), Drift()
    told.ask(_at(0))
    assert (fresh.asked, told.asked) == (False, True)
    assert (fresh.is_over(_at(1)), told.is_over(_at(1))) == (True, False)


def test_memory_that_jitters_is_no_news() -> None:
    up_and_down = [_at(second, 20 + 0.5 * (second % 2)) for second in range(1, 30)]
    assert not any(_over(*up_and_down))
    assert not any(_over(*[_at(second, 20 + 0.4 * (-1) ** second) for second in range(1, 30)]))
    assert not any(_over(*[_at(second, 20.2) for second in range(1, 30)])), "so little never is"


@pytest.mark.parametrize("there", [{"free_gib": 19.5}, {"free_gib": 20.5}, {"ram_free_gib": 43.5}])
def test_a_change_that_stays_is_news_after_a_while(there: dict[str, float]) -> None:
    assert _over(_at(1, **there), _at(STAYED_S, **there), _at(1 + STAYED_S, **there)) == [False, False, True]


def test_much_is_news_at_once() -> None:
    assert _over(_at(1, 18.5)) == [True]
    assert _over(_at(1, ram_free_gib=46)) == [True]
    assert _over(replace(_at(1), gpus=())) == [True]


def test_a_question_begins_anew() -> None:
    drift = Drift()
    drift.ask(_at(0))
    assert not drift.is_over(_at(1, 19.5))
    drift.ask(_at(2, 19.5))
    assert not drift.is_over(_at(30, 19.5))
    assert not drift.is_over(_at(31, 20))
    assert not drift.is_over(_at(5, 20)), "a clock that was set back makes it wait again"
    assert drift.is_over(_at(5 + STAYED_S, 20))


def test_questions_are_set_against_the_same_memory_while_it_hardly_changes() -> None:
    drift, first = Drift(), _at(0)
    assert drift.about(first) is first
    drift.ask(first)
    assert drift.about(_at(1, 20.2)) is first
    for news in (_at(1, 19.5), replace(_at(1), engines=(EngineMemory(7),)), replace(_at(1), gpus=())):
        assert drift.about(news) is news
