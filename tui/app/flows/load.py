"""From a plan to a model that waits for words: the load, what went wrong, what it took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.flows.others import Others
from tui.app.keys import show_key
from tui.app.panels.chat.state import Loading, NoModel, Unloading
from tui.app.text import clean, size

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.engines import EngineGone, EngineReady, Engines, LoadBegun, LoadFailed, LoadProgressed, Start, Unloaded
    from tui.app.expected import RunningEngine
    from tui.app.panels.chat.crash import Crash
    from tui.app.panels.library.panel import LibraryPanel
    from tui.engine.protocol import Timings
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model
    from tui.llama.settings import LoadSettings
    from tui.models.prepare import Prepared


RESERVED_THREADS = 1
"""Cores that an engine leaves to the screen."""


class LoadFlow:
    """Holds the engines. `start` may replace the real ones."""

    def __init__(self, desk: Desk, start: Start | None = None) -> None:
        self._desk, self._start = desk, start
        self._engines: Engines | None = None
        self._prepared: Prepared | None = None
        self._others = Others()
        self.last_log: tuple[str, ...] = ()
        """What the last engine that failed or stopped had written."""

    @property
    def engines(self) -> Engines:
        """The engines; made on first use, after the first frame."""
        if self._engines is None:
            from tui.app.engines import Engines

            self._engines = Engines(
                start=self._start or self._start_real,
                prepare=self._prepare,
                after_start=self._desk.states.greet,
                before_end=self._desk.states.leave,
                post=self._post,
                spawn=self._spawn,
            )
        return self._engines

    @property
    def loading(self) -> bool:
        """True while a model is read into memory."""
        return self._engines is not None and self._engines.loading

    @property
    def ready(self) -> bool:
        """True when a model waits for words."""
        return self._engines is not None and self._engines.ready

    @property
    def thinking_switch(self) -> bool:
        """True when the model that waits for words can be told whether to think."""
        return self.engine is not None and self.engine.thinking_switch

    @property
    def engine(self) -> RunningEngine | None:
        """The engine that waits for words."""
        return self._engines.engine if self._engines is not None and self._engines.ready else None

    @property
    def model(self) -> Model | None:
        """The model that is in memory, or on its way there."""
        return self._engines.model if self._engines is not None else None

    @property
    def pid(self) -> int | None:
        """The process that holds it."""
        engine = self._engines.engine if self._engines is not None else None
        return engine.pid if engine is not None else None

    def measured(self, snapshot: Snapshot) -> None:
        """Memory was measured."""
        self._others.seen(snapshot)

    @property
    def log(self) -> tuple[str, ...]:
        """What the engine wrote: the running one, else the last one that failed."""
        engine = self._engines.engine if self._engines is not None else None
        logged = getattr(engine, "logged", ())
        return tuple(line.text for line in logged) or self.last_log

    async def close(self) -> None:
        """End the engine."""
        if self._engines is not None:
            await self._engines.close()

    def cancel(self) -> None:
        """Stop a load that is running."""
        if self._engines is not None:
            self._engines.cancel_load()

    def unload(self) -> None:
        """Take the model out of memory."""
        if self.ready and self.engines.model is not None:
            self._desk.bench.chat.set_status(Unloading(self.engines.model.name))
            self.engines.unload()

    # ---- loading

    def load(self, model: Model, wished: LoadSettings | None = None, *, anyway: bool = False) -> None:
        """Load a model, with its own settings unless told. What does not fit is refused, or loaded `anyway`."""
        self.engines.load(model, wished, anyway=anyway)

    # ---- what the engines tell

    def on_load_begun(self, event: LoadBegun) -> None:
        self._desk.bench.chat.clear_crash()
        self._desk.bench.chat.set_model("")
        self._desk.bench.chat.set_status(Loading(event.model.name))
        self.refresh()

    def on_load_progressed(self, event: LoadProgressed) -> None:
        if self.loading and self.engines.model is event.model:
            self._desk.bench.chat.set_status(Loading(event.model.name, event.fraction))
            self._desk.bench.chat.transcript.set_progress("loading the model")
            self._desk.ticker.wake()

    def on_engine_ready(self, event: EngineReady) -> None:
        desk = self._desk
        desk.bench.chat.set_model(f"{event.model.name} {event.model.quant or ''}".strip())
        desk.bench.library.loaded = event.model.identity
        desk.background.keep_model(event.model)
        self._others.loaded(time.time())
        self._prepared = event.prepared
        desk.tell(" ".join(event.prepared.said))
        desk.background.note_load(event.prepared, event.engine.receipt, event.engine.pid)
        if event.engine.receipt.template is None:
            desk.tell(f"{clean(event.model.name)} has no chat template: it continues text instead of answering it.")
        desk.chatting.context_changed(event.engine.receipt.n_ctx)
        desk.idle.spoken()
        self.refresh()

    def on_load_failed(self, event: LoadFailed) -> None:
        from tui.app.engines import NoRoom

        self.last_log = event.error.log or self.last_log
        self._nothing_loaded()
        in_its_place = self._desk.chatting.busy and self._desk.bench.view == "chat"  # the answer's own line tells it
        if event.error.kind != "cancelled" and not in_its_place:
            hint = clean(event.error.hint)
            advice = f" {hint[:1].upper()}{hint[1:]}." if hint else ""
            no_room = isinstance(event.error, NoRoom)
            what = "" if no_room else f"{clean(event.model.name)} could not be loaded: "
            self._desk.tell(f"{what}{clean(event.error.message)}.{advice}", "warning" if no_room else "error")

    def on_engine_gone(self, event: EngineGone) -> None:
        from tui.app.panels.chat.crash import Crash

        desk = self._desk
        self.last_log = event.error.log
        crash = Crash.of(
            event.error,
            event.model,
            event.wished,
            event.receipt,
            desk.chatting.kept_tokens,
            self._others.suspects(),
            for_memory=self._others.memory_may_be_why(event.error, on_gpus=bool(event.receipt.devices)),
        )
        self._nothing_loaded()
        keys = [desk.keymap.keys[name] for name in ("reload_safer", "reload_same", "crash_log")]
        safer_key, same_key, log_key = (show_key(found[0]) if found else "^p" for found in keys)
        desk.bench.chat.show_crash(crash, (safer_key, same_key, log_key))
        desk.refresh_keys()

    def on_unloaded(self, _event: Unloaded) -> None:
        self._nothing_loaded()

    def reload(self, crash: Crash, wished: LoadSettings) -> None:
        """Load again after a crash. Settings other than before count for this load: what is kept for the model is the
        person's."""
        self._desk.bench.chat.clear_crash()
        self.load(crash.model, wished)

    def answered(self, conversation_id: int, timings: Timings) -> None:
        """An answer has ended: its conversation is in the context, and how fast it was counts for the next estimate."""
        self._desk.states.answered(conversation_id, timings.n_ctx_used)
        self._desk.idle.spoken()
        if self._prepared is not None:
            self._desk.background.note_speed(self._prepared, timings)

    def _nothing_loaded(self) -> None:
        desk = self._desk
        self._prepared = None
        desk.bench.chat.set_model("")
        desk.bench.library.loaded = ""
        desk.chatting.context_changed(0)
        desk.states.nothing_loaded()
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
        if not self.ready and not self.loading:
            model = self._desk.bench.library.selected
            self._desk.bench.chat.set_status(NoModel(model.name if model and not model.problem else ""))
        self._desk.show_hint()

    # ---- what the engines need

    async def _prepare(self, model: Model, wished: LoadSettings | None, anyway: bool) -> Prepared:
        from tui.app.engines import NoRoom
        from tui.models.prepare import prepare, wished_for

        settings, paths = self._desk.settings, self._desk.paths
        assert settings is not None
        await self._desk.fit.trial_over()
        if wished is None:
            wished = await asyncio.to_thread(wished_for, paths, model, settings)
        prepared = await prepare(self._desk.fit.fitting, paths, model, wished, settings)
        found = prepared.assessment
        if found is not None and found.verdict == "no" and not anyway:
            panel_key, anyway_key = (self._key(action) for action in ("load", "load_anyway"))
            raise NoRoom(
                f"{clean(model.name)} does not fit: {size(found.missing_bytes)} are missing",
                f"{panel_key} opens the load panel: it lists what would help, {anyway_key} loads it anyway",
            )
        return prepared

    def _key(self, action_id: str) -> str:
        """A key that works while a person writes, where there is one."""
        keys = self._desk.keymap.keys[action_id]
        return show_key(keys[-1], self._desk.app.glyphs.ascii) if keys else "^p"

    async def _start_real(self, path: Any, settings: LoadSettings, name: str, on_progress: Any) -> Any:
        from tui.engine.client import Engine

        own = self._desk.settings
        return await Engine.start(
            path,
            settings,
            name=name,
            on_progress=on_progress,
            nice=own.engine.nice if own else 10,
            reserve_threads=RESERVED_THREADS,
            engines_dir=self._desk.paths.engines_dir,
        )

    def _post(self, message: Message) -> None:
        self._desk.app.post_message(message)

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]], description: str) -> None:
        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(run, group="engine", description=description, exclusive=True, exit_on_error=False)
