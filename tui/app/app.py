"""The workbench: what the first frame shows, and the way of every message to whoever acts on it. Nothing else.

The first frame is drawn with as little as it can be; what comes after it (keys, settings, history, engines) is made by
`desk` right behind it. Keys that were pressed before that wait for it. Workers compute and post; the handlers here, and
what they call, change what is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.worker import Worker, WorkerState

from tui.app.driver import PunaDriver, TerminalLost
from tui.app.footer import KeyBar
from tui.app.look import LookApp
from tui.app.panels.chat.editor import PromptEditor
from tui.app.panels.library.panel import LibraryPanel
from tui.app.panels.meter.panel import MeterPanel
from tui.app.themes import ThemeBook
from tui.app.workbench import View, Workbench

if TYPE_CHECKING:
    from tui.app.background import (
        ConfigRead,
        CutOff,
        FormRead,
        HistoryOpened,
        LimitsKnown,
        LoadNoted,
        ModelNamed,
        ModelsFound,
        Remembered,
        Sampled,
        WarmedUp,
    )
    from tui.app.desk import Desk, Told
    from tui.app.engines import EngineGone, EngineReady, LoadBegun, LoadFailed, LoadProgressed, Start, Unloaded
    from tui.app.flows.chat import TurnEnded
    from tui.app.flows.pricing import MemoryMeasured, PriceMade
    from tui.app.flows.trial import SpeedTried
    from tui.app.panels.load.panel import LoadPanel
    from tui.app.panels.load.steppers import LoadFields
    from tui.config.paths import Paths
    from tui.hardware.meter.gauges import Gauge
    from tui.library import Model


FRAME_S = 0.02
"""What the terminal's writer thread gets to itself for the first frame, before modules are imported again."""


class Opening(NamedTuple):
    """What the command line asked for."""

    view: View = "library"
    model: str = ""
    """A model to load at once."""
    conversation: int | None = None
    prefer: str = ""
    """Identity of the model used last."""
    theme: str = ""
    ascii_only: bool = False


