"""One conversation in one pane: takes a person's text, has an engine answer it, and keeps both.

The person's message is stored before the engine is asked; the answer is stored while it streams. The session never
touches the screen: it calls one listener, in the loop, with typed events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tui.chat.errors import TurnError
from tui.chat.events import AnswerBegun, AnswerEnded, Listener, SessionEvent, UserStored
from tui.chat.premises import Premises
from tui.chat.records import no_message
from tui.chat.store import Store
from tui.chat.thread import AsyncStore
from tui.chat.tree import Tree
from tui.chat.turn import AnswerEngine, Generation, Turn, TurnOptions
from tui.chat.values import Conversation, Message
from tui.llama.settings import SamplingSettings

DEFAULT_OPTIONS = TurnOptions()


def _nobody(_event: SessionEvent) -> None:
    """The listener of a session that nobody listens to."""


class ChatSession(Premises):
    """A conversation that is shown and talked in. One turn runs at a time; `stop` ends it early."""

    def __init__(
        self, store: AsyncStore, conversation_id: int | None = None, *, system: str = "", on_event: Listener = _nobody
    ) -> None:
        """`conversation_id` None begins a new conversation, made with its first message; `system` is its system
        prompt. An existing one is read by `load`, or by whatever is asked of it first."""
        super().__init__(store, conversation_id, system)
        self._emit = on_event
        self._messages: tuple[Message, ...] = ()
        self._turn: Turn | None = None
        self._busy = False
        self._stopped = False

    @property
    def messages(self) -> tuple[Message, ...]:
        """The branch that is shown, from its opening message on."""
        return self._messages

    @property
    def busy(self) -> bool:
        """Whether a turn runs."""
        return self._busy

    async def load(self) -> tuple[Message, ...]:
        """Read the conversation from the store, again if it was; its branch that is shown."""
        if self._conversation is not None:
            await self._show(self._conversation.id)
        elif self._wanted_id is not None:
            await self._show(self._wanted_id)
        return self._messages

    async def tree(self) -> Tree:
        """All branches of the conversation, without texts; for "version 2 of 3"."""
        conversation_id = self._conversation.id if self._conversation else self._wanted_id
        if conversation_id is None:
            return Tree.of((), None)
        return await self._store.call(lambda store: store.tree(conversation_id))

    async def select(self, message_id: int) -> tuple[Message, ...]:
        """Show the branch of another version of a message."""
        return await self._changed(message_id, lambda store: store.select(message_id))

    async def send(
        self, text: str, engine: AnswerEngine, sampling: SamplingSettings, options: TurnOptions = DEFAULT_OPTIONS
    ) -> Message:
        """Store the person's message behind what is shown, then have it answered; the answer. Raises StoreError
        when the message cannot be stored (nothing has run then), and what the engine raises."""
        if not text.strip():
            raise TurnError("There is nothing to send yet.")
        async with self._one_turn():
            await self._add_user(text, self._messages[-1].id if self._messages else None)
            return await self._answer(self._messages, engine, sampling, options)

    async def edit_and_resend(
        self,
        message_id: int,
        text: str,
        engine: AnswerEngine,
        sampling: SamplingSettings,
        options: TurnOptions = DEFAULT_OPTIONS,
    ) -> Message:
        """Store `text` as a new version of a person's message and have it answered; the old branch stays."""
        if not text.strip():
            raise TurnError("There is nothing to send yet.")
        async with self._one_turn():
            old = await self._own(message_id)
            if old.role != "user":
                raise TurnError("Only a message of yours can be edited and sent again.")
            await self._add_user(text, old.parent_id)
            return await self._answer(self._messages, engine, sampling, options)

    async def regenerate(
        self,
        engine: AnswerEngine,
        sampling: SamplingSettings,
        options: TurnOptions = DEFAULT_OPTIONS,
        *,
        message_id: int | None = None,
    ) -> Message:
        """Have a new version of an answer made, of the last one without `message_id`; the old one stays. A person's
        message that has no answer yet gets one."""
        async with self._one_turn():
            if not self._messages:
                raise TurnError("There is no answer to make again yet.")
            wanted = self._messages[-1].id if message_id is None else message_id
            target = await self._own(wanted)
            question = target.id if target.role == "user" else target.parent_id
            if question is None:
                raise TurnError("This answer has no question before it.")
            path = await self._store.call(lambda store: store.thread(target.conversation_id, question))
            return await self._answer(path, engine, sampling, options)

    async def go_on(
        self, engine: AnswerEngine, sampling: SamplingSettings, options: TurnOptions = DEFAULT_OPTIONS
    ) -> Message:
        """Have the last answer gone on with where it stopped: the same message gets longer."""
        async with self._one_turn():
            last = self._messages[-1] if self._messages else None
            if last is None or last.role != "assistant" or last.parent_id is None:
                raise TurnError("There is no answer to go on with yet.")
            if last.state == "streaming":
                raise TurnError("This answer is being written by another puna. Wait for its end.")
            if not (last.content or last.thinking):
                raise TurnError("There is nothing of this answer yet. Have it made again instead.")
            answer = await self._store.call(lambda store: store.resume_answer(last.id))
            return await self._stream(self._messages[:-1], answer, engine, sampling, options)

    async def delete(self, message_id: int) -> tuple[Message, ...]:
        """Delete a message and all that follows it; the branch that is shown then. `restore` undoes it."""
        return await self._changed(message_id, lambda store: store.delete_message(message_id))

    async def restore(self, message_id: int) -> tuple[Message, ...]:
        """Undo the deletion of a message, and show it."""
        return await self._changed(message_id, lambda store: store.restore_message(message_id))

    async def versions(self, message_id: int) -> tuple[int, ...]:
        """The versions of a message, itself included, oldest first."""
        return (await self.tree()).siblings(message_id)

    def stop(self) -> None:
        """End the running answer early; what there is of it is kept. Nothing happens when none runs."""
        if self._busy:
            self._stopped = True
        if self._turn is not None:
            self._turn.stop()

    async def _add_user(self, text: str, parent_id: int | None) -> None:
        async with self._making:
            known = self._conversation

            def job(store: Store) -> tuple[Conversation, tuple[Message, ...]]:
                with store.transaction():
                    conversation = known or self._create(store)
                    message = store.add_message(conversation.id, parent_id, "user", text)
                    return store.conversation(conversation.id), store.thread(conversation.id, message.id)

            self._conversation, self._messages = await self._store.call(job)
        self._emit(UserStored(self._messages[-1]))

    async def _answer(
        self, path: tuple[Message, ...], engine: AnswerEngine, sampling: SamplingSettings, options: TurnOptions
    ) -> Message:
        def job(store: Store) -> Message:
            with store.transaction():
                answer = store.begin_answer(path[-1].id, engine.name)
                if options.begin:
                    store.append(answer.id, options.begin)
                return store.message(answer.id)

        return await self._stream(path, await self._store.call(job), engine, sampling, options)

    async def _stream(
        self,
        path: tuple[Message, ...],
        answer: Message,
        engine: AnswerEngine,
        sampling: SamplingSettings,
        options: TurnOptions,
    ) -> Message:
        """Have the engine write `answer` behind `path`, from what there is of it on."""
        self._messages = (*path, answer)
        self._turn = turn = Turn(self._store, answer, self._heard)
        if self._stopped:
            turn.stop()
        self._emit(AnswerBegun(answer))

        def begin() -> Generation:
            return engine.generate(
                messages=self.prompt(path),
                sampling=sampling,
                max_tokens=options.max_tokens,
                stop=options.stop,
                pane=options.pane,
                answer=answer.content,
                thinking=answer.thinking,
                think=options.think,
            )

        return await turn.run(begin)

    def _heard(self, event: SessionEvent) -> None:
        if isinstance(event, AnswerEnded):
            self._messages = (*self._messages[:-1], event.message)
        self._emit(event)

    async def _show(self, conversation_id: int) -> None:
        def job(store: Store) -> tuple[Conversation, tuple[Message, ...]]:
            return store.conversation(conversation_id), store.thread(conversation_id)

        self._conversation, self._messages = await self._store.call(job)

    async def _changed(self, message_id: int, job: Callable[[Store], Conversation]) -> tuple[Message, ...]:
        """Change the tree around a message of this conversation; the branch that is shown then."""
        async with self._one_turn():
            await self._own(message_id)
            changed = await self._store.call(job)
            await self._show(changed.id)
        return self._messages

    async def _own(self, message_id: int) -> Message:
        """A message of this conversation; StoreError when it is not there."""
        message = await self._store.call(lambda store: store.message(message_id))
        if self._conversation is None or message.conversation_id != self._conversation.id:
            raise no_message(message_id, self._store.path)
        return message

    @asynccontextmanager
    async def _one_turn(self) -> AsyncIterator[None]:
        if self._busy:
            raise TurnError("An answer is being written in this pane. Stop it first, or wait for its end.")
        self._busy, self._stopped = True, False
        try:
            if self._conversation is None:
                await self.load()
            yield
        finally:
            self._busy, self._turn = False, None
