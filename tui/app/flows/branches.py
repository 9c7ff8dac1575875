"""The conversation as a tree: messages edited, versions shown in turn, branches deleted and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.asking import BUSY
from tui.app.keys import show_key

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.app.panels.chat.transcript import Transcript
    from tui.app.talk import Talk
    from tui.chat.attachments import Attached
    from tui.chat.values import Message

EDITING = "Enter sends it as a new version; esc leaves it as it is"


class BranchFlow:
    """What is done with single messages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._deleted: list[tuple[int, int]] = []
        self.editing: Message | None = None
        """The message whose new version is being written."""

    @property
    def can_restore(self) -> bool:
        """Whether something was deleted in this conversation that can come back."""
        talk = self._desk.chatting.talk
        return talk is not None and not talk.busy and self._deleted_last(talk) is not None

    async def on_transcript_wanted(self, event: Transcript.Wanted) -> None:
        """A key that is about one message."""
        talk = self._desk.chatting.talk
        if talk is None or not talk.session.messages:
            return
        message = talk.message(event.key)
        if event.what == "edit":
            self._edit(talk, message)
        elif event.what == "copy":
            self._desk.copy((message or talk.session.messages[-1]).content, "The message")
        elif talk.busy:
            self._desk.tell(BUSY)
        elif message is None:
            self._desk.tell(f"Choose a message first, by {self._keys('previous_message')}.")
        elif event.what == "delete":
            await self._delete(talk, message)
        else:
            await self._version(talk, message, -1 if event.what == "older" else 1)

    # ---- editing

    @property
    def attached(self) -> dict[str, Attached]:
        """The files of the message that is edited, by name."""
        from tui.chat.attachments import parted

        return {file.name: file for file in parted(self.editing.content)[1]} if self.editing is not None else {}

    def _edit(self, talk: Talk, message: Message | None) -> None:
        from tui.chat.attachments import parted

        if message is None:
            message = next((one for one in reversed(talk.session.messages) if one.role == "user"), None)
        if message is None or message.role != "user":
            self._desk.tell("Only a message of yours can be edited and sent again.")
            return
        panel = self._desk.bench.chat
        if panel.editor.text.strip() and self.editing is None:
            self._desk.tell("Send or empty what you are writing first.")
            return
        self.resume(message)
        panel.editor.text = parted(message.content)[0]
        self._desk.bench.go("chat")

    def resume(self, message: Message | None) -> None:
        """What is in the editor is to be a new version of `message`; of none, if that is None."""
        self.editing = message
        for pane in self._desk.panes:
            pane.view.set_notes(editing=EDITING if pane is self.edited_in else "")

    @property
    def edited_in(self) -> Pane | None:
        """The pane that shows the message whose new version is being written."""
        return self._desk.panes.showing(self.editing.conversation_id) if self.editing is not None else None

    def leave(self) -> bool:
        """Stop editing; False when nothing was edited."""
        if self.editing is None:
            return False
        self.resume(None)
        self._desk.bench.chat.editor.clear()
        return True

    def take(self) -> tuple[Message, Pane] | None:
        """The message whose new version has been written, and where; it is edited no longer."""
        message, pane = self.editing, self.edited_in
        self.resume(None)
        return (message, pane) if message is not None and pane is not None else None

    # ---- versions and deletions

    async def _version(self, talk: Talk, message: Message, step: int) -> None:
        versions = await talk.session.versions(message.id)
        if len(versions) < 2 or message.id not in versions:  # another puna may have deleted it
            self._desk.tell("There is one version of this message.")
            return
        chosen = versions[(versions.index(message.id) + step) % len(versions)]
        if await self._show(talk, talk.session.select(chosen)):
            self._desk.bench.chat.transcript.select(str(chosen))

    async def _delete(self, talk: Talk, message: Message) -> None:
        if await self._show(talk, talk.session.delete(message.id)):
            self._deleted.append((message.conversation_id, message.id))
            self._desk.tell(
                f"The message and all that followed it is deleted; {self._keys('undelete')} brings it back."
            )
        self._desk.refresh_keys()

    async def undelete(self) -> None:
        """Bring back what was deleted last."""
        talk = self._desk.chatting.talk
        if talk is not None and (last := self._deleted_last(talk)) is not None and self.can_restore:
            self._deleted.remove(last)
            message_id = last[1]
            if await self._show(talk, talk.session.restore(message_id)):
                self._desk.bench.chat.transcript.select(str(message_id))
                self._desk.tell("The message is back, with all that followed it.")
            self._desk.refresh_keys()

    def _deleted_last(self, talk: Talk) -> tuple[int, int] | None:
        """The conversation that is shown, and what was deleted last in it."""
        return next((one for one in reversed(self._deleted) if one[0] == _number(talk)), None)

    async def _show(self, talk: Talk, change: Coroutine[Any, Any, tuple[Message, ...]]) -> bool:
        from tui.chat.errors import ChatError

        try:
            await talk.show(change)
        except ChatError as error:
            self._desk.tell(str(error), "error")
            return False
        self._desk.chatting.recount()
        return True

    def _keys(self, action: str) -> str:
        keys = self._desk.keymap.keys[action]
        return show_key(keys[0], self._desk.app.glyphs.ascii) if keys else "the palette"


def _number(talk: Talk) -> int | None:
    """Id of the conversation that is shown."""
    return talk.session.conversation.id if talk.session.conversation is not None else None
