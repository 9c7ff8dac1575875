"""Everything behind the screen, made right after the first frame: keys, settings, memory, models, conversations.

It owns the parts and says what follows from what the background finds; each part does its own work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui.app.background import Background
from tui.app.commands import Commands
from tui.app.flows.attaching import AttachFlow
from tui.app.flows.branches import BranchFlow
from tui.app.flows.chat import ChatFlow
from tui.app.flows.context import ContextFlow
from tui.app.flows.conversations import ConversationsFlow
from tui.app.flows.downloads import DownloadsFlow
from tui.app.flows.drafts import DraftFlow
from tui.app.flows.finder.flow import FinderFlow
from tui.app.flows.fit import FitFlow
from tui.app.flows.history import HistoryFlow
from tui.app.flows.idle import IdleFlow
from tui.app.flows.library import LibraryFlow
from tui.app.flows.load import LoadFlow
from tui.app.flows.moving import MovingFlow
from tui.app.flows.panes import PaneFlow
from tui.app.flows.pictures import PictureFlow
from tui.app.flows.presets import PresetFlow
from tui.app.flows.room import RoomFlow
from tui.app.flows.splitting import SplitFlow
from tui.app.flows.votes import VoteFlow
from tui.app.flows.writing import WritingFlow
from tui.app.hints import hint_for
from tui.app.keys import default_keymap, install, make_keymap, show_key
from tui.app.speech import Speech
from tui.app.themes import ThemeError
from tui.app.ticker import Ticker

if TYPE_CHECKING:
    from tui.app.app import PunaApp
    from tui.app.engines import Start
    from tui.app.flows.states import StateFlow
    from tui.app.messages import ConfigRead, ModelNamed, ModelsFound, Remembered, Sampled, WarmedUp
    from tui.app.panels.meter.panel import MeterPanel
    from tui.config.settings import Settings
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model


class Desk(Speech):
    """The parts. `start` replaces real engines; without `watch` memory is not measured, without `scan` no model is
    looked for."""

    def __init__(self, app: PunaApp, start: Start | None, *, watch: bool, scan: bool) -> None:
        self.app, self.bench, self.paths = app, app.bench, app.paths
        self.watches, self._scan = watch, scan
        """Whether the machine is looked at again and again."""
        self.keymap = default_keymap()
        self.settings: Settings | None = None
        """The person's settings, once read."""
        self.machine: Snapshot | None = None
        """Memory and processor as last measured."""
        self._named: Model | None = None
        self.ticker = Ticker(self._tick)
        self.background = Background(app, app.paths, app.book)
        self.commands = Commands(self)
        self.panes = PaneFlow(self)
        self.context = ContextFlow(self)
        self.room = RoomFlow(self)
        self.idle = IdleFlow(self)
        self.loading = LoadFlow(self, start)
        self.library = LibraryFlow(self)
        self.fit = FitFlow(self)
        self.chatting = ChatFlow(self)
        self.history = HistoryFlow(self, app.opening.conversation)
        self.branches = BranchFlow(self)
        self.drafts = DraftFlow(self)
        self.conversations = ConversationsFlow(self)
        self.moving = MovingFlow(self)
        self.presets = PresetFlow(self)
        self.attaching = AttachFlow(self)
        self.pictures = PictureFlow(self)
        self.writing = WritingFlow(self)
        self.downloads = DownloadsFlow(self)
        self.finder = FinderFlow(self)
        self.splitting = SplitFlow(self)
        self.votes = VoteFlow(self)
        fetching = (self.downloads, self.downloads.arrived)
        models = (self.panes, self.library, self.loading, self.fit, *fetching, *self.finder.parts)
        talking = (self.chatting, self.history, self.branches, self.splitting, self.context, self.room, self.presets)
        prompt = (self.drafts, self.attaching, self.pictures, self.writing)
        self._parts = (self, *models, *talking, *prompt, self.conversations, self.moving)
        """Who hears what workers and panels post."""

    @property
    def states(self) -> StateFlow:
        """What the chosen pane's engine holds of its conversation."""
        return self.panes.chosen.states

    async def open(self) -> None:
        """Complete the screen, then read what lies outside."""
        self._add_styles()
        await self.bench.chat.fill()
        self.install_keys()
        self.bench.chat.editor.focus()
        self.app.key_bar.ready = True
        self.loading.refresh()
        if self.app.theme_problem is not None:
            self.tell(str(self.app.theme_problem), "warning")
        self.background.read_config()
        self.background.open_history()

    async def hear(self, message: Message) -> None:
        """Pass a message on to every part that has a method for it, called as Textual calls handlers."""
        for part in self._parts:
            handler: Callable[[Message], object] | None = getattr(part, message.handler_name, None)
            if handler is not None and isawaitable(result := handler(message)):
                await result

    async def close(self, *, by_signal: bool = False) -> str:
        """Stop and store the answer; what has to be said about that, empty when all is well."""
        self.ticker.stop()
        if by_signal:
            await self.history.note_cut_off()
        self.pictures.close()
        words = []
        try:
            await self.chatting.close()
            await self.drafts.keep()
            await self.history.close()
        except Exception as error:  # whatever it is: the program ends, and says so on the way out
            words.append(str(error))
        words.append(await self.downloads.close())
        return "\n".join(filter(None, words))

    def _add_styles(self) -> None:
        path = Path(__file__).with_name("after.tcss")
        self.app.stylesheet.add_source(path.read_text("utf-8"), read_from=(str(path), ""))

    def install_keys(self) -> None:
        """Give every part its keys, from the action table and the person's wishes."""
        install(self.app, self.keymap, "app")
        install(self.bench.screen, self.keymap)  # Textual's own keys for moving the focus are in our table
        install(self.app.meter, self.keymap, "meter")
        install(self.bench.library, self.keymap, "list", "library")
        for pane in self.panes:
            install(pane.view.transcript, self.keymap, "transcript", "crash")
        install(self.bench.chat.editor, self.keymap, "editor")
        self.downloads.install_keys()
        self.finder.install_keys()
        self.bench.library.set_keys({
            name: show_key(keys[-1], self.app.glyphs.ascii) for name, keys in self.keymap.keys.items() if keys
        })  # fmt: skip
        self.refresh_keys()

    def refresh_keys(self) -> None:
        """Other actions may be possible now: the footer looks again."""
        self.app.screen.refresh_bindings()

    def _tick(self) -> None:
        for pane in self.panes:
            if pane.turns.talk is not None:
                pane.turns.talk.flush()
            transcript = pane.view.transcript
            transcript.flush()
            if transcript.needs_flush:
                self.ticker.wake()

    # ---- what is shown

    def show_hint(self) -> None:
        """What the conversation says while it is empty."""
        for pane in self.panes:
            pane.view.transcript.set_empty(hint_for(self, pane))

    def try_theme(self, name: str) -> None:
        """Wear a theme for now; one that cannot be read is told of."""
        try:
            self.app.wear(name)
        except ThemeError as error:
            self.tell(str(error), "warning")

    def on_remembered(self, event: Remembered) -> None:
        """Something was written, or could not be."""
        self.tell(event.problem, "warning")

    # ---- what the meter asks for

    def on_meter_panel_closed(self, _event: MeterPanel.Closed) -> None:
        """It makes room."""
        self.bench.leave_meter()

    def on_meter_panel_paced(self, event: MeterPanel.Paced) -> None:
        """Memory is measured at another pace."""
        self.background.interval_s = event.interval_s

    # ---- what the background found

    def on_config_read(self, event: ConfigRead) -> None:
        """Settings count from now on; the first time, what depends on them begins."""
        first, self.settings = self.settings is None, event.config.settings
        self.keymap = make_keymap(self.settings.keys)
        self.install_keys()
        self.ticker.hz = self.settings.ui.refresh
        self.chatting.set_system(self.settings.chat.system)
        self.tell("\n".join(event.problems), "warning")
        if not first:
            return
        self.app.meter.interval_s = self.background.interval_s = self.settings.monitor.interval_s
        if self.watches:
            self.background.watch_machine(self.settings.downloads.folder)
        if self._scan:
            self.library.look()
        if self.app.opening.model:
            self.background.name_model(self.app.opening.model, self.settings.library.folders)
        self.background.warm_up()
        self.chatting.go_on()

    def on_warmed_up(self, _event: WarmedUp) -> None:
        """Prices come from a process of their own, which takes a while to start: now is the time, unless a load, which
        starts it by itself, is on its way.
        """
        if self.watches and not self.loading.loading:
            self.fit.pricing.warm_up()

    def on_models_found(self, event: ModelsFound) -> None:
        """What lies here is known."""
        self._list(event.models)

    def _list(self, models: tuple[Model, ...]) -> None:
        """List models, and the one that the command line named, wherever it lies."""
        named = self._named
        if named is not None and all(model.identity != named.identity for model in models):
            models = (*models, named)
        self.bench.library.show(models)
        self.loading.refresh()
        self.chatting.go_on()

    def on_model_named(self, event: ModelNamed) -> None:
        """Load the model that the command line named."""
        self._named = event.model
        if event.model is None:
            self.tell(event.problem, "error")
            return
        if not self.bench.library.select(event.model.identity):
            self._list(self.bench.library.models)
            self.bench.library.select(event.model.identity)
        if event.model.problem:
            self.tell(f"{event.model.name} cannot be loaded: {event.model.problem}", "error")
        else:
            self.loading.load(event.model)

    def on_sampled(self, event: Sampled) -> None:
        """Memory was measured."""
        self.machine = event.snapshot
        self.loading.measured(event.snapshot)
        self.app.meter.sampled(event.snapshot, event.engines, self._ghost)
        self.fit.memory_seen()
        self.finder.memory_seen()

    # ---- the ghost

    def show_ghost(self) -> None:
        """Show the ghost of what is selected now."""
        self.app.meter.show_ghost(self._ghost)

    @property
    def _ghost(self) -> Mapping[str, int]:
        found = self.finder.ghost
        return self.fit.ghost if found is None else found
