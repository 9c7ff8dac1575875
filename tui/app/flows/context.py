"""The context before it is full: what is written is counted, and a turn that would not fit is not sent in silence.

Tokens are counted by the model's own tokenizer, in the engine.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.app.flows.room import ContextFull, larger
from tui.chat.attachments import parted
from tui.chat.budget import will_fit

if TYPE_CHECKING:
    from tui.app.asking import Prompt
    from tui.app.desk import Desk
    from tui.app.expected import RunningEngine
    from tui.app.pane import Pane
    from tui.app.panels.chat.editor import PromptEditor
    from tui.chat.values import Message

REST_S = 0.3
"""How long a person stops writing before it is counted."""
MARKUP = 64
"""Tokens that a template puts around a turn, at the most; a token of the text itself is a byte at least."""
LARGE_CHARS = 1 << 16
"""A text from here on is counted anew only when an eighth of it has changed; it is reckoned between."""


class Counted:
    """How many tokens a text has for one engine, as last counted."""

    def __init__(self) -> None:
        self._engine: RunningEngine | None = None
        self._text, self._tokens = "", 0

    async def of(self, engine: RunningEngine, text: str) -> int:
        """Tokens of `text`. Raises EngineError."""
        before = len(self._text)
        close = before >= LARGE_CHARS and abs(len(text) - before) < before // 8
        if engine is not self._engine or (text != self._text and not close):
            tokens = await engine.count_tokens(text=text)
            self._engine, self._text, self._tokens = engine, text, tokens
        return round(self._tokens * len(text) / max(1, len(self._text)))


class ContextFlow:
    """Counts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._counted = (Counted(), Counted())

    # ---- while one writes

    def on_prompt_editor_changed(self, _event: PromptEditor.Changed) -> None:
        """Count what is written, once the person rests."""
        self.written()

    def written(self) -> None:
        """Another prompt, or another aim: each pane that it goes to says what it takes there."""
        empty, panes = not self._desk.bench.chat.editor.text.strip(), self._desk.panes
        for pane in panes:
            if pane.turns.talk is not None and (empty or pane not in panes.aimed):
                pane.turns.talk.set_writing(0)
        if not empty:
            self._desk.app.run_worker(
                self._count(), group="count", description="count the tokens of the prompt", exclusive=True,
                exit_on_error=False,
            )  # fmt: skip

    async def _count(self) -> None:
        await asyncio.sleep(REST_S)
        for pane in self._desk.panes.aimed:
            engine, talk, text = pane.engine, pane.turns.talk, self._desk.bench.chat.editor.text
            if engine is not None and talk is not None and text.strip():
                words = await self._counted[pane.number].of(engine, text)
                talk.set_writing(words + self._desk.attaching.tokens)

    async def recount(self, pane: Pane) -> None:
        """Another model, or another conversation: count what of the context it would take."""
        engine, talk = pane.engine, pane.turns.talk
        if engine is not None and talk is not None and talk.session.messages and not talk.busy:
            shown = talk.session
            tokens = await engine.count_tokens(messages=shown.prompt(shown.messages))
            if talk.session is shown and engine is pane.engine:
                talk.set_used(tokens)

    # ---- before a turn

    async def check(self, pane: Pane, prompt: Prompt) -> bool:
        """Whether the next turn leaves room for an answer; what to do is asked where it does not. Nothing is counted
        while there is certainly room. Raises EngineError, StoreError.
        """
        engine, talk = pane.engine, pane.turns.talk
        if engine is None or talk is None:  # one that is on its way says so itself
            return True
        n_ctx, size = engine.receipt.n_ctx, len(prompt.text.encode())
        images = any(file.digest for file in parted(prompt.text)[1])  # of which the letters say nothing
        if prompt.edited is None and not images and talk.used and will_fit(talk.used + size + MARKUP, n_ctx):
            return True
        session = talk.session
        await session.load()
        path = before(session.messages, prompt.edited)
        tokens = await engine.count_tokens(messages=session.prompt(path, prompt.text))
        if will_fit(tokens, n_ctx):
            return True
        await self._ask(pane, engine, path, tokens, prompt)
        return False

    async def full(self, pane: Pane) -> None:
        """A turn that is stored had no room. Raises EngineError."""
        engine, talk = pane.engine, pane.turns.talk
        if engine is not None and talk is not None:
            path = talk.session.messages
            tokens = await engine.count_tokens(messages=talk.session.prompt(path))
            if not will_fit(tokens, engine.receipt.n_ctx):
                await self._ask(pane, engine, path, tokens, None)

    async def _ask(
        self, pane: Pane, engine: RunningEngine, path: tuple[Message, ...], tokens: int, prompt: Prompt | None
    ) -> None:
        """Count what the turn would take by itself, price a context that holds it all, and have the person asked."""
        talk = pane.turns.talk
        assert talk is not None
        session = talk.session
        asked = [one.content for one in path if one.role == "user"][-1:] if prompt is None else [prompt.text]
        left_out = path[: len(path) - len(session.sent(path))]
        alone = await engine.count_tokens(messages=session.prompt(left_out, *asked))
        offer = await larger(self._desk, pane, tokens)
        self._desk.app.post_message(ContextFull(pane, prompt, tokens, alone, engine.receipt.n_ctx, offer))


def before(path: tuple[Message, ...], edited: Message | None) -> tuple[Message, ...]:
    """What of a branch stays before a new version of `edited`."""
    return tuple(message for message in path if edited is None or message.id < edited.id)
