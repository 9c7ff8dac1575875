"""What a load would take, on the screen: the load panel's verdict, the meter's ghost, and what is measured for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.app.flows.drift import Drift
from tui.app.messages import FormRead, LimitsKnown, LoadNoted
from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.pricing import Fixing, MemoryMeasured, PriceMade, Pricing
    from tui.app.flows.trial import SpeedTried
    from tui.app.panels.library.panel import LibraryPanel
    from tui.app.panels.load.details import DetailsScreen
    from tui.app.panels.load.form import Form
    from tui.app.panels.load.panel import LoadPanel
    from tui.app.panels.load.steppers import LoadFields
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model
    from tui.llama.settings import LoadSettings
    from tui.models.fitting import Fitting


class FitFlow:
    """Opens the load panel and keeps it, and the ghost, true."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._form: Form | None = None
        self._pricing: Pricing | None = None
        self._price: PriceMade | None = None
        self._drift = Drift()
        self._memory_asked = False
        self._details: DetailsScreen | None = None
        self._came_from: LoadSettings | None = None
        """The settings before the last change."""
        self.ahead: tuple[LoadSettings, ...] = ()
        """What was looked ahead to since the last question."""

    @property
    def pricing(self) -> Pricing:
        """What asks; made on first use, after the first frame."""
        if self._pricing is None:
            from tui.app.flows.pricing import Pricing

            self._pricing = Pricing(self._desk)
        return self._pricing

    @property
    def fitting(self) -> Fitting:
        """What plans loads."""
        return self.pricing.fitting

    async def close(self) -> None:
        """End the process that answers."""
        if self._pricing is not None:
            await self._pricing.close()

    # ---- the load panel

    def on_library_panel_wanted(self, event: LibraryPanel.Wanted) -> None:
        """A row of the list was taken."""
        self.open_panel(event.model)

    def open_panel(self, model: Model) -> None:
        """Read what the panel shows; it opens when that is there."""
        if model.problem:
            self._desk.tell(f"{clean(model.name)} cannot be loaded: {clean(model.problem)}", "warning")
        elif self._desk.settings is not None:
            self.pricing.read_form(model, self._desk.settings)

    async def on_form_read(self, event: FormRead) -> None:
        """Open the panel."""
        from tui.app.keys import install
        from tui.app.panels.load.panel import LoadPanel

        panel = LoadPanel(event.model, event.form)
        keymap, ascii_only = self._desk.keymap, self._desk.app.glyphs.ascii
        panel.anyway_key, panel.details_key = (
            keymap.first(name, ascii_only) for name in ("load_anyway", "load_details")
        )
        self._form = event.form
        await self._desk.bench.open_load(panel)
        install(panel, self._desk.keymap, "load")
        self._desk.refresh_keys()
        if event.problem:
            panel.say(event.problem)
        self._ask()

    def on_limits_known(self, event: LimitsKnown) -> None:
        """The panel can offer more."""
        panel = self._desk.bench.load
        if panel is not None and panel.model.identity == event.model.identity:
            panel.know(event.limits)
            self.form_changed(panel.fields.form)

    def on_load_fields_changed(self, event: LoadFields.Changed) -> None:
        """A setting was changed."""
        self.form_changed(event.form)

    def form_changed(self, form: Form) -> None:
        """Verdict and ghost follow the settings; the cursor moves nothing but itself."""
        before, self._form = self._wished(), form
        if self._wished() != before or before is None:
            self._came_from = before
            self._ask()
        else:
            self._look_ahead()

    def on_price_made(self, event: PriceMade) -> None:
        """What the selected model, or the one on the load panel, would take is known."""
        panel = self._desk.bench.load
        if panel is not None and (panel.model.identity != event.model.identity or self._wished() != event.wished):
            return  # other settings were chosen meanwhile
        self._price = event
        if panel is not None:
            panel.show(event.price, event.problem)
            if self._details is not None and self._details.is_attached:
                self._details.show(event.price, event.problem)
            self._measure_memory(event)
            self._look_ahead()
        self.show_ghost()

    def on_load_panel_details(self, _event: LoadPanel.Details) -> None:
        """Show all that is known of the price, to be read at leisure."""
        from tui.app.panels.load.details import DetailsScreen

        panel, app = self._desk.bench.load, self._desk.app
        if panel is not None and panel.answer.price is not None:
            title = f"What {clean(panel.model.name)} would take"
            self._details = DetailsScreen(title, panel.answer.price, self._desk.keymap, app.glyphs)
            app.push_screen(self._details)

    def on_load_panel_try_speed(self, _event: LoadPanel.TrySpeed) -> None:
        """Measure how fast the model on the panel would be, without its weights."""
        panel, wished = self._desk.bench.load, self._wished()
        if panel is None or wished is None:
            return
        if not self._idle:
            panel.say("It is measured while nothing else computes: wait for the answer, or stop it.")
            return
        panel.say("Measuring with zeros in place of the weights; this takes some seconds.")
        self.pricing.trial.start(panel.model, wished)

    async def trial_over(self) -> None:
        """End a trial, which would be in the way of a load, and wait until its memory is back."""
        if self._pricing is not None:
            await self._pricing.trial.over()

    def on_speed_tried(self, event: SpeedTried) -> None:
        """That is measured, or cannot be."""
        panel = self._desk.bench.load
        if panel is not None and panel.model.identity == event.model.identity:
            panel.say(event.words)
            self._learnt()

    def on_memory_measured(self, _event: MemoryMeasured) -> None:
        """How fast this machine reads its memory is known now."""
        self._learnt()

    def on_load_noted(self, _event: LoadNoted) -> None:
        """What a load took is known, and counts for the next."""
        self._learnt()

    def memory_seen(self) -> None:
        """Memory was measured: a price that was set against other figures is made anew."""
        now, panel = self._machine, self._desk.bench.load
        if now is None or not self._drift.is_over(now):
            return
        if panel is None:
            self.selected()
        elif not (self._drift.asked and panel.answer.waiting):
            self._ask(quietly=panel.answer.price is not None)

    async def on_load_panel_closed(self, _event: LoadPanel.Closed) -> None:
        """The panel goes."""
        self._form = self._price = None
        self.pricing.stop_looking_ahead()
        self.pricing.trial.stop()
        await self._desk.bench.close_load()
        self.selected()
        self.show_ghost()

    async def on_load_panel_load(self, event: LoadPanel.Load) -> None:
        """Remember the settings, then load with them."""
        self._desk.background.remember(event.model, event.changes)
        self._form = self._price = None
        self.pricing.stop_looking_ahead()
        await self._desk.bench.close_load(then="chat")
        self._desk.loading.load(event.model, event.settings, anyway=event.anyway)

    def _ask(self, *, quietly: bool = False) -> None:
        """Have the settings on the panel priced; `quietly` where they are the same and only the machine has changed."""
        panel, wished = self._desk.bench.load, self._wished()
        if panel is not None and wished is None:
            self._price = None
            panel.show(None)
        elif panel is not None and wished is not None:
            if not quietly:
                panel.wait()
            fixes: Fixing = "with" if quietly else "later"
            self.ahead, about = (), self._about()
            self._drift.ask(about)
            self.pricing.changed(panel.model, wished, about, self._desk.loading.pid, fixes=fixes)

    def _look_ahead(self) -> None:
        """Have what one more step would ask be known by then, where it leads on before where it came from."""
        panel, form = self._desk.bench.load, self._form
        if panel is None or form is None or form.problem() or panel.answer.waiting or not self._idle:
            return
        around = form.neighbours(panel.fields.loaded)
        if around != self.ahead:
            self.ahead = around
            next_ones = sorted(around, key=lambda wished: wished == self._came_from)
            self.pricing.look_ahead(panel.model, next_ones, self._about(), self._desk.loading.pid)

    def _learnt(self) -> None:
        self.pricing.fitting.learn_again()
        panel = self._desk.bench.load
        self._ask(quietly=panel is not None and panel.answer.price is not None and not panel.answer.waiting)

    def _measure_memory(self, priced: PriceMade) -> None:
        """Once, behind the first price, which it would have kept waiting."""
        if priced.price is not None and self._idle and not self._memory_asked:
            self._memory_asked = True
            self.pricing.measure_memory()

    @property
    def _idle(self) -> bool:
        """True while nothing else computes."""
        return not self._desk.loading.loading and not self._desk.chatting.any_busy

    @property
    def _machine(self) -> Snapshot | None:
        """Memory as it counts for a price."""
        return self._pricing.trial.machine if self._pricing is not None else self._desk.machine

    def _about(self) -> Snapshot | None:
        """The memory that the next question is set against."""
        now = self._machine
        return self._drift.about(now) if now is not None else None

    def _wished(self) -> LoadSettings | None:
        return self._form.settings() if self._form is not None and not self._form.problem() else None

    # ---- the ghost

    def on_library_panel_selected(self, _event: LibraryPanel.Selected) -> None:
        """Another row of the list is selected."""
        self.selected()

    def selected(self) -> None:
        """Another model is selected, or there is other news of what a load would take: the ghost follows once a person
        rests there.
        """
        model = self._meant()
        if model is not None and self._desk.bench.load is None:
            about = self._about()
            self._drift.ask(about)
            self.pricing.selected(model, about, self._desk.loading.pid)

    def show_ghost(self) -> None:
        """Show the ghost of what is selected now."""
        self._desk.show_ghost()

    @property
    def ghost(self) -> Mapping[str, int]:
        """What the selected model would add with its settings: bytes by the key of a GPU or RAM."""
        model = self._meant()
        if model is None or self._price is None or self._price.model.identity != model.identity:
            return {}
        return self._price.ghost

    def _meant(self) -> Model | None:
        """The model whose ghost is wanted; beside one that is in memory, only that of the load panel."""
        desk = self._desk
        panel = desk.bench.load
        model = panel.model if panel is not None else desk.bench.library.selected
        if model is None or model.problem or desk.loading.loading:
            return None
        return None if desk.loading.model is not None and panel is None else model
