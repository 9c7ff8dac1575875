"""A turn that has no room in the context: what there is to do about it, at which price, and doing it.

Nothing is left out unless the person says so, and what is left out stays on the screen and in the history.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import msgspec
from textual.message import Message

from tui.app.asking import Room
from tui.app.flows.quotes import shortage_bytes
from tui.app.keys import show_key
from tui.app.text import brief, clean, plural, size, thousands
from tui.chat.budget import answer_room, last_left_out, turns_to_drop, will_fit
from tui.chat.errors import TurnError
from tui.chat.prompt import SUMMARISE
from tui.llama.settings import SamplingSettings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app.asking import Prompt
    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.app.screens.choose import Option
    from tui.app.talk import Talk
    from tui.chat.values import Message as Stored
    from tui.llama.settings import LoadSettings
    from tui.models.fitting import Priced

SUMMARISE_TOKENS = 256
"""What asking for a summary takes besides the turns, system prompt included, at the most."""
STEP = 1024
"""A larger context is a multiple of so many tokens."""


@dataclass(frozen=True, slots=True)
class Larger:
    """The model with a context that holds the whole turn."""

    settings: LoadSettings
    n_ctx: int
    priced: Priced


Choice = Room | Larger | Literal["panel"]
"""`panel`: the person looks at the load panel."""


@dataclass
class ContextFull(Message):
    """A turn would not leave room for an answer; nothing was sent."""

    pane: Pane
    prompt: Prompt | None
    """What was to be sent; None where it is stored already."""
    prompt_tokens: int
    alone_tokens: int
    """Of these, what the turn takes without those before it."""
    n_ctx: int
    larger: Larger | None = None
    """What would hold it all, where that can be told."""


async def larger(desk: Desk, pane: Pane, prompt_tokens: int) -> Larger | None:
    """The pane's model with room for such a turn and a few like it, and its price. None where the model was not trained
    with that much, where the other pane uses the engine, too, and where it cannot be told."""
    from tui.models.prepare import wished_for

    model, engine, settings = pane.model, pane.engine, desk.settings
    if model is None or engine is None or settings is None or engine.settings.panes > 1:
        return None
    wanted = prompt_tokens + max(answer_room(prompt_tokens), prompt_tokens // 4)
    n_ctx = -(-wanted // STEP) * STEP
    if model.n_ctx_train is not None and n_ctx > model.n_ctx_train:
        n_ctx = model.n_ctx_train
    if not will_fit(prompt_tokens, n_ctx):
        return None
    try:
        kept = await asyncio.to_thread(wished_for, desk.paths, model, settings)
    except SettingsError:
        return None
    wished = msgspec.structs.replace(pane.wished or kept, n_ctx=n_ctx)
    priced = await desk.fit.pricing.quote(model, wished, engine.pid)
    return None if priced is None else Larger(wished, n_ctx, priced)


class RoomFlow:
    """Asks what is to be done, and does it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def on_context_full(self, event: ContextFull) -> None:
        """Say what would have to go, and let the person choose."""
        from tui.app.screens.choose import ChooseScreen

        desk, talk = self._desk, event.pane.turns.talk
        if talk is None:
            return
        alone_fits = will_fit(event.alone_tokens, event.n_ctx)
        if event.prompt is not None:
            desk.chatting.give_back((event.prompt,))
        elif not alone_fits and event.larger is None:
            return  # nothing can be done from here; what stands under the answer says so
        where = f"{desk.panes.side(event.pane)} pane: " if desk.panes.split else ""
        what = "there is" if alone_fits else "this prompt alone leaves"
        tokens = f"{brief(event.prompt_tokens)} of {brief(event.n_ctx)} tokens"
        title = f"{where}{tokens}: {what} no room for an answer"
        desk.app.push_screen(ChooseScreen(title, self._options(talk, event), desk.keymap), partial(self._chosen, event))

    def _options(self, talk: Talk, event: ContextFull) -> list[Option[Choice]]:
        from tui.app.screens.choose import Option

        options: list[Option[Choice]] = []
        path = _path(talk, event.prompt)
        oldest = turns_to_drop(path, event.prompt_tokens, event.alone_tokens, event.n_ctx)
        if count := oldest.turns:
            first = next(one for one in path if one.role == "user")
            words = f"{'from ' if count > 1 else ''}'{clean(first.content)[:30]}'"
            turns = f"the oldest {plural(count, 'turn')}" if count > 1 else "the oldest turn"
            options.append(Option(Room("drop", count), f"Leave out {turns}", words))
            if will_fit(oldest.tokens + SUMMARISE_TOKENS, event.n_ctx):
                title = "Put a summary in their place"
                options.append(Option(Room("summarise", count), title, "the model writes it first"))
        options += self._loads(event)
        if event.prompt_tokens < event.n_ctx:
            left = plural(event.n_ctx - event.prompt_tokens, "token")
            options.append(Option(Room("send"), "Send it as it is", f"the answer ends after {left} at most"))
        return options

    def _loads(self, event: ContextFull) -> list[Option[Choice]]:
        """The model with more context, at its price where that is known; and the panel that prices all."""
        from tui.app.screens.choose import Option

        keys, model = self._desk.keymap.keys["load"], event.pane.model
        panel = show_key(keys[-1], self._desk.app.glyphs.ascii) if keys else "the load panel"
        if event.larger is not None:
            title = f"Load the model with n_ctx {thousands(event.larger.n_ctx)}"
            price = Option[Choice](event.larger, title, right=_price(event.larger.priced))
            return [price, Option("panel", "Load it with other settings", f"{panel} says what they take")]
        detail = f"{panel} says what that takes"
        if model is not None and model.n_ctx_train and not will_fit(event.prompt_tokens, model.n_ctx_train):
            detail = f"it was trained with {thousands(model.n_ctx_train)} tokens"
        return [Option("panel", "Load the model with more context", detail)]

    def _chosen(self, event: ContextFull, choice: Choice | None) -> None:
        desk, pane = self._desk, event.pane
        if choice is None or pane not in desk.panes:
            return
        if choice == "panel":
            if pane.model is not None:
                desk.panes.choose(pane)
                desk.fit.open_panel(pane.model)
            return
        if isinstance(choice, Larger):
            if pane.model is not None:
                desk.loading.load(pane.model, choice.settings, pane=pane)
            self._go_on(event, None)
        else:
            self._go_on(event, choice)

    def _go_on(self, event: ContextFull, room: Room | None) -> None:
        """The turn, with room made for it."""
        desk, turns = self._desk, event.pane.turns
        if event.prompt is None:
            turns.again(room=room)
            return
        desk.chatting.take_out(event.prompt)
        turns.submit(replace(event.prompt, room=room))
        desk.chatting.go_on()

    async def make(self, pane: Pane, room: Room, prompt: Prompt | None = None) -> bool:
        """Make room for a turn, as part of it; False when it was stopped meanwhile. Raises ChatError, EngineError."""
        talk = pane.turns.talk
        if room.way == "send" or talk is None:
            return True
        end = last_left_out(_path(talk, prompt), room.drop)
        if end is None:
            return True
        summary = None if room.way == "drop" else await self._summary(pane, talk, end)
        if pane.turns.stopped:
            return False
        await talk.session.leave_out(end, summary)
        return True

    async def _summary(self, pane: Pane, talk: Talk, end: int) -> str:
        """The model's own summary of what is not sent from now on. Raises ChatError, EngineError."""
        engine = pane.engine
        if engine is None:
            raise TurnError("The model is not there any more, so nothing can be summarised.")
        self._desk.tell("The model writes a summary of the oldest turns first.")
        await pane.states.lend(engine)
        asked = talk.session.prompt([one for one in talk.session.messages if one.id <= end], SUMMARISE)
        room = answer_room(engine.receipt.n_ctx)
        summary = await pane.turns.written(
            engine.generate(messages=asked, sampling=SamplingSettings(), max_tokens=room, pane=pane.sequence)
        )
        if pane.turns.stopped:
            await pane.states.take_back(engine)
        elif not summary:
            raise TurnError("The model wrote no summary, so nothing was left out.")
        return summary


def _path(talk: Talk, prompt: Prompt | None) -> Sequence[Stored]:
    """What goes to the model before a turn."""
    edited = prompt.edited if prompt is not None else None
    return tuple(one for one in talk.sent if edited is None or one.id < edited.id)


def _price(priced: Priced) -> str:
    missing = shortage_bytes(priced)
    return f"{size(priced.assessment.need_bytes)}, {f'{size(missing)} missing' if missing else 'fits'}"
