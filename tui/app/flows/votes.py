"""Votes for the better of two answers: whose names are hidden until then, what is kept, and what comes of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from textual.content import Content

from tui.app.text import clean, fit, fit_right, plural

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.pane import Pane
    from tui.chat.values import Message
    from tui.chat.votes import Standing, Winner

NAME = 44
"""Cells of a model's name in the table."""


class VoteFlow:
    """Compares what the two panes answered to one prompt. `chance` decides who answers where, when names are hidden."""

    def __init__(self, desk: Desk, chance: random.Random | None = None) -> None:
        self._desk = desk
        self._chance = chance or random.Random()
        self._voted: set[tuple[int, ...]] = set()
        self.hidden = False
        """Whether names are hidden from one prompt to the vote."""

    @property
    def pair(self) -> tuple[Message, Message] | None:
        """The two answers to one prompt that a vote is about now, in the order of the panes. One that a new
        pane took over from the other is a copy, and there is nothing to compare."""
        panes = tuple(self._desk.panes)
        found = [answer for pane in panes if (answer := _last_answer(pane)) is not None]
        if len(found) != 2:
            return None
        (one_prompt, one), (other_prompt, other) = found
        drawn_apart = (one.content, one.created) != (other.content, other.created)
        new = one_prompt == other_prompt and drawn_apart and _key(one, other) not in self._voted
        return (one, other) if new else None

    def asked(self) -> None:
        """A prompt goes to both panes: where names are hidden, so is who stands where."""
        if self.hidden:
            if self._chance.random() < 0.5:
                self._desk.panes.exchange_sides()
            self._hide()

    def switch_blind(self) -> None:
        """Hide names until each vote from now on, or show them."""
        self.hidden = not self.hidden
        if self.hidden:
            self._hide()
            self._desk.tell("Names are hidden until you have voted, and the panes may change places at each prompt.")
        else:
            self._show_names()

    async def vote(self, winner: Winner) -> None:
        """Keep a vote, and show who wrote what."""
        from tui.chat.errors import ChatError
        from tui.chat.votes import Vote, use_case_of

        desk, pair = self._desk, self.pair
        if pair is None:
            return
        left, right = pair
        prompt = next((one for one in reversed(_messages(next(iter(desk.panes)))) if one.role == "user"), None)
        use_case = use_case_of(prompt.content if prompt is not None else "", pair)
        vote = Vote(use_case, left.model, right.model, left.id, right.id, winner, self.hidden)
        self._voted.add(_key(left, right))
        try:
            await desk.history.call(lambda store: store.vote(vote))
        except ChatError as error:
            desk.tell(str(error), "error")
        else:
            sides = [desk.panes.side(pane) for pane in desk.panes]
            better = {"left": f"the {sides[0]} one, {left.model}", "right": f"the {sides[1]} one, {right.model}"}
            desk.tell(f"Your vote is kept: {clean(better.get(winner, 'both are as good'))}.")
        self._show_names()
        desk.refresh_keys()

    async def show(self) -> None:
        """Show which models the votes went to."""
        from tui.app.screens.read import ReadScreen

        found = await self._desk.history.call(lambda store: (store.standings(), store.votes_alike()))
        self._desk.app.push_screen(ReadScreen("Your votes", table(*(found or ((), 0))), self._desk.keymap))

    # ---- names

    def _hide(self) -> None:
        for pane in self._desk.panes:
            pane.view.hide_names(f"the {self._desk.panes.side(pane)} one")

    def _show_names(self) -> None:
        for pane in self._desk.panes:
            pane.view.hide_names("")


def table(standings: tuple[Standing, ...], alike: int = 0) -> Content:
    """Wins, losses and ties of each model in each use case; `alike` votes were about two answers of one model."""
    if not standings and not alike:
        return Content("There are no votes yet. With two panes, vote for the better of two answers.")
    told = f"{plural(alike, 'vote')} between two answers of one model: no win, no loss." if alike else ""
    if not standings:
        return Content(f"{told} Other models, or other settings in one pane, can be told apart.")
    width = min(NAME, max(len(clean(one.model)) for one in standings))
    head = f"{'model':<{width}}  {'for':<12} {'won':>5} {'lost':>5} {'tied':>5}\n"
    parts: list[tuple[str, str]] = [(head, "$muted")]
    before = ""
    for one in standings:
        name = "" if one.model == before else fit(clean(one.model), width)
        before = one.model
        counts = " ".join(fit_right(str(count), 5) for count in (one.wins, one.losses, one.ties))
        parts.append((f"{name:<{width}}  {one.use_case:<12} {counts}\n", "$foreground"))
    return Content.assemble(*parts, (f"\n{told}" if told else "", "$muted"))


def _messages(pane: Pane) -> tuple[Message, ...]:
    return pane.turns.talk.session.messages if pane.turns.talk is not None else ()


def _last_answer(pane: Pane) -> tuple[str, Message] | None:
    """The last answer of a pane where it is complete, with what it answers."""
    messages = _messages(pane)
    if pane.turns.busy or len(messages) < 2:
        return None
    prompt, answer = messages[-2:]
    return (prompt.content, answer) if answer.role == "assistant" and answer.content else None


def _key(one: Message, other: Message) -> tuple[int, ...]:
    return tuple(sorted((one.id, other.id)))
