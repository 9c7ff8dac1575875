"""The store for asyncio: every call runs in the one thread that owns it, so that no disk ever holds up the screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tui.chat.errors import StoreError
from tui.chat.store import Store

RETRY_S = 2.0
"""Seconds between two attempts to store what could not be stored."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Work that must not be lost: it is tried again until it succeeds."""

    message_id: int
    job: Callable[[Store], object]
    on_saved: Callable[[], None]


class AsyncStore:
    """A Store in a thread of its own, shared by every session of this process. Made by `open`."""

    def __init__(self, store: Store, executor: ThreadPoolExecutor) -> None:
        self._store = store
        self._executor = executor
        self._unsaved: dict[int, Unsaved] = {}
        self._retrying: asyncio.Task[None] | None = None
        self._closed = False
        self.path = store.path
        self.report = store.report

    @classmethod
    async def open(cls, path: Path | None, *, clock: Callable[[], float] = time.time) -> AsyncStore:
        """Open the history at `path`, None for one in memory; raises StoreError as Store does."""
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chat-store")
        try:
            opening = asyncio.get_running_loop().run_in_executor(executor, lambda: Store(path, clock=clock))
            return cls(await uninterrupted(opening), executor)
        except BaseException:
            executor.shutdown(wait=False)
            raise

    async def call(self, job: Callable[[Store], T]) -> T:
        """Run `job` with the store in its thread. Once asked for it is carried out and its result comes back: a
        cancellation of the calling task takes effect at that task's next wait."""
        if self._closed:
            raise StoreError("closed", "the history was closed already", path=self.path)
        return await uninterrupted(asyncio.get_running_loop().run_in_executor(self._executor, job, self._store))

    @property
    def unsaved(self) -> frozenset[int]:
        """Messages whose end could not be stored yet; their text is in memory."""
        return frozenset(self._unsaved)

    def keep_trying(self, message_id: int, job: Callable[[Store], object], on_saved: Callable[[], None]) -> None:
        """Try `job` again every RETRY_S seconds and once more on closing; `on_saved` is called when it succeeded."""
        self._unsaved[message_id] = Unsaved(message_id, job, on_saved)
        if self._retrying is None:
            self._retrying = asyncio.get_running_loop().create_task(self._retry())

    async def close(self) -> None:
        """Try once more what is unsaved, then close. Raises StoreError when something could not be stored."""
        if self._closed:
            return
        if self._retrying is not None:
            self._retrying.cancel()
            await settled(self._retrying)
        try:
            failure = await self._try_unsaved()
            await self.call(Store.close)
        finally:
            self._closed = True
            self._executor.shutdown(wait=False)
        if failure is not None:
            raise failure

    async def _retry(self) -> None:
        try:
            while self._unsaved:
                await asyncio.sleep(RETRY_S)
                await self._try_unsaved()
        finally:
            self._retrying = None

    async def _try_unsaved(self) -> StoreError | None:
        failure: StoreError | None = None
        for work in tuple(self._unsaved.values()):
            try:
                await self.call(work.job)
            except StoreError as error:
                if error.kind == "missing":  # its conversation was removed for good
                    del self._unsaved[work.message_id]
                else:
                    failure = error
            else:
                del self._unsaved[work.message_id]
                work.on_saved()
        return failure


async def uninterrupted(future: asyncio.Future[T]) -> T:
    """The result of `future`, waited for to the end as by `settled`."""
    await settled(future)
    return future.result()


async def settled(future: asyncio.Future[T]) -> None:
    """Wait until `future` is done. Cancellations that arrive meanwhile are handed on afterwards: the task's next wait
    raises them."""
    task = asyncio.current_task()
    interruptions = 0
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError:
            interruptions += 1
            if task is not None:
                task.uncancel()
    for _ in range(interruptions):
        if task is not None:
            task.cancel()
