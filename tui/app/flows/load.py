"""From a plan to a model that waits for words: the load, what went wrong, what it took."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tui.app.keys import show_key
from tui.app.panels.chat.state import Loading, NoModel, Unloading
from tui.app.places import Places
from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.engines import EngineGone, EngineReady, Engines, LoadBegun, LoadFailed, LoadProgressed, Start, Unloaded
    from tui.app.expected import RunningEngine
    from tui.app.pane import Pane
    from tui.app.panels.chat.crash import Crash
    from tui.app.panels.library.panel import LibraryPanel
    from tui.engine.protocol import Timings
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model
    from tui.llama.settings import LoadSettings


class LoadFlow:
    """Holds the places of engines. `start` may replace the real ones. What is asked without a pane is about the chosen
    one."""

    def __init__(self, desk: Desk, start: Start | None = None) -> None:
        self._desk = desk
        self.places = Places(desk, start)
        """Where engines are."""
        self.last_log: tuple[str, ...] = ()
        """What the last engine that failed or stopped had written."""

    @property
    def engines(self) -> Engines:
        """The engines of the chosen pane; made on first use, after the first frame."""
        return self.places.of(self._desk.panes.chosen).engines

    @property
    def loading(self) -> bool:
        """True while a model is read into memory, for whichever pane."""
        return any(place.engines.loading for place in self.places)

    @property
    def ready(self) -> bool:
        """True when a model waits for words."""
        return self._desk.panes.chosen.ready

    @property
    def thinking_switch(self) -> bool:
        """True when the model that waits for words can be told whether to think."""
        return self.engine is not None and self.engine.thinking_switch

    @property
    def engine(self) -> RunningEngine | None:
        """The engine that waits for words."""
        return self._desk.panes.chosen.engine

    @property
    def model(self) -> Model | None:
        """The model that is in memory, or on its way there."""
        place = self._desk.panes.chosen.place
        return place.engines.model if place is not None else None

    @property
    def pid(self) -> int | None:
        """The process that holds it, and makes room when another is loaded."""
        chosen = self._desk.panes.chosen
        shared = any(pane is not chosen and pane.place is chosen.place for pane in self._desk.panes)
        engine = chosen.place.engines.engine if chosen.place is not None and not shared else None
        return engine.pid if engine is not None else None

    def measured(self, snapshot: Snapshot) -> None:
        """Memory was measured."""
        for place in self.places:
            place.others.seen(snapshot)

    @property
    def log(self) -> tuple[str, ...]:
        """What the engine wrote: the running one, else the last one that failed."""
        logged = getattr(self._desk.panes.chosen.engine, "logged", ())
        return tuple(line.text for line in logged) or self.last_log

    async def close(self) -> None:
        """End the engines."""
        await asyncio.gather(*(place.engines.close() for place in self.places))

    def cancel(self) -> None:
        """Stop the loads that are running."""
        for place in self.places:
            place.engines.cancel_load()

    def unload(self) -> None:
        """Take the model out of memory."""
        if self.ready and self.engines.model is not None:
            for pane in self._desk.panes.at(self.engines):
                pane.view.set_status(Unloading(self.engines.model.name))
            self.engines.unload()

    # ---- loading

    def load(
        self, model: Model, wished: LoadSettings | None = None, *, anyway: bool = False, pane: Pane | None = None
    ) -> None:
        """Load a model for a pane, with its own settings unless told. What does not fit is refused, or loaded
        `anyway`. Nothing is loaded where the other pane's engine can answer here, too."""
        pane = pane or self._desk.panes.chosen
        if self._desk.panes.seat(pane, model, wished):
            self._desk.chatting.context_changed(pane, pane.n_ctx)
            self.refresh()
        else:
            self.places.of(pane).engines.load(model, wished, anyway=anyway)

    # ---- what the engines tell

    def on_load_begun(self, event: LoadBegun) -> None:
        for pane in self._desk.panes.at(event.engines):
            pane.view.clear_crash()
            pane.view.set_model(self._desk.panes.title(pane, loaded=False))
            pane.view.set_status(Loading(event.model.name))
        self.refresh()

    def on_load_progressed(self, event: LoadProgressed) -> None:
        if event.engines.loading and event.engines.model is event.model:
            for pane in self._desk.panes.at(event.engines):
                pane.view.set_status(Loading(event.model.name, event.fraction))
                pane.view.transcript.set_progress("loading the model")
            self._desk.ticker.wake()

    def on_engine_ready(self, event: EngineReady) -> None:
        desk = self._desk
        desk.bench.library.loaded = event.model.identity
        desk.background.keep_model(event.model)
        desk.tell(" ".join(event.prepared.said))
        desk.background.note_load(event.prepared, event.engine.receipt, event.engine.pid)
        if event.engine.receipt.template is None:
            desk.tell(f"{clean(event.model.name)} has no chat template: it continues text instead of answering it.")
        place = self.places.at(event.engines)
        place.others.loaded(time.time())
        place.prepared = event.prepared
        for pane in desk.panes.at(event.engines):
            pane.view.set_model(desk.panes.title(pane, loaded=True))
            desk.chatting.context_changed(pane, event.engine.receipt.n_ctx)
        desk.idle.spoken()
        self.refresh()

    def on_load_failed(self, event: LoadFailed) -> None:
        from tui.app.engines import NoRoom

        desk = self._desk
        self.last_log = event.error.log or self.last_log
        waiting = any(pane.turns.busy for pane in desk.panes.at(event.engines))
        self._nothing_loaded(event.engines)
        in_its_place = waiting and desk.bench.view == "chat"  # the answer's own line tells it
        if event.error.kind != "cancelled" and not in_its_place:
            hint = clean(event.error.hint)
            advice = f" {hint[:1].upper()}{hint[1:]}." if hint else ""
            no_room = isinstance(event.error, NoRoom)
            what = "" if no_room else f"{clean(event.model.name)} could not be loaded: "
            desk.tell(f"{what}{clean(event.error.message)}.{advice}", "warning" if no_room else "error")

    def on_engine_gone(self, event: EngineGone) -> None:
        from tui.app.panels.chat.crash import Crash

        desk = self._desk
        self.last_log = event.error.log
        panes = desk.panes.at(event.engines)
        others = self.places.at(event.engines).others
        crashes = [
            Crash.of(
                event.error, event.model, event.wished, event.receipt, pane.turns.kept_tokens, others.suspects(),
                for_memory=others.memory_may_be_why(event.error, on_gpus=bool(event.receipt.devices)),
            )
            for pane in panes
        ]  # fmt: skip
        self._nothing_loaded(event.engines)
        keys = [desk.keymap.keys[name] for name in ("reload_safer", "reload_same", "crash_log")]
        safer_key, same_key, log_key = (show_key(found[0]) if found else "^p" for found in keys)
        for pane, crash in zip(panes, crashes, strict=True):
            desk.bench.chat.show_crash(pane.view, crash, (safer_key, same_key, log_key))
        desk.refresh_keys()

    def on_unloaded(self, event: Unloaded) -> None:
        self._nothing_loaded(event.engines)

    def reload(self, crash: Crash, wished: LoadSettings) -> None:
        """Load again after a crash. Settings other than before count for this load: what is kept for the model is the
        person's."""
        for pane in self._desk.panes.at(self.engines):
            pane.view.clear_crash()
            pane.wished = wished
        self.load(crash.model, wished)

    def answered(self, pane: Pane, conversation_id: int, timings: Timings) -> None:
        """An answer has ended: its conversation is in the context, and how fast it was counts for the next estimate,
        unless others were made meanwhile."""
        pane.states.answered(conversation_id, timings.n_ctx_used)
        self._desk.idle.spoken()
        prepared = pane.place.prepared if pane.place is not None else None
        if prepared is not None and not any(other.turns.busy for other in self._desk.panes if other is not pane):
            self._desk.background.note_speed(prepared, timings)
        self._desk.panes.answered(pane, timings)

    def _nothing_loaded(self, engines: Engines) -> None:
        desk = self._desk
        self.places.at(engines).prepared = None
        for pane in desk.panes.at(engines):
            if not desk.panes.split:
                pane.model = pane.wished = None
            pane.view.set_model(desk.panes.title(pane, loaded=False))
            desk.chatting.context_changed(pane, 0)
            pane.states.nothing_loaded()
        left = next((pane.model for pane in desk.panes if pane.ready), None)
        desk.bench.library.loaded = left.identity if left is not None else ""
        self.refresh()
        desk.fit.selected()

    def on_library_panel_selected(self, _event: LibraryPanel.Selected) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Bring hint, status, meter and footer up to date with what is loaded and selected."""
        self.describe_next()
        self._desk.fit.show_ghost()
        self._desk.refresh_keys()

    def describe_next(self) -> None:
        """Where nothing is loaded: which model would be, when a person writes."""
        for pane in self._desk.panes:
            if not pane.ready and not pane.loading:
                model = pane.model or self._desk.bench.library.selected
                pane.view.set_status(NoModel(model.name if model and not model.problem else ""))
        self._desk.show_hint()