class PunaApp(LookApp):
    """The full-screen program."""

    CSS_PATH = "workbench.tcss"
    TITLE = "puna"
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide")]  # noqa: RUF012 - Textual's own type
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-usual"), (30, "-high")]  # noqa: RUF012

    desk: Desk
    """Everything behind the screen; there once `settled` is True."""

    def __init__(
        self,
        paths: Paths,
        book: ThemeBook,
        opening: Opening,
        *,
        models: Sequence[Model] = (),
        meter: Sequence[Gauge] = (),
        start: Start | None = None,
        watch: bool = True,
        scan: bool = True,
    ) -> None:
        """`models` and `meter` are for the first frame, and stay when nothing is scanned and no memory watched. `start`
        replaces real engines."""
        super().__init__(book, theme=opening.theme, ascii_only=opening.ascii_only)
        self.paths, self.opening = paths, opening
        self.meter = MeterPanel(meter)
        """Memory, on top."""
        self.bench = Workbench(models, opening.view, self.meter, opening.prefer)
        """The panels."""
        self.key_bar = KeyBar()
        """The footer."""
        self._start, self._watch, self._scan = start, watch, scan
        self.settled = False
        """True once everything behind the screen is there."""
        self.last_words = ""
        """What has to be said after the screen has closed."""
        self._early: list[events.Event] = []
        self._hearing = self._leaving = False

    # ---- the first frame, and what follows

    def get_driver_class(self) -> Any:
        """Ours where Textual would take its Linux one, which serves macOS too."""
        usual = super().get_driver_class()
        return PunaDriver if usual.__name__ == "LinuxDriver" else usual

    def compose(self) -> ComposeResult:
        yield self.meter
        yield self.bench
        yield self.key_bar

    def on_mount(self) -> None:
        self.call_after_refresh(self._settle)

    async def _settle(self) -> None:
        """After the first frame: everything that it did without."""
        import asyncio
        import gc

        await asyncio.sleep(FRAME_S)

        gc.freeze()
        gc.enable()  # `main` holds the collector back while modules are imported and the screen is made
        from tui.app.desk import Desk

        self.desk = Desk(self, self._start, watch=self._watch, scan=self._scan)
        await self.desk.open()
        self.settled = True
        self.call_later(self._hear)  # behind the focus that `open` has asked for

    async def _hear(self) -> None:
        """Pass on the keys that were pressed before there was anybody to hear them, ahead of any that come now."""
        self._hearing = True
        early, self._early = self._early, []
        for event in early:
            await self.on_event(event)

    async def on_event(self, event: events.Event) -> None:
        """Keys come first: what streams waits until they have been seen to."""
        if isinstance(event, events.Key | events.Paste):
            if not self._hearing:
                self._early.append(event)
                return
            self.desk.ticker.key()
        await super().on_event(event)

    async def on_resize(self, event: events.Resize) -> None:
        """Say so where the terminal is too small; notices find their place anew."""
        if self._notifications:
            self.call_after_refresh(self._refresh_notifications)
        width, height = event.size
        if width < 40 or height < 10 or any(screen.query("#small") for screen in self.screen_stack):
            from tui.app.small import show_small

            for screen in self.screen_stack:
                await show_small(screen, width, height, "x" if self.glyphs.ascii else "×")

    async def action_do(self, action_id: str, *arguments: str) -> None:
        """Every key of ours, and every row of the palette, comes here."""
        await self.desk.commands.run(action_id, *arguments)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action would do something now."""
        return self.desk.commands.can(str(parameters[0])) if action == "do" and self.settled else True

    # ---- the end

    async def leave(self, code: int) -> None:
        """End in order: the answer is stopped and stored, then the screen closes; `main` ends the engine after that."""
        if self._leaving:
            return
        self._leaving = True
        if self.settled:
            self.last_words = await self.desk.close(by_signal=code > 128)
        self.exit(code, return_code=code)

    def on_terminal_lost(self, _event: TerminalLost) -> None:
        self.leave_soon(129)

    def leave_soon(self, code: int) -> None:
        """End from wherever one is: a signal, a lost terminal."""
        self.run_worker(self.leave(code), group="leave", description="end", exit_on_error=False)

    def _fatal_error(self) -> None:
        """A mistake of ours: the details go to the log, a sentence to the person."""
        from tui.app.failures import keep_traceback

        self.last_words = keep_traceback(self.paths.log_file)
        self._close_messages_no_wait()

    def _refresh_notifications(self) -> None:
        """Textual's own: shows what there is to be said now."""
        from tui.app.notices import tidy

        tidy(self)
        super()._refresh_notifications()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one door for failures of workers."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            from tui.app.failures import describe

            words = describe(event.worker.description, event.worker.error, self.paths.log_file)
            self.notify(words, severity="error", markup=False)

    # ---- what the background found

    def on_config_read(self, event: ConfigRead) -> None:
        self.desk.config_read(event)

    def on_models_found(self, event: ModelsFound) -> None:
        self.desk.models_found(event.models)

    def on_model_named(self, event: ModelNamed) -> None:
        self.desk.model_named(event)

    def on_sampled(self, event: Sampled) -> None:
        self.desk.sampled(event)

    async def on_history_opened(self, event: HistoryOpened) -> None:
        await self.desk.chatting.opened(event)

    def on_cut_off(self, event: CutOff) -> None:
        self.desk.chatting.offer(event.conversation_id, "The last answer was cut off when puna ended")

    async def on_form_read(self, event: FormRead) -> None:
        await self.desk.fit.form_read(event)

    def on_warmed_up(self, _event: WarmedUp) -> None:
        self.desk.warmed_up()

    def on_limits_known(self, event: LimitsKnown) -> None:
        self.desk.fit.limits_known(event)

    def on_remembered(self, event: Remembered) -> None:
        self.desk.tell(event.problem, "warning")

    def on_turn_ended(self, event: TurnEnded) -> None:
        self.desk.chatting.turn_ended(event)

    def on_told(self, event: Told) -> None:
        self.desk.told(event)

    # ---- what the panels ask for

    def on_prompt_editor_submitted(self, event: PromptEditor.Submitted) -> None:
        self.desk.chatting.submit(event.text)

    def on_meter_panel_closed(self, _event: MeterPanel.Closed) -> None:
        self.bench.leave_meter()

    def on_meter_panel_paced(self, event: MeterPanel.Paced) -> None:
        self.desk.background.interval_s = event.interval_s

    def on_library_panel_selected(self, _event: LibraryPanel.Selected) -> None:
        if self.settled:
            self.desk.loading.refresh()
            self.desk.fit.selected()

    def on_library_panel_wanted(self, event: LibraryPanel.Wanted) -> None:
        self.desk.fit.open_panel(event.model)

    def on_load_fields_changed(self, event: LoadFields.Changed) -> None:
        self.desk.fit.form_changed(event.form)

    async def on_load_panel_load(self, event: LoadPanel.Load) -> None:
        await self.desk.fit.wanted(event)

    async def on_load_panel_closed(self, _event: LoadPanel.Closed) -> None:
        await self.desk.fit.panel_closed()

    def on_price_made(self, event: PriceMade) -> None:
        self.desk.fit.price_made(event)

    def on_speed_tried(self, event: SpeedTried) -> None:
        self.desk.fit.speed_tried(event)

    def on_memory_measured(self, _event: MemoryMeasured) -> None:
        self.desk.fit.memory_measured()

    def on_load_panel_details(self, _event: LoadPanel.Details) -> None:
        self.desk.fit.details()

    def on_load_noted(self, event: LoadNoted) -> None:
        self.desk.fit.load_noted(event)

    def on_load_panel_try_speed(self, _event: LoadPanel.TrySpeed) -> None:
        self.desk.fit.try_speed()

    # ---- what the engines tell

    def on_load_begun(self, event: LoadBegun) -> None:
        self.desk.loading.begun(event)

    def on_load_progressed(self, event: LoadProgressed) -> None:
        self.desk.loading.progressed(event)

    def on_engine_ready(self, event: EngineReady) -> None:
        self.desk.loading.arrived(event)

    def on_load_failed(self, event: LoadFailed) -> None:
        self.desk.loading.failed(event)

    def on_engine_gone(self, event: EngineGone) -> None:
        self.desk.loading.gone(event)

    def on_unloaded(self, event: Unloaded) -> None:
        self.desk.loading.unloaded(event)
