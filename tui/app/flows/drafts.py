"""What is written and not sent yet: it stays with its conversation, and comes back with it, after a restart too.

A prompt of a conversation that has not begun makes one, without messages, so that nothing is lost whatever is opened
next. A message that is being edited is no draft.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app import remember

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.panels.chat.editor import PromptEditor
    from tui.chat.session import ChatSession

KEEP_S = 1.0
"""Seconds after a key until what is written is stored; a kill loses no more than that."""


@dataclass
class DraftLeft(Message):
    """Something was being written when puna ended."""

    conversation_id: int


class DraftFlow:
    """Stores drafts while they are written, and puts them into the prompt."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._due = False
        self._noted: int | None = None
        self._kept: tuple[ChatSession, str] | None = None

    def on_prompt_editor_changed(self, _event: PromptEditor.Changed) -> None:
        """Something was written: it is stored soon."""
        if not self._due:
            self._due = True
            self._desk.app.set_timer(KEEP_S, self._keep_soon)

    def _keep_soon(self) -> None:
        self._due = False
        self._spawn()

    def _spawn(self) -> None:
        self._desk.app.run_worker(self.keep(), group="draft", description="keep what is written", exit_on_error=False)

    async def keep(self) -> None:
        """Store what is written, with what waits to be sent before it. Raises StoreError."""
        talk = self._desk.chatting.talk
        if talk is None or self._desk.branches.editing is not None:
            return
        session = talk.session
        text = "\n".join((*self._desk.chatting.unsent, self._desk.bench.chat.editor.text)).strip("\n")
        if self._kept != (session, text):
            if self._kept is not None and self._kept[0] is not session and self._kept[1]:
                await self._kept[0].keep_draft("")  # the prompt has gone along into another pane
            self._kept = (session, text)
            await session.keep_draft(text)
        number = session.conversation.id if session.conversation is not None and text else None
        if number != self._noted:
            self._noted = number
            paths = self._desk.paths
            self._desk.background.write(lambda: remember.keep(paths, draft=number), "keep where one was writing")

    def leave(self) -> None:
        """The conversation is left: what is written stays with it, and the prompt is empty."""
        if self._desk.branches.leave() or self._desk.chatting.talk is None:
            return
        session, text = self._desk.chatting.talk.session, self._desk.bench.chat.editor.text
        before, self._kept = self._kept, None
        if before is not None and before[0] is not session and before[1]:
            self._store(before[0], "")
        if text or session.conversation is not None:
            self._store(session, text)
        if text:
            self._desk.bench.chat.editor.clear()

    def _store(self, session: ChatSession, text: str) -> None:
        self._desk.app.run_worker(
            session.keep_draft(text), group="draft", description="keep what is written", exit_on_error=False
        )

    async def enter(self) -> None:
        """A conversation is shown: what was written in it comes back. Raises StoreError."""
        talk = self._desk.chatting.talk
        if talk is None:
            return
        draft = await talk.session.draft()
        self._kept = (talk.session, draft)
        if draft:
            self._desk.bench.chat.give_back(draft)

    def look(self) -> None:
        """Find what was being written when puna ended."""

        def work() -> None:
            number = remember.read(self._desk.paths).get("draft")
            if isinstance(number, int):
                self._desk.app.post_message(DraftLeft(number))

        self._desk.background.write(work, "see what was being written")

    async def on_draft_left(self, event: DraftLeft) -> None:
        """Go back to where one was writing, unless something has been begun already."""
        from tui.chat.errors import StoreError

        self._noted = event.conversation_id
        talk = self._desk.chatting.talk
        begun = self._desk.bench.chat.editor.text or self._desk.chatting.unsent or self._desk.chatting.busy
        if talk is None or begun or talk.session.messages:
            return
        try:
            await talk.open(event.conversation_id)
            await self.enter()
        except StoreError:
            return  # it was removed since, and what was written in it too
        self._desk.states.shown()
        self._desk.chatting.recount()
        self._desk.show_hint()
        self._desk.refresh_keys()
