"""Work that may wait for a silent server, in threads of its own that nothing waits for: no later question, and no end
of the program. The loop's shared threads are few, and a hub that hangs must not take them from everyone else.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """What `work` returns or raises."""

    def once() -> Iterator[T]:
        yield work()

    async with aclosing(stream_in_thread(once)) as results:
        return await anext(results)


async def stream_in_thread(work: Callable[[], Iterator[T]]) -> AsyncGenerator[T, None]:
    """What `work` yields, as it comes, and then what it raises. Whoever stops listening does not stop the thread: that
    is for the work's own cancel.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[tuple[bool, T | BaseException | None]] = asyncio.Queue()

    def tell(ended: bool, what: T | BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(came.put_nowait, (ended, what))

    def run() -> None:
        try:
            for result in work():
                tell(False, result)
        except BaseException as error:
            tell(True, error)
        else:
            tell(True, None)

    threading.Thread(target=run, daemon=True, name="hub").start()
    while True:
        ended, what = await came.get()
        if not ended:
            yield what  # type: ignore[misc]
        elif isinstance(what, BaseException):
            raise what
        else:
            return
