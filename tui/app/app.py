"""The workbench: puts the panels together and passes on what happens between them, and nothing else.

Workers compute and post; the handlers here change what is seen. What an action does is in `commands`, what runs beside
the loop in `background` and `engines`, what takes several steps in `flows`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tui.app.actions import BY_ID
from tui.app.background import Background, ConfigRead, FormRead, HistoryOpened, ModelNamed, ModelsFound, Remembered, Sampled
from tui.app.commands import Commands
from tui.app.driver import PunaDriver, TerminalLost
from tui.app.failures import describe, keep_traceback
from tui.app.flows.chat import ChatFlow
from tui.app.flows.load import LoadFlow
from tui.app.footer import KeyBar
from tui.app.hints import hint_for
from tui.app.keys import default_keymap, install, make_keymap
from tui.app.look import LookApp
from tui.app.panels.chat.editor import PromptEditor
from tui.app.panels.library.panel import LibraryPanel
from tui.app.panels.meter.gauges import Meter
from tui.app.panels.meter.strip import MeterStrip
from tui.app.text import clean_lines
from tui.app.themes import ThemeBook, ThemeError
from tui.app.ticker import Ticker
from tui.app.workbench import View, Workbench
from tui.config.paths import Paths

if TYPE_CHECKING:
    from tui.app.engines import EngineGone, EngineReady, LoadBegun, LoadFailed, LoadProgressed, Start, Unloaded
    from tui.app.panels.load.panel import LoadFields, LoadPanel
    from tui.config.settings import Settings
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model

Severity = Literal["information", "warning", "error"]


@dataclass(frozen=True)
class Opening:
    """What the command line asked for."""

    view: View = "library"
    model: str = ""
    """A model to load at once."""
    conversation: int | None = None
    theme: str = ""
    ascii_only: bool = False


class PunaApp(LookApp):
    """The full-screen program."""

    CSS_PATH = "workbench.tcss"
    TITLE = "puna"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (10, "-short"), (16, "-usual"), (30, "-high")]
    NOTIFICATION_TIMEOUT = 8

    @dataclass
    class Told(Message):
        """Something a worker has to say; `give_back` is text that returns to the prompt."""

        words: str
        severity: Severity = "information"
        give_back: str = ""

    @dataclass
    class TurnOver(Message):
        """An answer has ended, one way or another."""

    def __init__(
        self,
        paths: Paths,
        book: ThemeBook,
        opening: Opening,
        *,
        models: Sequence[Model] = (),
        meter: Meter | None = None,
        start: Start | None = None,
        watch: bool = True,
    ) -> None:
        """`models` and `meter` are for the first frame. `start` replaces real engines, `watch` False the measuring."""
        super().__init__(book, theme=opening.theme, ascii_only=opening.ascii_only)
        self.paths, self.opening = paths, opening
        self._first_models, self._first_meter, self._watch = models, meter or Meter(), watch
        self.keymap = default_keymap()
        self.settings: Settings | None = None
        self.machine: Snapshot | None = None
        self.background = Background(self, paths, book)
        self.commands = Commands(self)
        self.loading = LoadFlow(self, start)
        self.chatting = ChatFlow(self, opening.conversation)
        self.ticker = Ticker(self._tick)
        self._leaving = False

    # ---- the screen

    def get_driver_class(self) -> Any:
        """Ours where Textual would take its Linux one, which serves macOS too."""
        usual = super().get_driver_class()
        return PunaDriver if usual.__name__ == "LinuxDriver" else usual

    def compose(self) -> ComposeResult:
        yield MeterStrip(self._first_meter)
        yield Workbench(self._first_models, self.opening.view)
        yield KeyBar()
        yield Static(Content("too small (needs 40×10)"), id="small")

    @property
    def bench(self) -> Workbench:
        """The panels."""
        return self.screen_stack[0].query_one(Workbench)

    def on_mount(self) -> None:
        self.install_keys()
        self.bench.chat.editor.focus()
        self.call_after_refresh(self._settle)

    def _settle(self) -> None:
        """After the first frame: read everything that it did without."""
        if self.theme_problem is not None:
            self.tell(str(self.theme_problem), "warning")
        self.background.read_config()
        self.background.open_history()

    def install_keys(self) -> None:
        """Give every part its keys, from the action table and the person's wishes."""
        install(self, self.keymap, "app")
        install(self.bench.library.list, self.keymap, "list")
        install(self.bench.chat.transcript, self.keymap, "transcript", "crash")
        install(self.bench.chat.editor, self.keymap, "editor")
        self.screen.refresh_bindings()

    def show_meter(self, meter: Meter) -> None:
        """Show memory."""
        self.screen_stack[0].query_one(MeterStrip).show(meter)

    def show_hint(self) -> None:
        """What the chat says while it is empty."""
        self.bench.chat.transcript.set_empty(hint_for(self))

    # ---- actions

    async def action_do(self, action_id: str, *arguments: str) -> None:
        """Every key of ours, and every row of the palette, comes here."""
        await self.commands.run(action_id, *arguments)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "do" and self.screen_stack:
            return self.commands.can(str(parameters[0])) if parameters and parameters[0] in BY_ID else False
        return True

    def tell(self, words: str, severity: str = "information") -> None:
        """Show a sentence for a while."""
        kind: Severity = "error" if severity == "error" else "warning" if severity == "warning" else "information"
        self.notify(clean_lines(words), severity=kind, markup=False, timeout=12 if kind == "error" else 8)

    def try_theme(self, name: str) -> None:
        """Wear a theme for now; one that cannot be read is told of."""
        try:
            self.wear(name)
        except ThemeError as error:
            self.tell(str(error), "warning")

    async def on_event(self, event: events.Event) -> None:
        """Keys come first: what streams waits until they have been seen to."""
        if isinstance(event, events.Key):
            self.ticker.key()
        await super().on_event(event)

    def _tick(self) -> None:
        if self.chatting.talk is not None:
            self.chatting.talk.flush()
        transcript = self.bench.chat.transcript
        transcript.flush()
        if transcript.needs_flush:
            self.ticker.wake()

    # ---- the end

    async def leave(self, code: int) -> None:
        """End in order: the answer is stopped and stored, the screen closes; `run` then ends the engine."""
        if self._leaving:
            return
        self._leaving = True
        try:
            await self.chatting.close()
        except Exception as error:  # whatever it is: the program ends, and says so on the way out
            self.last_words = str(error)
        self.exit(code, return_code=code)

    last_words: str = ""
    """What has to be said after the screen has closed."""

    def on_terminal_lost(self, _event: TerminalLost) -> None:
        self.run_worker(self.leave(129), group="leave", description="end", exit_on_error=False)

    def end_on_signal(self, number: int) -> None:
        """A signal asks for the end."""
        self.run_worker(self.leave(128 + number), group="leave", description="end", exit_on_error=False)

    def _fatal_error(self) -> None:
        """A mistake of ours: the details go to the log, a sentence to the person."""
        self.last_words = keep_traceback(self.paths.log_file)
        self._close_messages_no_wait()

    # ---- what the background found

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The one door for failures of workers."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.tell(describe(event.worker.description, event.worker.error, self.paths.log_file), "error")

    def on_config_read(self, event: ConfigRead) -> None:
        first, self.settings = self.settings is None, event.config.settings
        self.keymap = make_keymap(self.settings.keys)
        self.install_keys()
        self.ticker.hz = self.settings.ui.refresh
        self.chatting.set_system(self.settings.chat.system)
        if problems := (*event.problems, *self.keymap.problems):
            self.tell("\n".join(problems), "warning")
        if not first:
            return
        if self._watch:
            self.background.watch_machine(self.settings.monitor.interval_s)
        self.look_for_models()
        if self.opening.model:
            self.background.name_model(self.opening.model, self.settings.library.folders)
        self.background.warm_up()
        self.chatting.go_on()

    def look_for_models(self) -> None:
        """Look for models on this machine."""
        if self.settings is not None:
            self.background.find_models(self.settings.library.folders)

    def on_models_found(self, event: ModelsFound) -> None:
        self.bench.library.show(event.models)
        self.loading.refresh()

    def on_model_named(self, event: ModelNamed) -> None:
        if event.model is None:
            self.tell(event.problem, "error")
        else:
            self.bench.library.select(event.model.identity)
            self.loading.load(event.model)

    def on_sampled(self, event: Sampled) -> None:
        self.machine = event.snapshot
        self.loading.show_meter()

    async def on_history_opened(self, event: HistoryOpened) -> None:
        await self.chatting.opened(event)
        self.loading.refresh()

    async def on_form_read(self, event: FormRead) -> None:
        await self.loading.form_read(event)

    def on_remembered(self, event: Remembered) -> None:
        if event.problem:
            self.tell(event.problem, "warning")

    def on_puna_app_told(self, event: Told) -> None:
        self.tell(event.words, event.severity)
        if event.give_back:
            self.bench.chat.give_back(event.give_back)

    def on_puna_app_turn_over(self, _event: TurnOver) -> None:
        self.screen.refresh_bindings()

    # ---- what the panels ask for

    def on_prompt_editor_submitted(self, event: PromptEditor.Submitted) -> None:
        self.chatting.submit(event.text)

    def on_library_panel_selected(self, _event: LibraryPanel.Selected) -> None:
        self.loading.refresh()

    def on_library_panel_wanted(self, event: LibraryPanel.Wanted) -> None:
        self.loading.open_panel(event.model)

    def on_load_fields_changed(self, event: LoadFields.Changed) -> None:
        self.loading.form_changed(event.form)

    async def on_load_panel_load(self, event: LoadPanel.Load) -> None:
        await self.loading.wanted(event)

    async def on_load_panel_closed(self, _event: LoadPanel.Closed) -> None:
        await self.loading.panel_closed()

    # ---- what the engines tell

    def on_load_begun(self, event: LoadBegun) -> None:
        self.loading.begun(event)

    def on_load_progressed(self, event: LoadProgressed) -> None:
        self.loading.progressed(event)

    def on_engine_ready(self, event: EngineReady) -> None:
        self.loading.arrived(event)

    def on_load_failed(self, event: LoadFailed) -> None:
        self.loading.failed(event)

    def on_engine_gone(self, event: EngineGone) -> None:
        self.loading.gone(event)

    def on_unloaded(self, event: Unloaded) -> None:
        self.loading.unloaded(event)
