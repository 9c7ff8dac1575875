"""From a row of the library to a model that waits for words: load panel, load, what went wrong, the meter's ghost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.background import FormRead
from tui.app.flows.others import Others
from tui.app.keys import show_key
from tui.app.panels.chat.state import Loading, NoModel, Unloading
from tui.app.panels.meter.ghost import ghost_of
from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.engines import EngineGone, EngineReady, Engines, LoadBegun, LoadFailed, LoadProgressed, Start, Unloaded
    from tui.app.flows.pricing import PriceMade, Pricing
    from tui.app.panels.chat.crash import Crash
    from tui.app.panels.load.form import Form
    from tui.app.panels.load.panel import LoadPanel
    from tui.engine.protocol import Timings
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model
    from tui.llama.settings import LoadSettings
    from tui.models.prepare import Prepared


class LoadFlow:
    """Holds the engines. `start` may replace the real ones."""

    def __init__(self, desk: Desk, start: Start | None = None) -> None:
        self._desk, self._start = desk, start
        self._engines: Engines | None = None
        self._form: Form | None = None
        self._pricing: Pricing | None = None
        self._price: PriceMade | None = None
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
                start=self._start or self._start_real, prepare=self._prepare, post=self._post, spawn=self._spawn
            )
        return self._engines

    @property
    def pricing(self) -> Pricing:
        """What asks for prices; made on first use."""
        if self._pricing is None:
            from tui.app.flows.pricing import Pricing

            self._pricing = Pricing(self._desk)
        return self._pricing

    @property
    def loading(self) -> bool:
        """True while a model is read into memory."""
        return self._engines is not None and self._engines.loading

    @property
    def ready(self) -> bool:
        """True when a model waits for words."""
        return self._engines is not None and self._engines.ready

    @property
    def log(self) -> tuple[str, ...]:
        """What the engine wrote: the running one, else the last one that failed."""
        engine = self._engines.engine if self._engines is not None else None
        logged = getattr(engine, "logged", ())
        return tuple(line.text for line in logged) or self.last_log

    async def close(self) -> None:
        """End the engine, and the process that answers what a load would take."""
        if self._pricing is not None:
            await self._pricing.close()
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

    # ---- the load panel

    def open_panel(self, model: Model) -> None:
        """Read what the panel shows; it opens when that is there."""
        if model.problem:
            self._desk.tell(f"{clean(model.name)} cannot be loaded: {clean(model.problem)}", "warning")
        elif self._desk.settings is not None:
            self._desk.background.read_form(model, self._desk.settings)

    async def form_read(self, event: FormRead) -> None:
        """Open the panel."""
        from tui.app.keys import install
        from tui.app.panels.load.panel import LoadPanel

        panel = LoadPanel(event.model, event.form)
        self._form = event.form
        await self._desk.bench.open_load(panel)
        install(panel.fields, self._desk.keymap, "load")
        self._desk.refresh_keys()
        if event.problem:
            panel.say(event.problem)
        self.form_changed(event.form)

    def form_changed(self, form: Form) -> None:
        """Verdict and ghost follow the settings."""
        self._form = form
        panel = self._desk.bench.load
        if panel is not None and form.problem():
            panel.answer.show(None)
        elif panel is not None:
            self.pricing.changed(panel.model, form.settings(), self._leaving())
        self.show_meter()

    def price_made(self, event: PriceMade) -> None:
        """What the selected model, or the one on the load panel, would take is known."""
        panel = self._desk.bench.load
        if panel is not None and (panel.model.identity != event.model.identity or self._wished() != event.wished):
            return  # other settings were chosen meanwhile
        self._price = event
        if panel is not None:
            panel.answer.show(event.price)
            if event.problem:
                panel.say(f"llama.cpp refuses: {event.problem}")
        self.show_meter()

    def selected(self) -> None:
        """Another model is selected: the ghost follows it once a person rests there."""
        model = self._desk.bench.library.selected
        if model is not None and not model.problem and self._desk.bench.load is None and self._desk.machine is not None:
            self.pricing.selected(model, self._leaving())

    def _wished(self) -> LoadSettings | None:
        return self._form.settings() if self._form is not None and not self._form.problem() else None

    def _leaving(self) -> int | None:
        """The engine that makes room for the next load."""
        engine = self._engines.engine if self._engines is not None else None
        return engine.pid if engine is not None else None

    async def panel_closed(self) -> None:
        """The panel goes."""
        self._form = None
        await self._desk.bench.close_load()
        self.show_meter()

    async def wanted(self, event: LoadPanel.Load) -> None:
        """Remember the settings, then load with them."""
        self._desk.background.remember(event.model, event.changes)
        self._form = None
        await self._desk.bench.close_load(then="chat")
        self.load(event.model, event.settings)

    def load(self, model: Model, wished: LoadSettings | None = None) -> None:
        """Load a model, with its own settings unless told."""
        self.engines.load(model, wished)

    # ---- what the engines tell

    def begun(self, event: LoadBegun) -> None:
        self._desk.bench.chat.clear_crash()
        self._desk.bench.chat.set_model("")
        self._desk.bench.chat.set_status(Loading(event.model.name))
        self.refresh()

    def progressed(self, event: LoadProgressed) -> None:
        if self.loading and self.engines.model is event.model:
            self._desk.bench.chat.set_status(Loading(event.model.name, event.fraction))
            self._desk.bench.chat.transcript.set_progress("loading the model")
            self._desk.ticker.wake()

    def arrived(self, event: EngineReady) -> None:
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
        self.refresh()

    def failed(self, event: LoadFailed) -> None:
        self.last_log = event.error.log or self.last_log
        self._nothing_loaded()
        if event.error.kind != "cancelled":
            hint = clean(event.error.hint)
            advice = f" {hint[:1].upper()}{hint[1:]}." if hint else ""
            words = f"{clean(event.model.name)} could not be loaded: {clean(event.error.message)}.{advice}"
            self._desk.tell(words, "error")

    def gone(self, event: EngineGone) -> None:
        from tui.app.panels.chat.crash import Crash

        desk = self._desk
        self.last_log = event.error.log
        crash = Crash.of(
            event.error, event.model, event.wished, event.receipt, desk.chatting.kept_tokens, self._others.suspects()
        )
        self._nothing_loaded()
        keys = [desk.keymap.keys[name] for name in ("reload_safer", "reload_same", "crash_log")]
        safer_key, same_key, log_key = (show_key(found[0]) if found else "^p" for found in keys)
        desk.bench.chat.show_crash(crash, (safer_key, same_key, log_key))
        desk.refresh_keys()

    def unloaded(self, _event: Unloaded) -> None:
        self._nothing_loaded()

    def reload(self, crash: Crash, wished: LoadSettings) -> None:
        """Load again after a crash; settings other than before are remembered for the model."""
        self._desk.bench.chat.clear_crash()
        if wished != crash.settings:
            self._desk.background.remember(crash.model, changed_settings(crash.settings, wished))
        self.load(crash.model, wished)

    def answered(self, timings: Timings) -> None:
        """An answer has ended: how fast it was counts for the next estimate."""
        if self._prepared is not None:
            self._desk.background.note_speed(self._prepared, timings)

    def _nothing_loaded(self) -> None:
        desk = self._desk
        self._prepared = None
        desk.bench.chat.set_model("")
        desk.bench.library.loaded = ""
        desk.chatting.context_changed(0)
        self.refresh()

    def refresh(self) -> None:
        """Bring hint, status, meter and footer up to date with what is loaded and selected."""
        self.describe_next()
        self.show_meter()
        self._desk.refresh_keys()

    def describe_next(self) -> None:
        """Where nothing is loaded: which model would be, when a person writes."""
        if not self.ready and not self.loading:
            model = self._desk.bench.library.selected
            self._desk.bench.chat.set_status(NoModel(model.name if model and not model.problem else ""))
        self._desk.show_hint()

    # ---- the meter

    def measured(self, snapshot: Snapshot) -> None:
        """Memory was measured."""
        self._others.seen(snapshot)

    def show_meter(self) -> None:
        """Show the ghost of what is selected now."""
        self._desk.app.meter.show_ghost(self.ghost)

    @property
    def ghost(self) -> dict[str, int]:
        """What the selected model would add with its settings: bytes by the key of a GPU or RAM."""
        snapshot = self._desk.machine
        if snapshot is None:
            return {}
        panel = self._desk.bench.load
        model = panel.model if panel is not None else self._desk.bench.library.selected
        held = self._engines.model if self._engines is not None else None
        if model is None or model.problem or self.loading:
            return {}
        if held is not None and (panel is None or held.identity == model.identity):
            return {}  # it is in memory; what another would take is asked for by opening its load panel
        if self._price is not None and self._price.model.identity == model.identity and self._price.ghost:
            return dict(self._price.ghost)
        form = self._form
        layers = form.values["n_gpu_layers"] if form else "auto"
        return ghost_of(model.file_bytes, snapshot, layers, form.limits.n_layer if form else None)

    # ---- what the engines need

    async def _prepare(self, model: Model, wished: LoadSettings | None) -> Prepared:
        from tui.models.prepare import prepare, wished_for

        settings, paths = self._desk.settings, self._desk.paths
        assert settings is not None
        if wished is None:
            wished = await asyncio.to_thread(wished_for, paths, model, settings)
        return await prepare(self.pricing.fitting, paths, model, wished, settings)

    async def _start_real(self, path: Any, settings: LoadSettings, name: str, on_progress: Any) -> Any:
        from tui.engine.client import Engine

        own = self._desk.settings
        return await Engine.start(
            path,
            settings,
            name=name,
            on_progress=on_progress,
            nice=own.engine.nice if own else 10,
            reserve_threads=1,
            engines_dir=self._desk.paths.engines_dir,
        )

    def _post(self, message: Message) -> None:
        self._desk.app.post_message(message)

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]], description: str) -> None:
        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(run, group="engine", description=description, exclusive=True, exit_on_error=False)


def changed_settings(before: LoadSettings, after: LoadSettings) -> dict[str, Any]:
    """Fields that differ, as models.toml keeps them."""
    names = before.__struct_fields__
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
