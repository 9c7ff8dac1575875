"""The workbench: what the first frame shows, and the way of keys and messages to the desk. Nothing else.

The first frame is drawn with as little as it can be; what comes after it (keys, settings, history, engines) is made by
`desk` right behind it. Keys that were pressed before that wait for it. Workers and panels post; the parts of the desk
hear, and change what is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import Worker, WorkerState

from tui.app.driver import PunaDriver, TerminalLost
from tui.app.footer import KeyBar
from tui.app.look import LookApp
from tui.app.panels.meter.panel import MeterPanel
from tui.app.themes import ThemeBook
from tui.app.turns import KeyTurns
from tui.app.workbench import View, Workbench

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.engines import Start
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
        self._keys = KeyTurns(self, self._give)
        self._leaving = False

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
        self.call_later(self._keys.open)  # behind the focus that `open` has asked for

    async def on_event(self, event: events.Event) -> None:
        """Keys come in their order, those first that were pressed before there was anybody to hear them."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self._keys.take(event)
        else:
            await super().on_event(event)

    async def _give(self, event: events.Event) -> None:
        """Keys come first: what streams waits until they have been seen to."""
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

    @on(Message)
    async def _pass_on(self, message: Message) -> None:
        """What panels and workers post is for the parts of the desk."""
        if self.settled and not isinstance(message, events.Event):
            await self.desk.hear(message)

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
