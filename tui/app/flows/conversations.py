"""The list of conversations: what it shows, and what is done with them there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app.asking import BUSY
from tui.app.keys import show_key
from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.app.screens.conversations.screen import Chosen, ConversationsScreen
    from tui.chat.finding import Found
    from tui.chat.store import Store
    from tui.chat.thread import AsyncStore
    from tui.chat.values import Conversation


@dataclass
class ConversationsFound(Message):
    """What the list is to show for a line that was typed."""

    text: str
    found: Found


@dataclass
class TitleMade(Message):
    """The model has found a title, or none (empty)."""

    conversation_id: int
    title: str


class ConversationsFlow:
    """Looks for what the list asks for: one search at a time, the newest wish next. Changes are made at once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._screen: ConversationsScreen | None = None
        self._asked: tuple[str, bool] | None = None
        self._looking = False
        self._deleted: list[int] = []

    @property
    def _store(self) -> AsyncStore | None:
        return self._desk.history.store

    async def show(self) -> None:
        """Open the list."""
        from tui.app.screens.conversations.screen import ConversationsScreen

        if self._store is None:
            return
        await self._desk.drafts.keep()
        self._screen = ConversationsScreen(self._desk.keymap, self._current)
        await self._desk.app.push_screen(self._screen, self._chosen)

    async def _chosen(self, chosen: Chosen | None) -> None:
        self._screen = self._asked = None
        if chosen is not None:
            await self._desk.history.open(chosen.conversation_id, chosen.message_id)

    @property
    def _current(self) -> int | None:
        """The conversation that is shown in the chat."""
        talk = self._desk.chatting.talk
        return talk.session.conversation.id if talk is not None and talk.session.conversation is not None else None

    # ---- looking

    def on_conversations_screen_asked(self, event: ConversationsScreen.Asked) -> None:
        """A letter was typed, or the other half is to be shown."""
        self._asked = (event.text, event.archived)
        if not self._looking:
            self._looking = True
            self._desk.app.run_worker(
                self._look(), group="conversations", description="look for conversations", exit_on_error=False
            )

    async def _look(self) -> None:
        from tui.chat.finding import look

        try:
            while (asked := self._asked) is not None:
                self._asked, (text, archived) = None, asked
                found: Found | None = None
                while self._store is not None and self._asked is None and (found is None or not found.complete):
                    job = partial(look, line=text, archived=archived, so_far=found)
                    found = await self._store.call(job)
                    self._desk.app.post_message(ConversationsFound(text, found))
        finally:
            self._looking = False

    def on_conversations_found(self, event: ConversationsFound) -> None:
        """Show it."""
        if self._screen is not None and self._screen.is_mounted:
            self._screen.show(event.text, event.found)

    # ---- changes

    async def on_conversations_screen_wanted(self, event: ConversationsScreen.Wanted) -> None:
        """A key for the conversation under the cursor."""
        if event.what == "restore":
            await self._restore()
        elif event.what == "import":
            self._desk.moving.take_in()
        elif event.conversation is not None:
            await self._do(event.what, event.conversation)

    async def _do(self, what: str, one: Conversation) -> None:
        if what == "pin":
            await self.change(lambda store: store.pin(one.id, one.pinned is None))
        elif what == "archive":
            put_away = one.archived is None
            if await self.change(lambda store: store.archive(one.id, put_away)):
                self._desk.tell(f"“{clean(one.title)}” is {'put away' if put_away else 'in the list again'}.")
        elif what == "tag":
            self._write(
                "Tags, parted by commas",
                ", ".join(one.tags),
                lambda store, text: store.set_tags(one.id, text.split(",")),
            )
        elif what == "rename":
            self._write("Title", one.title, lambda store, text: store.rename(one.id, text))
        elif what == "title":
            self._ask_for_title(one)
        elif what == "delete":
            await self._delete(one)
        else:
            self._desk.moving.take_out(one)

    def _write(self, title: str, text: str, change: Callable[[Store, str], object]) -> None:
        """Have something written, and take it over."""
        from tui.app.screens.write import WriteScreen

        async def written(chosen: str | None) -> None:
            if chosen is not None:
                await self.change(lambda store: change(store, chosen))

        self._desk.app.push_screen(WriteScreen(title, text, self._desk.keymap), written)

    async def _delete(self, one: Conversation) -> None:
        pane = self._desk.panes.showing(one.id)
        if pane is not None and pane.turns.busy:
            self._desk.tell(BUSY)
            return
        if one.id == self._current:
            self._desk.chatting.new()
        elif pane is not None:
            self._desk.chatting.leave(pane)
        if await self.change(lambda store: store.delete(one.id)):
            self._deleted.append(one.id)
            keys = self._desk.keymap.keys["restore_conversation"]
            how = " or ".join(show_key(key, self._desk.app.glyphs.ascii) for key in keys) or "puna history restore"
            self._desk.tell(f"“{clean(one.title)}” is deleted; {how} brings it back.")

    async def _restore(self) -> None:
        if not self._deleted:
            self._desk.tell("Nothing was deleted here; puna history list --deleted shows what was earlier.")
            return
        conversation_id = self._deleted.pop()
        await self.change(lambda store: store.restore(conversation_id))

    async def change(self, job: Callable[[Store], object]) -> bool:
        """Change something and show the list anew; False when it could not be stored, which is told."""
        from tui.chat.errors import StoreError

        if self._store is None:
            return False
        try:
            await self._store.call(job)
        except StoreError as error:
            self._desk.tell(str(error), "error")
            return False
        if self._screen is not None and self._screen.is_mounted:
            self._screen.ask()
        return True

    # ---- a title by the model

    def _ask_for_title(self, one: Conversation) -> None:
        desk = self._desk
        if not desk.loading.ready:
            desk.tell("No model is loaded that could find a title.")
        elif desk.chatting.busy:
            desk.tell(BUSY)
        else:
            desk.tell("The model looks for a title.")
            desk.panes.chosen.turns.do(self._title(desk.panes.chosen, one.id), "find a title")

    async def _title(self, pane: Pane, conversation_id: int) -> None:
        from tui.chat.titles import MOST_TOKENS, title_of, title_question
        from tui.llama.settings import SamplingSettings

        engine, store = pane.engine, self._store
        if engine is None or store is None:
            return
        messages = await store.call(lambda store: store.thread(conversation_id))
        await pane.states.lend(engine)
        answer = await pane.turns.written(
            engine.generate(
                messages=title_question(messages),
                sampling=SamplingSettings(temperature=0.0),
                max_tokens=MOST_TOKENS,
                pane=pane.sequence,
                think=False,
            )
        )
        if not pane.turns.stopped:
            self._desk.app.post_message(TitleMade(conversation_id, title_of(answer)))
        await pane.states.take_back(engine)

    async def on_title_made(self, event: TitleMade) -> None:
        """Take the title over."""
        if not event.title:
            self._desk.tell("The model found no title.")
        elif await self.change(lambda store: store.rename(event.conversation_id, event.title)):
            self._desk.tell(f"The title is now “{event.title}”.")
