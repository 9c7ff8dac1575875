"""An engine that may still be on its way, as a turn sees it: words are stored at once, answered when it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Protocol

from tui.chat.events import EngineEvent
from tui.chat.turn import AnswerEngine, Generation
from tui.engine.errors import EngineDied, EngineError
from tui.engine.protocol import ChatMessage, Done, Timings
from tui.llama.receipt import Receipt
from tui.llama.settings import LoadSettings, SamplingSettings


class RunningEngine(AnswerEngine, Protocol):
    """The part of `tui.engine.client.Engine` that is used here."""

    receipt: Receipt
    settings: LoadSettings
    died: EngineDied | None
    thinking_switch: bool

    @property
    def pid(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    async def count_tokens(self, *, messages: Sequence[ChatMessage] | None = None, text: str | None = None) -> int: ...
    async def save_state(self, folder: Path, name: str, *, pane: int = 0) -> int: ...
    async def restore_state(self, folder: Path, name: str, *, pane: int = 0) -> int: ...
    async def close(self) -> None: ...
    def on_death(self, callback: Callable[[EngineDied], None]) -> None: ...


class Expected:
    """An engine that may still be on its way, as a turn sees it."""

    def __init__(self, name: str, engine: RunningEngine | None, arrival: asyncio.Future[RunningEngine] | None) -> None:
        self.name = name
        self._engine, self._arrival = engine, arrival

    def generate(
        self,
        *,
        messages: tuple[ChatMessage, ...],
        sampling: SamplingSettings,
        max_tokens: int | None = None,
        stop: tuple[str, ...] = (),
        pane: int = 0,
        answer: str = "",
        thinking: str = "",
        think: bool | None = None,
    ) -> Generation:
        """Begin to answer, now or when the model is there."""

        def begin(engine: RunningEngine) -> Generation:
            return engine.generate(
                messages=messages,
                sampling=sampling,
                max_tokens=max_tokens,
                stop=stop,
                pane=pane,
                answer=answer,
                thinking=thinking,
                think=think,
            )

        if self._engine is not None:
            return begin(self._engine)
        return ExpectedGeneration(self._arrival, begin)


class ExpectedGeneration:
    """An answer that begins when its engine arrives. Stopped before, it ends as cancelled."""

    def __init__(
        self,
        arrival: asyncio.Future[RunningEngine] | None,
        begin: Callable[[RunningEngine], Generation],
    ) -> None:
        self._arrival, self._begin = arrival, begin
        self._stop = asyncio.Event()
        self._generation: Generation | None = None

    def cancel(self) -> None:
        """Ask for an early end; safe at any time."""
        self._stop.set()
        if self._generation is not None:
            self._generation.cancel()

    async def __aiter__(self) -> AsyncIterator[EngineEvent]:
        engine = await self._wait()
        if engine is None:
            yield Done(0, "cancelled", Timings())
            return
        self._generation = self._begin(engine)
        async for event in self._generation:
            yield event

    async def _wait(self) -> RunningEngine | None:
        """The engine, or None when stopped before it came; raises what its load raised, as a "load" error."""
        if self._arrival is None:
            raise EngineError("died", "no model is loaded", "load one, and answer again with r")
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((self._arrival, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if self._stop.is_set():
            return None
        try:
            return self._arrival.result()
        except EngineError as error:
            raise EngineError("load", error.message, error.hint, error.log) from error
