"""The one dry-run process of a front end: started on need, ended at any moment. Never imports llama_cpp; one asyncio
loop.
"""

from __future__ import annotations

import asyncio

from tui.fit.dry_child import DryChild, DryRunDied, Spawn

CLOSED = "the dry run is closed"
_STARTS = 2
"""Processes that may die while they start before no more are."""


class NoProcess(Exception):
    """None is to be had; the text says why."""


class DryProcess:
    """Keeps at most one process. Used by one task at a time; only `close` may come while another one waits."""

    def __init__(self, spawn: Spawn, start_s: float) -> None:
        """Nothing is started yet."""
        self._spawn, self._start_s = spawn, start_s
        self._child: DryChild | None = None
        self._starting: asyncio.Task[DryChild] | None = None
        self._failed_starts = 0
        self._doubt = ""
        self._gone = ""
        """Why no process is started any more."""

    @property
    def pid(self) -> int | None:
        """The process id while one runs."""
        return self._child.pid if self._child is not None and self._child.alive else None

    @property
    def doubt(self) -> str:
        """Why nothing that it says of a model can be believed, now and later; empty while nothing is known against it.
        A process that is doubted still knows its GPUs.
        """
        return self._gone or self._doubt

    async def child(self) -> DryChild:
        """The running process, started when there is none. Raises NoProcess."""
        if self._child is not None and self._child.alive:
            return self._child
        await self.end()
        if self._gone:
            raise NoProcess(self._gone)
        self._child = await self._start()
        self._doubt = self._child.ready.doubt
        if not self._child.ready.serves and not self._gone:
            self._gone = self._doubt
        if self._gone:
            await self.end()
            raise NoProcess(self._gone)
        return self._child

    async def end(self) -> None:
        """End it; its memory is back when this returns. The next need starts another one."""
        child, self._child = self._child, None
        if child is not None:
            await child.end()

    def close(self) -> None:
        """End it for good without waiting: who waits for an answer gets DryRunDied, who waits for a start NoProcess."""
        self._gone = CLOSED
        if self._starting is not None:
            self._starting.cancel()
        if self._child is not None:
            self._child.kill()

    async def _start(self) -> DryChild:
        self._starting = asyncio.create_task(DryChild.start(self._spawn, self._start_s), name="start of the dry run")
        try:
            return await self._starting
        except asyncio.CancelledError:
            if self._gone:
                raise NoProcess(self._gone) from None
            raise
        except OSError as error:
            raise NoProcess(f"no dry-run process could be started: {error}") from error
        except DryRunDied as death:
            self._failed_starts += 1
            if self._failed_starts >= _STARTS and not self._gone:
                self._gone = f"the dry run does not start: {death}"
            raise NoProcess(f"the dry run did not start: {death}") from death
        finally:
            self._starting = None
