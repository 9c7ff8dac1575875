"""Work in threads of its own: what it gives comes as it is made, and nobody waits for what is no longer wanted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tui.models.threads import Stop, in_daemon_thread, stream_in_thread


async def test_what_is_made_comes_one_by_one() -> None:
    go_on = threading.Event()

    def work() -> Iterator[int]:
        yield 1
        go_on.wait(30)
        yield 2

    made = stream_in_thread(work)
    assert await anext(made) == 1
    go_on.set()
    assert [number async for number in made] == [2]


async def test_what_is_raised_is_raised_here() -> None:
    def work() -> Iterator[int]:
        yield 1
        raise ValueError("no")

    made = stream_in_thread(work)
    assert await anext(made) == 1
    with pytest.raises(ValueError, match="no"):
        await anext(made)
    with pytest.raises(ValueError, match="no"):
        await in_daemon_thread(lambda: [*work()])
    assert await in_daemon_thread(lambda: 7) == 7


async def test_a_stop_is_heard_at_once_and_by_the_thread() -> None:
    stop, heard = Stop(), threading.Event()

    def work() -> Iterator[int]:
        yield 1
        stop.asked.wait(30)
        heard.set()
        yield 2

    made = stream_in_thread(work, stop)
    assert await anext(made) == 1
    waiting = asyncio.ensure_future(anext(made, None))
    await asyncio.sleep(0)
    stop()
    stop()
    assert await waiting is None
    assert await asyncio.to_thread(heard.wait, 30)
    assert [number async for number in stream_in_thread(work, stop)] == []


def test_a_loop_that_is_gone_hears_nothing_more() -> None:
    go_on = threading.Event()

    def work() -> None:
        go_on.wait(30)

    async def begin() -> None:
        task = asyncio.ensure_future(in_daemon_thread(work))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(begin())
    threads = [thread for thread in threading.enumerate() if thread.name == "hub"]
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
