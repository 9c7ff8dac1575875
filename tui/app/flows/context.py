"""The context before it is full: what is written is counted, and a turn that would not fit is not sent in silence.

Tokens are counted by the model's own tokenizer, in the engine.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from tui.app.keys import show_key
from tui.app.text import brief, clean, plural
from tui.chat.attachments import parted
from tui.chat.budget import answer_room, last_left_out, turns_to_drop, will_fit
from tui.chat.errors import ChatError
from tui.chat.prompt import SUMMARISE
from tui.engine.errors import EngineError
from tui.engine.protocol import Delta
from tui.llama.settings import SamplingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app.desk import Desk
    from tui.app.expected import RunningEngine
    from tui.app.pane import Pane
    from tui.app.panels.chat.editor import PromptEditor
    from tui.app.talk import Talk
    from tui.chat.values import Message as Stored

REST_S = 0.3
"""How long a person stops writing before it is counted."""
MARKUP = 64
"""Tokens that a template puts around a turn, at the most; a token of the text itself is a byte at least."""
Way = Literal["drop", "summarise", "reload", "send"]


@dataclass
class ContextFull(Message):
    """A turn would not leave room for an answer; nothing was sent."""

    pane: Pane
    text: str
    """What was to be sent; empty where it is stored already."""
    prompt_tokens: int
    n_ctx: int
    edited: Stored | None = None
    """The message in whose place it was to be sent."""


class ContextFlow:
    """Counts, and asks what to leave out."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._as_it_is = False

    # ---- while one writes

    def on_prompt_editor_changed(self, event: PromptEditor.Changed) -> None:
        """Count what is written, once the person rests."""
        engine, talk = self._desk.loading.engine, self._desk.chatting.talk
        if talk is None or engine is None:
            return
        if not event.editor.text.strip():
            talk.set_writing(0)
            return
        self._desk.app.run_worker(
            self._count(engine, talk, event.editor),
            group="count",
            description="count the tokens of the prompt",
            exclusive=True,
            exit_on_error=False,
        )

    async def _count(self, engine: RunningEngine, talk: Talk, editor: PromptEditor) -> None:
        await asyncio.sleep(REST_S)
        text = editor.text
        if text.strip():
            talk.set_writing(await engine.count_tokens(text=text))

    async def recount(self, pane: Pane) -> None:
        """Another model, or another conversation: count what of the context it would take."""
        engine, talk = pane.engine, pane.turns.talk
        if engine is not None and talk is not None and talk.session.messages and not talk.busy:
            shown = talk.session
            tokens = await engine.count_tokens(messages=shown.prompt(shown.messages))
            if talk.session is shown and engine is pane.engine:
                talk.set_used(tokens)

    # ---- before a turn

    async def check(self, pane: Pane, text: str, edited: Stored | None = None) -> bool:
        """Whether the next turn, in place of `edited` and what followed it, leaves room for an answer; what to do is
        asked where it does not. Nothing is counted while there is certainly room.
        """
        engine, talk, forced = pane.engine, pane.turns.talk, self._as_it_is
        self._as_it_is = False
        if engine is None or talk is None or forced:  # one that is on its way says so itself
            return True
        n_ctx = engine.receipt.n_ctx
        if edited is None and talk.used and will_fit(talk.used + len(text.encode()) + MARKUP, n_ctx):
            return True
        session = talk.session
        await session.load()
        before = _before(session.messages, edited)
        tokens = await engine.count_tokens(messages=session.prompt(before, text))
        if will_fit(tokens, n_ctx):
            return True
        self._desk.app.post_message(ContextFull(pane, text, tokens, n_ctx, edited))
        return False

    def on_context_full(self, event: ContextFull) -> None:
        """Say what would have to go, and let the person choose."""
        from tui.app.screens.choose import ChooseScreen, Option

        talk = event.pane.turns.talk
        if talk is None:
            return
        ways = [Option(way, title, detail) for way, title, detail in self._ways(talk, event)]
        if event.text:
            self._desk.bench.chat.give_back(parted(event.text)[0])
            self._desk.branches.resume(event.edited)
        elif len(ways) == 1:  # one message that is too long by itself: its answer says so
            return
        title = f"{brief(event.prompt_tokens)} of {brief(event.n_ctx)} tokens: there is no room for an answer"

        async def chosen(way: Way | None) -> None:
            if way is not None:
                await self._carry_out(event, way)

        self._desk.app.push_screen(ChooseScreen(title, ways, self._desk.keymap), chosen)

    def _ways(self, talk: Talk, event: ContextFull) -> list[tuple[Way, str, str]]:
        path = _before(talk.sent, event.edited)
        count = turns_to_drop(path, event.prompt_tokens, event.n_ctx)
        ways: list[tuple[Way, str, str]] = []
        if count:
            first = next(one for one in path if one.role == "user")
            words = clean(first.content)[:30]
            which = f"the first {plural(count, 'turn')} after '{words}'" if count > 1 else f"'{words}'"
            ways.append(("drop", f"Leave out the oldest {plural(count, 'turn')}", f"{which}; it stays on screen"))
            ways.append(("summarise", "Put a summary in their place", "written by this model first"))
        keys = self._desk.keymap.keys["load"]
        panel = show_key(keys[-1], self._desk.app.glyphs.ascii) if keys else "the load panel"
        ways.append(("reload", "Load the model with more context", f"{panel} says what that takes"))
        if event.prompt_tokens < event.n_ctx:
            left = event.n_ctx - event.prompt_tokens
            ways.append(("send", "Send it as it is", f"the answer ends after {plural(left, 'token')} at most"))
        return ways

    async def _carry_out(self, event: ContextFull, way: Way) -> None:
        desk = self._desk
        if way == "reload":
            if event.pane.model is not None:
                desk.panes.choose(event.pane)
                desk.fit.open_panel(event.pane.model)
            return
        if way == "send":
            self._as_it_is = True
        elif not await self._make_room(event, summarise=way == "summarise"):
            return
        if event.text:
            desk.branches.leave()
            desk.bench.chat.editor.clear()
            event.pane.turns.submit(event.text, event.edited)
            desk.chatting.go_on()
        else:
            event.pane.turns.again()

    async def _make_room(self, event: ContextFull, *, summarise: bool) -> bool:
        """Leave out the oldest turns from now on; False when that was not possible."""
        talk = event.pane.turns.talk
        path = _before(talk.sent, event.edited) if talk is not None else ()
        end = last_left_out(path, turns_to_drop(path, event.prompt_tokens, event.n_ctx))
        if talk is None or end is None:
            return False
        try:
            summary = await self._summary(event.pane, end) if summarise else ""
            await talk.session.leave_out(end, summary)
        except (ChatError, EngineError) as error:
            self._desk.tell(str(error), "error")
            return False
        return True

    async def _summary(self, pane: Pane, end: int) -> str:
        """The model's own summary of what is not sent from now on. Raises EngineError."""
        engine, talk = pane.engine, pane.turns.talk
        if engine is None or talk is None:
            raise ChatError("The model is not there any more, so nothing can be summarised.")
        self._desk.tell("The model writes a summary of the oldest turns first.")
        asked = talk.session.prompt([one for one in talk.sent if one.id <= end], SUMMARISE)
        room = answer_room(engine.receipt.n_ctx)
        events = engine.generate(messages=asked, sampling=SamplingSettings(), max_tokens=room, pane=pane.sequence)
        text = [event.text async for event in events if isinstance(event, Delta) and event.channel == "answer"]
        return "".join(text).strip()


def _before(path: Sequence[Stored], edited: Stored | None) -> tuple[Stored, ...]:
    """What of a branch stays before a new version of `edited`."""
    return tuple(message for message in path if edited is None or message.id < edited.id)
