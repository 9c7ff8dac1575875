"""One pane of the chat or two: which one keys are about, where a prompt goes, and which engine answers where.

Two panes that ask the same of the same model share an engine. Otherwise each has its own, and where memory does not
hold both they take turns: the one makes room, then the other is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.app.asking import Turns
from tui.app.flows.states import StateFlow
from tui.app.keys import install
from tui.app.pane import Pane
from tui.app.text import clean, size

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.engines import Engines
    from tui.app.panels.chat.pane import ChatPane
    from tui.app.panels.chat.panel import ChatPanel
    from tui.engine.protocol import Timings
    from tui.library import Model
    from tui.llama.settings import LoadSettings


class PaneFlow:
    """Holds the panes, in the order in which they stand."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.chosen = self._new_pane(desk.bench.chat.pane, 0)
        """The pane that keys are about."""
        self._panes: tuple[Pane, ...] = (self.chosen,)
        self._one_only = False
        self._taking_turns = False

    def __iter__(self) -> Iterator[Pane]:
        return iter(self._panes)

    @property
    def split(self) -> bool:
        """True while there are two."""
        return len(self._panes) > 1

    @property
    def aimed(self) -> tuple[Pane, ...]:
        """The panes that a prompt goes to."""
        return (self.chosen,) if self._one_only else self._panes

    @property
    def other(self) -> Pane | None:
        """The pane that is not the chosen one."""
        return self._beside(self.chosen)

    def at(self, engines: Engines) -> tuple[Pane, ...]:
        """The panes whose answers come from there."""
        return tuple(pane for pane in self._panes if pane.place is not None and pane.place.engines is engines)

    def title(self, pane: Pane, *, loaded: bool) -> str:
        """The name that stands over a pane: of two, whether its model is in memory or not."""
        sees = loaded and pane.engine is not None and pane.engine.receipt.projector
        return f"{pane.label}, sees images" if sees else pane.label if loaded or self.split else ""

    # ---- opening, closing, choosing

    async def open(self, model: Model, wished: LoadSettings | None = None) -> None:
        """Open a second pane for `model`. The conversation goes on in both."""
        if self.split:
            return
        desk, first = self._desk, self.chosen
        pane = self._new_pane(await desk.bench.chat.split(), 1 - first.number)
        install(pane.view.transcript, desk.keymap, "transcript", "crash")
        desk.pictures.begin_in(pane)
        self._panes, self._one_only, pane.think = (first, pane), False, first.think
        first.model = first.model or desk.bench.library.selected
        first.view.set_model(first.label)
        desk.chatting.begin_in(pane)
        await self._copy(first, pane)
        desk.loading.load(model, wished, pane=pane)
        pane.view.set_model(pane.label)
        self.choose(first)
        desk.bench.go("chat")

    async def close(self) -> None:
        """Close the pane that is not the chosen one; its conversation is kept in the history."""
        kept, gone = self.chosen, self.other
        if gone is None:
            return
        if self._desk.branches.edited_in is gone:
            self._desk.branches.leave()
        gone.turns.stop()
        await gone.turns.close()
        self._panes, self._one_only, self._taking_turns = (kept,), False, False
        if gone.place is not None and gone.place is not kept.place:
            gone.place.engines.cancel_load()
            gone.place.engines.unload()
        elif kept.place is not None and kept.ready:
            kept.place.sequences = 1
            self._desk.tell("The model keeps the second pane's memory until it is loaded again.")
        kept.view.hide_names("")
        if not kept.ready and not kept.loading:
            kept.model = kept.wished = None
        kept.sampling = {}
        await self._desk.bench.chat.join(gone.view)
        kept.view.set_model(self.title(kept, loaded=kept.ready))
        self.choose(kept)

    def choose(self, pane: Pane) -> None:
        """Keys are about this pane from now on."""
        self.chosen = pane
        self._desk.bench.chat.choose(pane.view)
        self.show_aim()
        self._desk.context.written()
        self._desk.loading.refresh()

    def on_chat_panel_chosen(self, event: ChatPanel.Chosen) -> None:
        """The focus has come to a pane."""
        found = next((pane for pane in self._panes if pane.view is event.pane), None)
        if found is not None and found is not self.chosen:
            self.choose(found)

    def change_aim(self) -> None:
        """Write to both panes, or to the chosen one only."""
        self._one_only = not self._one_only
        self.show_aim()
        self._desk.context.written()

    def show_aim(self) -> None:
        """Say beside the prompt where it goes."""
        words = f"{self.side(self.chosen)} only" if self._one_only else "both panes"
        self._desk.bench.chat.aim(words)

    def side(self, pane: Pane) -> str:
        """Where a pane stands, in a word."""
        first = pane is self._panes[0]
        if self._desk.bench.chat.beside:
            return "left" if first else "right"
        return "upper" if first else "lower"

    def showing(self, conversation_id: int) -> Pane | None:
        """The pane that shows a conversation."""
        talks = ((pane, pane.turns.talk) for pane in self._panes)
        shown = ((pane, talk.session.conversation) for pane, talk in talks if talk is not None)
        return next((pane for pane, found in shown if found is not None and found.id == conversation_id), None)

    def exchange_sides(self) -> None:
        """The panes change their places on the screen."""
        self._panes = self._panes[::-1]
        self._desk.bench.chat.swap()
        self.show_aim()

    def exchange_models(self) -> None:
        """Each conversation goes on with the model of the other pane."""
        one, other = self._panes
        if any(pane.turns.busy or pane.loading for pane in self._panes):
            self._desk.tell("An answer is being written, or a model loaded. Stop it first, or wait for its end.")
            return
        for name in ("place", "sequence", "model", "wished", "sampling", "think"):
            mine, theirs = getattr(one, name), getattr(other, name)
            setattr(one, name, theirs)
            setattr(other, name, mine)
        for pane in self._panes:
            pane.view.set_model(self.title(pane, loaded=pane.ready))
            pane.states.nothing_loaded()
            self._desk.chatting.context_changed(pane, pane.n_ctx)
        self._desk.loading.refresh()

    # ---- which engine answers where

    def seat(self, pane: Pane, model: Model, wished: LoadSettings | None) -> bool:
        """Find the place of the engine that is to answer in a pane with `model`; True when it waits there already."""
        if not pane.owns(model):
            self._taking_turns = False
        pane.model, pane.wished = model, wished
        loading, other = self._desk.loading, self._beside(pane)
        if other is not None and pane.asks_the_same(other):
            before, pane.place = pane.place, loading.places.of(other)
            pane.sequence, pane.place.sequences = 1 - other.sequence, 2
            if before is not None and before is not pane.place:
                before.engines.cancel_load()
                before.engines.unload()
            return pane.ready
        if other is not None and other.place is not None:
            other.place.sequences = 1
            if pane.place is other.place:
                pane.place = loading.places.free()
        loading.places.of(pane).sequences, pane.sequence = 1, 0
        return False

    async def make_room(self, engines: Engines) -> None:
        """Where panes take turns: wait for the other one's answer, then have its model leave memory."""
        for pane in self._panes if self._taking_turns else ():
            if pane.place is None or pane.place.engines is engines:
                continue
            while pane.ready and pane.turns.busy:
                for waiting in self.at(engines):
                    waiting.view.transcript.set_progress("waiting for the other pane's answer")
                self._desk.ticker.wake()
                await pane.turns.idle.wait()
            if pane.ready:
                await pane.place.engines.leave()

    async def take_turns(self, engines: Engines, model: Model, wished: LoadSettings) -> bool:
        """Where a model does not fit beside the other pane's, but would in its place: have them take turns, and make
        room. False where that would not help."""
        mine = self.at(engines)
        beside = next((pane for pane in self._panes if pane.ready and pane not in mine), None)
        if beside is None or beside.engine is None or self._taking_turns:
            return False
        alone = await self._desk.fit.pricing.quote(model, wished, beside.engine.pid, panes=wished.panes)
        if alone is None or alone.assessment.verdict == "no":
            return False
        self._taking_turns = True
        self._desk.tell(
            f"{clean(model.name)} does not fit beside {clean(beside.label)}: they answer one after the other, "
            "and each is loaded when its turn comes."
        )
        await self.make_room(engines)
        return True

    def answered(self, pane: Pane, timings: Timings) -> None:
        """An answer is complete: of two panes each says what it took."""
        if self.split:
            pane.view.set_notes(figures=figures(timings, pane))

    # ---- inside

    async def _copy(self, one: Pane, other: Pane) -> None:
        """The branch that is shown in one pane goes on in the other, too, as a conversation of its own."""
        talk = one.turns.talk
        if talk is None or other.turns.talk is None or talk.busy or talk.session.conversation is None:
            return
        other.states.copied_from = talk.session.conversation.id
        await other.turns.talk.copy(talk.session.conversation.id)

    def _beside(self, pane: Pane) -> Pane | None:
        return next((one for one in self._panes if one is not pane), None)

    def _new_pane(self, view: ChatPane, number: int) -> Pane:
        pane = Pane(view, number)
        pane.turns, pane.states = Turns(self._desk, pane), StateFlow(self._desk, pane)
        return pane


def figures(timings: Timings, pane: Pane) -> str:
    """What an answer took, for the lower border of its pane: memory of its engine, and the wait for the first word."""
    engine = pane.engine
    parts = []
    if engine is not None:
        receipt = engine.receipt
        held = sum(
            one.weights_bytes + one.context_bytes + one.compute_bytes for one in (*receipt.devices, receipt.host)
        )
        parts.append(f"{size(held)}{' shared' if engine.settings.panes > 1 else ''}")
    if timings.ttft_s is not None:
        parts.append(f"first word {timings.ttft_s:.1f} s")
    return ", ".join(parts)
