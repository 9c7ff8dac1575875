"""The one clock: it ticks only when asked, no faster than it may, and keys come first."""

from __future__ import annotations

import asyncio

import pytest

from tui.app.ticker import BUSY_HZ, IDLE_HZ, KEY_FIRST_S, Ticker


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_nothing_ticks_until_it_is_woken_and_then_once() -> None:
    ticks: list[int] = []
    done = asyncio.Event()

    def flush() -> None:
        ticks.append(1)
        done.set()

    ticker = Ticker(flush)
    waiting = [ticker.waiting]
    ticker.wake()
    ticker.wake()
    waiting.append(ticker.waiting)
    await done.wait()
    waiting.append(ticker.waiting)
    assert ticks == [1]
    assert waiting == [False, True, False]


async def test_a_flush_that_has_more_to_do_wakes_it_again() -> None:
    rounds = 0
    done = asyncio.Event()

    def flush() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            ticker.wake()
        else:
            done.set()

    ticker = Ticker(flush, hz=1000)
    ticker.wake()
    await done.wait()
    assert rounds == 3
    assert not ticker.waiting


def test_the_first_tick_comes_at_once_and_the_next_at_its_rate(clock: Clock) -> None:
    ticker = Ticker(lambda: None, clock=clock)
    assert ticker.delay() == 0
    ticker._tick()
    assert ticker.delay() == pytest.approx(1 / IDLE_HZ)
    clock.now += 0.03
    assert ticker.delay() == pytest.approx(1 / IDLE_HZ - 0.03)


async def test_after_a_key_ticks_are_rare_and_never_right_behind_it(clock: Clock) -> None:
    ticker = Ticker(lambda: None, clock=clock)
    ticker._tick()
    clock.now += 1
    ticker.key()
    assert ticker.delay() == pytest.approx(KEY_FIRST_S)
    clock.now += 0.1
    ticker._tick()
    assert ticker.delay() == pytest.approx(1 / BUSY_HZ)
    clock.now += 0.3
    assert ticker.delay() == 0


async def test_a_flood_of_keys_cannot_hold_it_off(clock: Clock) -> None:
    ticker = Ticker(lambda: None, clock=clock)
    ticker._tick()
    ticker.wake()
    for _ in range(20):
        clock.now += 0.02
        ticker.key()
    assert ticker.delay() == 0
    ticker.stop()


async def test_a_key_moves_a_tick_that_is_due(clock: Clock) -> None:
    ticker = Ticker(lambda: None, clock=clock)
    ticker.wake()
    before = ticker._timer
    ticker.key()
    assert ticker._timer is not before
    assert ticker.waiting
    ticker.stop()
    assert not ticker.waiting


def test_the_rate_of_the_settings_counts(clock: Clock) -> None:
    ticker = Ticker(lambda: None, hz=5, clock=clock)
    ticker._tick()
    assert ticker.delay() == pytest.approx(0.2)
