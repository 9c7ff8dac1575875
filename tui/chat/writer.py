"""Stores one answer while it streams: text waits in memory for a moment, so that a token costs no commit of its own.

Time alone decides when it is committed, not the next token, so a kill takes at most half a second of text whatever the
model does. What the store refuses stays here and is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.chat.answers import ENDED_BY_ITSELF
from tui.chat.errors import StoreError
from tui.chat.events import Listener, StoreHealed, StoreTrouble
from tui.chat.records import joined
from tui.chat.store import Store
from tui.chat.thread import RETRY_S, AsyncStore, settled
from tui.chat.values import Message, Piece, Timings

if TYPE_CHECKING:
    from tui.engine.protocol import Channel, DoneReason

FLUSH_S = 0.25
"""Seconds that text waits in memory. The promise is 0.5; the rest is for a commit behind another one."""


class AnswerWriter:
    """The text of one answer on its way to the store. Used from the loop."""

    def __init__(self, store: AsyncStore, answer: Message, emit: Listener) -> None:
        self._store = store
        self._answer = answer
        self._emit = emit
        self._text: list[Piece] = []
        self._pending: list[Piece] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._in_trouble = False

    def add(self, text: str, channel: Channel) -> None:
        """Take more text; it is committed within FLUSH_S."""
        self._text.append((channel, text))
        self._pending.append((channel, text))
        if self._timer is None and self._flushing is None:
            self._wait(FLUSH_S)

    async def finish(self, reason: DoneReason, timings: Timings, error: str) -> tuple[Message, bool]:
        """End the answer: the message as it is now, and whether that is stored. It is carried out even when the
        calling task is cancelled."""
        if self._flushing is not None:
            await settled(self._flushing)
        self._stop_waiting()
        rest, message_id = merged(self._pending), self._answer.id

        def job(store: Store) -> None:
            store.finish(message_id, reason, timings, error=error, rest=rest)

        stored = True
        try:
            await self._store.call(job)
            self._healed()
        except StoreError as trouble:
            stored = False
            self._trouble(trouble)
            if trouble.kind != "missing":
                self._store.keep_trying(message_id, job, self._healed)
        return self._ended(reason, timings, error), stored

    def _ended(self, reason: DoneReason, timings: Timings, error: str) -> Message:
        answer, thinking = joined(self._text)
        return replace(
            self._answer,
            content=self._answer.content + answer,
            thinking=self._answer.thinking + thinking,
            state="done" if reason in ENDED_BY_ITSELF else "cut",
            reason=reason,
            timings=timings,
            error=error,
        )

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._begin_flush)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin_flush(self) -> None:
        self._timer = None
        self._flushing = asyncio.get_running_loop().create_task(self._flush())

    async def _flush(self) -> None:
        pieces, self._pending = merged(self._pending), []
        stored = False
        try:
            await self._store.call(lambda store: store.append_pieces(self._answer.id, pieces))
            stored = True
            self._healed()
        except StoreError as trouble:
            self._trouble(trouble)
        finally:
            self._flushing = None
            if not stored:
                self._pending[:0] = pieces
            if self._pending:
                self._wait(FLUSH_S if stored else RETRY_S)

    def _trouble(self, error: StoreError) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            self._emit(StoreTrouble(self._answer.id, error))

    def _healed(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            self._emit(StoreHealed(self._answer.id))


def merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbouring pieces of one channel as one piece."""
    runs: list[tuple[Channel, list[str]]] = []
    for channel, text in pieces:
        if not runs or runs[-1][0] != channel:
            runs.append((channel, []))
        runs[-1][1].append(text)
    return [(channel, "".join(texts)) for channel, texts in runs]
