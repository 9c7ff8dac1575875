"""Work that may wait for a silent server, in threads of its own that nothing waits for: no later question, and no end
of the program. The loop's shared threads are few, and a hub that hangs must not take them from everyone else.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Literal, TypeVar

T = TypeVar("T")
_End = tuple[Literal[True], BaseException | None]


class Stop:
    """Ends work in a thread, which hears `asked` when it next looks, and at once whoever listens to it in the loop."""

    def __init__(self) -> None:
        """For the loop's thread, `asked` excepted."""
        self.asked = threading.Event()
        self.listeners: list[Callable[[], None]] = []

    def __call__(self) -> None:
        """Now. More than once is as good as once."""
        self.asked.set()
        for listener in self.listeners:
            listener()
        self.listeners.clear()


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """What `work` returns or raises."""

    def once() -> Iterator[T]:
        yield work()

    async with aclosing(stream_in_thread(once)) as results:
        return await anext(results)


async def stream_in_thread(work: Callable[[], Iterator[T]], stop: Stop | None = None) -> AsyncGenerator[T, None]:
    """What `work` yields, as it comes, and then what it raises; nothing more once it is stopped. Whoever stops
    listening does not stop the thread: that is for the work, which should heed `stop.asked`.
    """
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[tuple[Literal[False], T] | _End] = asyncio.Queue()

    def tell(what: tuple[Literal[False], T] | _End) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(came.put_nowait, what)

    def run() -> None:
        try:
            for result in work():
                tell((False, result))
        except BaseException as error:
            tell((True, error))
        else:
            tell((True, None))

    if stop is not None:
        stop.listeners.append(lambda: came.put_nowait((True, None)))
    threading.Thread(target=run, daemon=True, name="hub").start()
    while stop is None or not stop.asked.is_set():
        what = await came.get()
        if what[0] is False:
            yield what[1]
        elif what[1] is not None:
            raise what[1]
        else:
            return
