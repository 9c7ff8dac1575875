"""The conversations one can go back to: opened, chosen, and the one whose answer was cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tui.app import remember
from tui.app.asking import BUSY
from tui.app.keys import show_key
from tui.app.text import plural

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.messages import CutOff, HistoryOpened
    from tui.chat.store import Store
    from tui.chat.thread import AsyncStore

T = TypeVar("T")


class HistoryFlow:
    """Holds the stored conversations. `conversation_id` is the one to be shown as soon as they are there."""

    def __init__(self, desk: Desk, conversation_id: int | None) -> None:
        self._desk = desk
        self._wanted_id = conversation_id
        self.store: AsyncStore | None = None
        """Where conversations are kept; there once the history is open."""
        self.cut_off: int | None = None
        """A conversation whose last answer was cut off when puna ended, until one has gone back to it."""

    async def on_history_opened(self, event: HistoryOpened) -> None:
        """The history is there: conversations can be shown and begun."""
        from tui.chat.shelf import DELETED_S

        desk = self._desk
        self.store = event.store
        desk.chatting.begin(event.store)
        if event.problem:
            desk.tell(event.problem, "error")
        report = event.store.report
        if report.damage:
            desk.tell(report.damage, "error")
        if report.recovered:
            kept = plural(len(report.recovered), "unfinished answer")
            verb = "is" if len(report.recovered) == 1 else "are"
            last = await event.store.call(lambda store: store.message(report.recovered[-1]))
            self._offer(last.conversation_id, f"{kept} of last time {verb} kept")
        if self._wanted_id is not None:
            await self.open(self._wanted_id)
        else:
            desk.background.look_for_cut_off()
            desk.drafts.look()
        desk.chatting.go_on()
        desk.app.run_worker(
            event.store.call(lambda store: store.purge(DELETED_S)), group="purge",
            description="remove what was deleted long ago", exit_on_error=False,
        )  # fmt: skip

    async def open(self, conversation_id: int, message_id: int | None = None) -> None:
        """Show a stored conversation: its end and the prompt, or one of its messages, on whichever branch that is."""
        from tui.chat.errors import StoreError

        desk, talk = self._desk, self._desk.chatting.talk
        if talk is None:
            return
        if desk.chatting.busy:
            desk.tell(BUSY)
            return
        shown = self._desk.panes.showing(conversation_id)
        if (
            shown is not None and shown.turns.talk is not talk
        ):  # two writers of one conversation would not see each other
            self._desk.panes.choose(shown)
            return
        try:
            desk.drafts.leave()
            await talk.open(conversation_id)
            await desk.drafts.enter()
            if message_id is not None and talk.message(str(message_id)) is None:
                await talk.show(talk.session.select(message_id))
        except StoreError as error:
            desk.tell(str(error), "error")
            return
        if conversation_id == self.cut_off:
            self.cut_off = None
        desk.bench.go("chat")
        desk.states.shown()
        desk.chatting.recount()
        if message_id is not None:
            self._go_to(str(message_id))
        desk.refresh_keys()

    def _go_to(self, key: str) -> None:
        """Bring a message into view, once there is a place for it."""
        chat = self._desk.bench.chat
        chat.leave()
        self._desk.app.call_after_refresh(chat.transcript.select, key)

    async def call(self, job: Callable[[Store], T]) -> T | None:
        """Do something with the history, in its thread; None while there is none. Raises StoreError."""
        return await self.store.call(job) if self.store is not None else None

    async def close(self) -> None:
        """Close the history. Raises StoreError when something could not be stored."""
        if self.store is not None:
            store, self.store = self.store, None
            await store.close()

    # ---- an answer that was cut off

    async def note_cut_off(self) -> None:
        """Remember, for the next start, that a signal ended puna in the middle of an answer."""
        talk = self._desk.chatting.writing
        if talk is not None and talk.session.conversation is not None:
            number = talk.session.conversation.id
            await asyncio.to_thread(remember.keep, self._desk.paths, cut_off=number)

    def on_cut_off(self, event: CutOff) -> None:
        """A signal had ended puna."""
        self._offer(event.conversation_id, "The last answer was cut off when puna ended")

    def _offer(self, conversation_id: int, words: str) -> None:
        """Offer the way back into a conversation whose answer was cut off; `words` say what happened."""
        desk = self._desk
        self.cut_off = conversation_id
        keys = desk.keymap.keys["continue_last"]
        desk.tell(f"{words}: {show_key(keys[-1], desk.app.glyphs.ascii) if keys else 'the palette'} continues it.")
        desk.show_hint()
        desk.refresh_keys()

    async def continue_last(self) -> None:
        """Open the conversation that was cut off."""
        if self.cut_off is not None and not self._desk.chatting.busy:
            conversation_id, self.cut_off = self.cut_off, None
            await self.open(conversation_id)
