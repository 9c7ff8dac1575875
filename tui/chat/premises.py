"""What one conversation is answered with, and what is written in it so far: system prompt, preset, draft, and what the
model is not sent any more. A session builds on it; it knows no turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tui.chat.budget import sent_part
from tui.chat.images import Images
from tui.chat.prompt import as_told, prompt_messages
from tui.chat.store import Store
from tui.chat.thread import AsyncStore
from tui.chat.values import Conversation, Message, PresetChoice
from tui.engine.protocol import ChatMessage


class Premises:
    """A conversation that there may not be yet: it is made with what is first kept in it."""

    def __init__(self, store: AsyncStore, conversation_id: int | None, system: str) -> None:
        self._store = store
        self._new_system = system
        self._new_preset: PresetChoice | None = None
        self._conversation: Conversation | None = None
        self._wanted_id = conversation_id
        self._images = Images.beside(store.path) if store.path is not None else None
        self._making = asyncio.Lock()  # two first words at once would make two conversations

    @property
    def conversation(self) -> Conversation | None:
        """The conversation as last read; None before the first message of a new one."""
        return self._conversation

    @property
    def system(self) -> str:
        """The system prompt that the next turn is sent with."""
        return self._conversation.system if self._conversation else self._new_system

    @property
    def preset(self) -> PresetChoice | None:
        """The preset that the next turn is sent with; None is as usual."""
        return self._conversation.preset if self._conversation else self._new_preset

    def sent(self, path: Sequence[Message]) -> Sequence[Message]:
        """What of a branch goes to the model."""
        return sent_part(path, self._conversation.left_out_to if self._conversation else None)

    def prompt(self, path: Sequence[Message], *more: str) -> tuple[ChatMessage, ...]:
        """What the model is sent of a branch, with texts that the person is about to add."""
        known, sent = self._conversation, self.sent(path)
        # On a branch that has not what was left out, all is sent, and nothing has to stand for it.
        summary = known.summary if known and len(sent) < len(path) else ""
        messages = prompt_messages(self.system, sent, summary=summary, images=self._images)
        return (*messages, *(as_told("user", text, self._images) for text in more))

    async def leave_out(self, message_id: int | None, summary: str | None = None) -> None:
        """Send the model no message up to this one any more, but `summary` for them, or what there was already; None
        sends all again."""
        if self._conversation is not None:
            conversation_id = self._conversation.id
            summary = self._conversation.summary if summary is None else summary
            self._conversation = await self._store.call(
                lambda store: store.leave_out(conversation_id, message_id, summary)
            )

    async def set_system(self, system: str) -> None:
        """Change the system prompt from the next turn on."""
        self._new_system = system
        conversation_id = self._conversation.id if self._conversation else self._wanted_id
        if conversation_id is not None:
            self._conversation = await self._store.call(lambda store: store.set_system(conversation_id, system))

    async def set_preset(self, preset: PresetChoice | None, system: str) -> None:
        """Answer in another way from the next turn on: with another preset, and its system prompt."""
        self._new_preset, self._new_system = preset, system
        known = self._conversation
        if known is not None:

            def job(store: Store) -> Conversation:
                with store.transaction():
                    store.set_preset(known.id, preset)
                    return store.set_system(known.id, system)

            self._conversation = await self._store.call(job)

    async def draft(self) -> str:
        """What was written here and not sent."""
        known = self._conversation
        return await self._store.call(lambda store: store.draft(known.id)) if known is not None else ""

    async def keep_draft(self, draft: str) -> None:
        """Keep what is written and not sent; a conversation that has not begun is made for it."""
        async with self._making:
            known = self._conversation
            if known is None and not draft:
                return

            def job(store: Store) -> Conversation:
                with store.transaction():
                    conversation = known or self._create(store)
                    store.set_draft(conversation.id, draft)
                    return store.conversation(conversation.id)

            self._conversation = await self._store.call(job)

    def _create(self, store: Store) -> Conversation:
        """Make the conversation that has not begun yet."""
        made = store.create_conversation(system=self._new_system)
        return made if self._new_preset is None else store.set_preset(made.id, self._new_preset)
