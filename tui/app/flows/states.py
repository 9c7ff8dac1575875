"""What an engine's context holds of conversations, kept on disk while another one is shown, and taken up again.

One conversation of a pane is in the context at a time: the one that was answered last there. Losing a file costs a
prefill, so nothing that goes wrong here is more than a note in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING

from tui.app.text import brief
from tui.chat.states import LEAST_TOKENS, state_name, sweep
from tui.engine.errors import EngineError

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.expected import RunningEngine
    from tui.app.pane import Pane

LEAVE_S = 10.0
"""How long an engine that is to end may take to keep what it holds."""


class StateFlow:
    """Knows which conversation a pane's part of its engine's context holds, and moves it to disk and back."""

    def __init__(self, desk: Desk, pane: Pane) -> None:
        self._desk, self._pane = desk, pane
        self.copied_from: int | None = None
        """The conversation that the pane's own is a copy of: what is kept of it is of use here, too."""
        self._held: int | None = None
        self._tokens = 0
        self._fresh = False
        self._moves: asyncio.Task[None] | None = None

    @property
    def budget_bytes(self) -> int:
        """What all states may take of the disk; 0 keeps none."""
        settings = self._desk.settings
        return (settings.engine.saved_state_mib if settings is not None else 0) << 20

    def answered(self, conversation_id: int, tokens: int) -> None:
        """The engine's context holds this conversation now."""
        self._held, self._tokens, self._fresh = conversation_id, tokens, True

    def nothing_loaded(self) -> None:
        """There is no engine, and so no context."""
        self._held, self._tokens, self._fresh = None, 0, False

    async def greet(self, engine: RunningEngine) -> None:
        """A new engine, before anything is asked of it: have it hold the conversation that is shown."""
        self.nothing_loaded()
        if self.budget_bytes:
            await self._take_up(engine)

    def shown(self) -> None:
        """Another conversation is shown: what is held makes room for it."""
        engine, self.copied_from = self._pane.engine, None
        if engine is not None and self.budget_bytes and not self._pane.turns.busy:
            self._moves = asyncio.ensure_future(self._after(self._moves, self._move(engine)))

    async def settled(self) -> None:
        """Wait until the conversation that is shown is in the context, if it can be."""
        if self._moves is not None:
            await asyncio.wait((self._moves,))

    async def lend(self, engine: RunningEngine) -> None:
        """Something that is no part of the conversation is about to be computed in its place: what is held is kept."""
        await self.settled()
        await self._save(engine)
        self.nothing_loaded()

    async def take_back(self, engine: RunningEngine) -> None:
        """That was all: have the engine hold the conversation that is shown again."""
        if self.budget_bytes and engine is self._pane.engine:
            await self._take_up(engine, quietly=True)

    async def leave(self, engine: RunningEngine) -> None:
        """The engine is about to end: keep what it holds."""
        if engine is not self._pane.engine and engine.alive and self._fresh:
            try:
                await asyncio.wait_for(self._save(engine), LEAVE_S)
            except TimeoutError:
                logging.getLogger(__name__).warning("a conversation's state was not kept: it took too long")

    # ---- inside

    async def _after(self, before: asyncio.Task[None] | None, move: Awaitable[None]) -> None:
        if before is not None:
            await asyncio.wait((before,))
        await move

    async def _move(self, engine: RunningEngine) -> None:
        wanted = self._shown_id()
        if wanted == self._held or engine is not self._pane.engine:
            return
        await self._save(engine)
        await self._take_up(engine)

    async def _take_up(self, engine: RunningEngine, *, quietly: bool = False) -> None:
        """Have the engine hold the conversation that is shown, if that was kept."""
        wanted = self._shown_id()
        if wanted is None or not self._pane.turns.has_answers:
            return
        self._held, self._tokens, self._fresh = wanted, 0, False
        try:
            tokens = await self._restore(engine, wanted)
            if not tokens and self.copied_from is not None:
                tokens = await self._restore(engine, self.copied_from)
        except EngineError as error:
            self._note(error)
            return
        self._tokens = tokens
        if tokens and wanted == self._shown_id():
            talk = self._pane.turns.talk
            if talk is not None:
                talk.set_used(tokens)
            if quietly:
                return
            self._desk.tell(f"{brief(tokens)} tokens of this conversation were taken up again: nothing is read twice.")

    async def _restore(self, engine: RunningEngine, conversation_id: int) -> int:
        return await engine.restore_state(
            self._desk.paths.states_dir, state_name(conversation_id), pane=self._pane.sequence
        )

    async def _save(self, engine: RunningEngine) -> None:
        held, folder = self._held, self._desk.paths.states_dir
        if held is None or not self._fresh or self._tokens < LEAST_TOKENS or not self.budget_bytes:
            return
        self._fresh = False
        try:
            await engine.save_state(folder, state_name(held), pane=self._pane.sequence)
        except EngineError as error:
            self._note(error)
        else:
            await asyncio.to_thread(partial(sweep, folder, self.budget_bytes))

    def _shown_id(self) -> int | None:
        talk = self._pane.turns.talk
        return talk.session.conversation.id if talk is not None and talk.session.conversation is not None else None

    def _note(self, error: EngineError) -> None:
        logging.getLogger(__name__).info("%s; %s", error.message, error.hint)
