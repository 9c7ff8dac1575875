"""One answer from an engine's first event to its stored end, whatever happens between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from tui.chat.errors import TurnError
from tui.chat.events import AnswerEnded, EngineEvent, Listener
from tui.chat.thread import AsyncStore
from tui.chat.values import Message
from tui.chat.values import Timings as Stored
from tui.chat.writer import AnswerWriter
from tui.engine.errors import EngineError
from tui.engine.protocol import ChatMessage, Delta, Done, DoneReason, Timings
from tui.llama.settings import SamplingSettings


class Generation(Protocol):
    """An answer being made: its events, the last one Done; it raises when the engine fails."""

    def __aiter__(self) -> AsyncIterator[EngineEvent]: ...

    def cancel(self) -> None:
        """Ask for an early end; safe at any time, also more than once and after the end."""


class AnswerEngine(Protocol):
    """What a turn needs of an engine, on this machine or a remote one."""

    @property
    def name(self) -> str:
        """What the person calls the model."""

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
        """Begin to answer `messages`, or go on with the `answer` and its `thinking` that are there already."""


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """What may differ from turn to turn besides the sampling."""

    max_tokens: int | None = None
    """None is until the model ends or the context is full."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer."""
    pane: int = 0
    """Sequence of the engine to use."""
    think: bool | None = None
    """Whether the model is to think, where its template has a switch; None leaves it to the template."""
    begin: str = ""
    """The beginning of the answer, in the person's own words; part of it."""


class Turn:
    """Streams one answer into the store and to a listener."""

    def __init__(self, store: AsyncStore, answer: Message, emit: Listener) -> None:
        """`answer` is a message that streams: a new one, or one that is resumed."""
        self._writer = AnswerWriter(store, answer, emit)
        self._before = answer.timings
        self._emit = emit
        self._generation: Generation | None = None
        self._stopped = False

    def stop(self) -> None:
        """End the answer early; the turn then ends by itself with the reason "cancelled"."""
        self._stopped = True
        if self._generation is not None:
            self._generation.cancel()

    async def run(self, begin: Callable[[], Generation]) -> Message:
        """Stream to the end; the whole answer. When the engine fails or the task is cancelled, what there is gets
        stored, and the exception goes on."""
        try:
            done = await self._stream(begin)
        except asyncio.CancelledError:
            self.stop()
            await self._end("cancelled")
            raise
        except Exception as failure:
            self.stop()
            await self._end("failed", failure=failure)
            raise
        return await self._end(done.reason if done else "cancelled", done=done)

    async def _stream(self, begin: Callable[[], Generation]) -> Done | None:
        if self._stopped:
            return None
        self._generation = begin()
        done: Done | None = None
        async for event in self._generation:
            if isinstance(event, Delta):
                self._writer.add(event.text, event.channel)
            elif isinstance(event, Done):
                done = event
            self._emit(event)
        if done is None:
            raise TurnError("The engine ended the answer without saying why. Regenerate it, or reload the model.")
        return done

    async def _end(self, reason: DoneReason, *, done: Done | None = None, failure: Exception | None = None) -> Message:
        timings = _with(self._before, done.timings) if done else self._before
        message, stored = await self._writer.finish(reason, timings, _words(failure))
        self._emit(AnswerEnded(message, failure, stored))
        return message


def _with(before: Stored, now: Timings) -> Stored:
    """Of an answer that was gone on with: the tokens of all its parts, and how fast they came together."""
    timings = msgspec.structs.asdict(now)
    tokens = int(before.get("completion_tokens") or 0)
    if tokens:
        parts = (tokens, float(before.get("decode_tok_s") or 0)), (now.completion_tokens, now.decode_tok_s)
        measured = [(count, count / rate) for count, rate in parts if rate]
        seconds = sum(took for _, took in measured)
        timings["completion_tokens"] = tokens + now.completion_tokens
        timings["decode_tok_s"] = sum(count for count, _ in measured) / seconds if seconds else None
        timings["ttft_s"] = before.get("ttft_s")
    return timings


def _words(failure: Exception | None) -> str:
    """What is kept of a failure with its answer, for whoever reads the conversation later."""
    if failure is None:
        return ""
    if isinstance(failure, EngineError) and failure.hint:
        return f"{failure.message}; {failure.hint}"
    return str(failure) or type(failure).__name__
