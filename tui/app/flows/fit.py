"""What a load would take, on the screen: the load panel's verdict, the meter's ghost, and what is measured for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.app.background import FormRead
from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.flows.pricing import PriceMade, Pricing, SpeedTried
    from tui.app.panels.load.form import Form
    from tui.app.panels.load.panel import LoadPanel
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

    def open_panel(self, model: Model) -> None:
        """Read what the panel shows; it opens when that is there."""
        if model.problem:
            self._desk.tell(f"{clean(model.name)} cannot be loaded: {clean(model.problem)}", "warning")
        elif self._desk.settings is not None:
            self.pricing.read_form(model, self._desk.settings)

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
        if not self._desk.loading.loading and not self._desk.chatting.busy:
            self.pricing.measure_memory()

    def form_changed(self, form: Form) -> None:
        """Verdict and ghost follow the settings."""
        self._form = form
        self._ask_again()
        self.show_ghost()

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
        self.show_ghost()

    def try_speed(self) -> None:
        """Measure how fast the model on the panel would be, without its weights."""
        panel, wished = self._desk.bench.load, self._wished()
        if panel is not None and wished is not None:
            panel.say("Measuring: zeros in place of the weights, for some seconds.")
            self.pricing.try_speed(panel.model, wished)

    def speed_tried(self, event: SpeedTried) -> None:
        """That is measured, or cannot be."""
        panel = self._desk.bench.load
        if panel is not None and panel.model.identity == event.model.identity:
            panel.say(event.words)
            self._ask_again()

    def memory_measured(self) -> None:
        """How fast this machine reads its memory is known now."""
        self._ask_again()

    async def panel_closed(self) -> None:
        """The panel goes."""
        self._form = None
        await self._desk.bench.close_load()
        self.show_ghost()

    async def wanted(self, event: LoadPanel.Load) -> None:
        """Remember the settings, then load with them."""
        self._desk.background.remember(event.model, event.changes)
        self._form = None
        await self._desk.bench.close_load(then="chat")
        self._desk.loading.load(event.model, event.settings)

    def _ask_again(self) -> None:
        panel, wished = self._desk.bench.load, self._wished()
        if panel is not None and wished is None:
            panel.answer.show(None)
        elif panel is not None and wished is not None:
            self.pricing.changed(panel.model, wished, self._desk.loading.pid)

    def _wished(self) -> LoadSettings | None:
        return self._form.settings() if self._form is not None and not self._form.problem() else None

    # ---- the ghost

    def selected(self) -> None:
        """Another model is selected, or memory has become known: the ghost follows once a person rests there."""
        model = self._meant()
        if model is not None and self._desk.bench.load is None and not self._is_priced(model):
            self.pricing.selected(model, self._desk.loading.pid)

    def show_ghost(self) -> None:
        """Show the ghost of what is selected now."""
        self._desk.app.meter.show_ghost(self.ghost)

    @property
    def ghost(self) -> Mapping[str, int]:
        """What the selected model would add with its settings: bytes by the key of a GPU or RAM."""
        model = self._meant()
        if model is None or self._price is None or not self._is_priced(model):
            return {}
        return self._price.ghost

    def _meant(self) -> Model | None:
        """The model whose ghost is wanted; what is in memory has none, and beside it another only on its load panel."""
        desk = self._desk
        panel = desk.bench.load
        model = panel.model if panel is not None else desk.bench.library.selected
        held = desk.loading.model
        if model is None or model.problem or desk.loading.loading:
            return None
        return None if held is not None and (panel is None or held.identity == model.identity) else model

    def _is_priced(self, model: Model) -> bool:
        return self._price is not None and self._price.model.identity == model.identity
