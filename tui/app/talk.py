"""The conversation in the chat panel: turns, what streams, and the numbers beside them.

The session tells what happens in the loop; it is only noted here, and drawn at the next tick, everything in order and
at once. So a fast model costs no more repaints than a slow one, and a key is never behind a token.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from tui.app.panels.chat.state import Answering, Reading, Ready
from tui.chat.budget import LETTERS_A_TOKEN, forecast
from tui.chat.events import AnswerBegun, AnswerEnded, SessionEvent, StoreHealed, StoreTrouble, UserStored
from tui.chat.session import ChatSession
from tui.chat.turn import AnswerEngine, TurnOptions
from tui.chat.values import Message, PresetChoice
from tui.engine.protocol import Channel, Delta, Done, PromptProgress, Timings
from tui.llama.settings import SamplingSettings

if TYPE_CHECKING:
    from tui.app.panels.chat.pane import ChatPane
    from tui.app.ticker import Ticker
    from tui.chat.thread import AsyncStore


RATE_EVERY_S = 1.0
"""Seconds between two changes of the rate in the title: each repaints the whole frame around the transcript."""


class Talk:
    """One panel's conversation. `notify` shows a sentence with a severity; `answered` hears in which
    conversation, and how fast, an answer was."""

    def __init__(
        self,
        store: AsyncStore,
        panel: ChatPane,
        ticker: Ticker,
        notify: Callable[[str, str], None],
        *,
        system: str = "",
        answered: Callable[[int, Timings], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system, self._answered = system, answered
        self._store, self._panel, self._ticker, self._notify, self._clock = store, panel, ticker, notify, clock
        self._events: deque[SessionEvent] = deque()
        self._shown: list[int] = []
        self.session = self._new_session(None)
        self.answer_tokens = 0
        """Tokens of the answer that streams, or streamed last; about right until it has ended."""
        self._letters = 0
        self._prompt_tokens = 0
        self._first_at = 0.0
        self._rated_at = float("-inf")
        self.n_ctx = 0
        """Context of the loaded model, in tokens."""
        self._used = 0
        self._left_tokens = self._writing = 0

    @property
    def busy(self) -> bool:
        """True while a turn runs."""
        return self.session.busy

    @property
    def kept_tokens(self) -> int:
        """About how many tokens there are of the answer that this engine was writing, or had written when it
        stopped."""
        return self.answer_tokens if self.busy else self._left_tokens

    @property
    def last_answer(self) -> Message | None:
        """The newest answer that has text."""
        return next((m for m in reversed(self.session.messages) if m.role == "assistant" and m.content), None)

    @property
    def used(self) -> int:
        """Tokens of the context that this conversation takes; 0 while that is not known."""
        return self._used

    @property
    def sent(self) -> Sequence[Message]:
        """What of the branch that is shown goes to the model."""
        return self.session.sent(self.session.messages)

    @property
    def can_go_on(self) -> bool:
        """True when the last message is an answer that has ended and could be longer."""
        last = self.session.messages[-1] if self.session.messages else None
        return not self.busy and last is not None and last.role == "assistant" and bool(last.content or last.thinking)

    def message(self, key: str | None) -> Message | None:
        """The message that the transcript knows by `key`."""
        return next((one for one in self.session.messages if str(one.id) == key), None)

    @property
    def can_answer_again(self) -> bool:
        """True when there is a question to answer."""
        return bool(self.session.messages) and not self.busy

    def set_system(self, system: str) -> None:
        """System prompt of new conversations, one that has not begun yet included."""
        self._system = system
        if self.session.conversation is None and not self.session.busy and not self.session.messages:
            self.session = self._new_session(None)

    async def set_preset(self, preset: PresetChoice | None, system: str) -> None:
        """Have the next turns answered in another way. Raises StoreError."""
        await self.session.set_preset(preset, system)
        self._used = 0  # the system prompt is another one
        self._show_preset()

    def _show_preset(self) -> None:
        self._panel.set_preset(self.session.preset.name if self.session.preset is not None else "")

    # ---- turns: each is awaited in a worker

    async def send(self, text: str, engine: AnswerEngine, sampling: SamplingSettings, options: TurnOptions) -> None:
        """Store the person's words, then have them answered."""
        await self.session.send(text, engine, sampling, options)

    async def again(self, engine: AnswerEngine, sampling: SamplingSettings, options: TurnOptions) -> None:
        """Have the last question answered once more; the answer before is kept beside it."""
        await self.session.regenerate(engine, sampling, options)

    async def edit(
        self, message_id: int, text: str, engine: AnswerEngine, sampling: SamplingSettings, options: TurnOptions
    ) -> None:
        """Send another version of a person's message; the branch behind the old one stays."""
        await self.session.edit_and_resend(message_id, text, engine, sampling, options)

    async def go_on(self, engine: AnswerEngine, sampling: SamplingSettings, options: TurnOptions) -> None:
        """Have the last answer gone on with."""
        await self.session.go_on(engine, sampling, options)

    async def show(self, change: Coroutine[Any, Any, tuple[Message, ...]]) -> None:
        """Change the branch that is shown, by one of the session's own methods. Raises ChatError."""
        messages = await change
        self.flush()
        self._used = 0
        self._show(messages)

    def stop(self) -> None:
        """End the answer early; what there is stays."""
        self.session.stop()

    def new(self) -> None:
        """An empty conversation; it is stored with its first message."""
        self.flush()
        self.session = self._new_session(None)
        self.answer_tokens = self._used = self._left_tokens = 0
        self._show(())

    async def open(self, conversation_id: int) -> None:
        """Show a stored conversation. Raises StoreError; what is shown stays then."""
        session = self._new_session(conversation_id)
        messages = await session.load()
        self.flush()
        self.session = session
        self.answer_tokens = self._used = self._left_tokens = 0
        self._show(messages)

    async def copy(self, conversation_id: int) -> None:
        """Go on from the branch that is shown of a stored conversation, in a new one. Raises StoreError."""

        copy = await self._store.call(lambda store: store.copy_branch(conversation_id))
        await self.open(copy.id)

    # ---- what streams

    def flush(self) -> None:
        """Draw everything noted since the last tick, neighbouring pieces of text as one."""
        text: list[str] = []
        channel: Channel = "answer"
        streamed = False
        while self._events:
            event = self._events.popleft()
            if isinstance(event, Delta) and (event.channel == channel or not text):
                channel, streamed = event.channel, True
                text.append(event.text)
                continue
            self._append(text, channel)
            if isinstance(event, Delta):
                channel, text = event.channel, [event.text]
            else:
                text, streamed = [], False
                self._draw(event)
        self._append(text, channel)
        if streamed:
            self._panel.set_status(self._answering())

    def _append(self, text: list[str], channel: Channel) -> None:
        if text:
            self._panel.transcript.append("".join(text), channel)

    def set_context(self, n_ctx: int) -> None:
        """Another model, or none (0), is loaded: its context counts from now on."""
        self.flush()
        self.n_ctx, self._used, self._left_tokens = n_ctx, 0, 0
        self._rest()

    def set_used(self, tokens: int) -> None:
        """So much of the context this conversation takes, or would take."""
        self._used = tokens
        self._rest()

    def set_writing(self, tokens: int) -> None:
        """So many tokens has what is being written."""
        if tokens != self._writing:
            self._writing = tokens
            self._rest()

    def _heard(self, event: SessionEvent) -> None:
        """Note an event, in the loop. Counting is done here, since a tick may be late."""
        if isinstance(event, Delta):
            if not self.answer_tokens:
                self._first_at = self._clock()
            self._letters += len(event.text)
            self.answer_tokens = max(1, round(self._letters / LETTERS_A_TOKEN))
        elif isinstance(event, AnswerBegun):
            self.answer_tokens, self._letters, self._prompt_tokens, self._left_tokens = 0, 0, 0, 0
        elif isinstance(event, PromptProgress):
            self._prompt_tokens = event.total
        elif isinstance(event, AnswerEnded) and _died(event):
            letters = len(event.message.thinking) + len(event.message.content)
            self._left_tokens = math.ceil(letters / LETTERS_A_TOKEN)
        self._events.append(event)
        self._ticker.wake()

    def _draw(self, event: SessionEvent) -> None:
        panel = self._panel
        if isinstance(event, UserStored):
            self._writing = 0
            self._match(self.session.messages)
        elif isinstance(event, AnswerBegun):
            self._match(tuple(m for m in self.session.messages if m.id < event.message.id))
            self._shown.append(event.message.id)
            panel.begin_answer(event.message)
        elif isinstance(event, PromptProgress):
            if event.done < event.total:
                panel.transcript.set_progress("looking at the image" if event.looking else "reading your prompt")
                panel.set_status(Reading(event.done, event.total, self.n_ctx, event.looking))
        elif isinstance(event, Done):
            panel.set_rate(event.timings.decode_tok_s)
            if self._answered is not None and self.session.conversation is not None:
                self._answered(self.session.conversation.id, event.timings)
        elif isinstance(event, AnswerEnded):
            panel.end_answer(event.message, "the engine stopped" if _died(event) else "")
            self._used = int(event.message.timings.get("n_ctx_used") or 0)
            self._rest(ended=True)
            if not event.stored:
                self._notify("This answer could not be stored yet; it is tried again.", "warning")
        elif isinstance(event, StoreTrouble):
            self._notify(str(event.error), "error")
        elif isinstance(event, StoreHealed):
            self._notify("What could not be stored has been now.", "information")

    def _answering(self) -> Answering:
        now = self._clock()
        elapsed = now - self._first_at
        tok_s = (self.answer_tokens - 1) / elapsed if self.answer_tokens > 4 and elapsed > 0 else None
        if tok_s is not None and now - self._rated_at >= RATE_EVERY_S:
            self._rated_at = now
            self._panel.set_rate(tok_s, exact=False)
        return Answering(self._prompt_tokens, self.answer_tokens, self.n_ctx)

    def _rest(self, *, ended: bool = False) -> None:
        """The line when nothing runs: what this conversation's last answer left in this engine's context."""
        if self.n_ctx and (ended or not self.busy):
            more = forecast(self.sent, self._used, self.n_ctx)
            self._panel.set_status(Ready(self._used, self.n_ctx, self._writing, more))

    def _match(self, messages: tuple[Message, ...]) -> None:
        """Bring the transcript to these messages: one more is added, anything else is shown anew."""
        ids = [message.id for message in messages]
        if ids[:-1] == self._shown and ids:
            self._panel.add_message(messages[-1])
            self._shown = ids
        elif ids != self._shown:
            self._show(messages)

    def _show(self, messages: tuple[Message, ...]) -> None:
        self._shown = [message.id for message in messages]
        self._panel.show_messages(messages)
        self._show_preset()
        self._rest()

    def _new_session(self, conversation_id: int | None) -> ChatSession:
        return ChatSession(self._store, conversation_id, system=self._system, on_event=self._heard)


def _died(event: AnswerEnded) -> bool:
    """Whether the engine ended in the middle of this answer."""
    return getattr(event.failure, "kind", "") == "died"
