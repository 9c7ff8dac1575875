"""Everything that is read outside the loop, by workers that post what they found: settings, models, memory, history.

Nothing of this is imported before the first frame. Workers compute and post; whoever hears of it changes what is seen.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.worker import get_current_worker

from tui.app import remember
from tui.app.messages import (
    ConfigRead,
    CutOff,
    HistoryOpened,
    LoadNoted,
    ModelNamed,
    Remembered,
    Sampled,
    WarmedUp,
)
from tui.config.paths import Paths

if TYPE_CHECKING:
    from textual.app import App

    from tui.app.themes import ThemeBook
    from tui.engine.protocol import Timings
    from tui.library import Model
    from tui.llama.receipt import Receipt
    from tui.models.prepare import Prepared

PATIENCE_S = 1.0
"""How long a new interval may wait to be heard of by who still waits for the end of a longer one."""


class Background:
    """Starts the workers of an app."""

    def __init__(self, app: App[Any], paths: Paths, book: ThemeBook) -> None:
        self._app, self._paths, self._book = app, paths, book
        self.interval_s = 1.0
        """Seconds from one look at the machine to the next; may change at any time."""
        self._writes: deque[Callable[[], None]] = deque()
        self._writing = threading.Lock()

    def thread(self, work: Callable[[], None], group: str, description: str, *, exclusive: bool = True) -> None:
        """Have something done in a thread, in place of what runs in the same group unless it is not `exclusive`.
        `description` completes "could not …"."""
        self._app.run_worker(
            work, group=group, description=description, thread=True, exclusive=exclusive, exit_on_error=False
        )

    def write(self, work: Callable[[], None], description: str) -> None:
        """Have something written. None of it is dropped for what comes after it, and all of it is done in order."""
        self._writes.append(work)

        def write_next() -> None:
            with self._writing:
                self._writes.popleft()()

        self.thread(write_next, "write", description, exclusive=False)

    def read_config(self) -> None:
        """Read config.toml, models.toml and the themes, and say what is wrong there."""

        def work() -> None:
            from tui.config.keys import key_problems
            from tui.config.model_file import read_models
            from tui.config.settings import load_config

            config = load_config(self._paths)
            problems = [str(problem) for problem in config.problems]
            problems += [str(problem) for problem in key_problems(self._paths, config.settings.keys)]
            problems += [str(problem) for problem in read_models(self._paths)[1]]
            problems += [str(problem) for problem in self._book.problems()]
            self._app.post_message(ConfigRead(config, tuple(problems)))

        self.thread(work, "config", "read the settings")

    def name_model(self, text: str, folders: tuple[str, ...]) -> None:
        """Find the model that `text` means: a path, or a name in the library."""

        def work() -> None:
            from tui.library import cached, scan
            from tui.models.resolve import ModelNotFound, resolve

            try:
                try:
                    model = resolve(text, cached(self._paths))
                except ModelNotFound:
                    model = resolve(text, scan(self._paths, folders))
            except ModelNotFound as error:
                self._app.post_message(ModelNamed(None, str(error)))
            else:
                self._app.post_message(ModelNamed(model))

        self.thread(work, "name", f"find {text}")

    def watch_machine(self, folder: str) -> None:
        """Measure memory again and again, until the app ends, and the room where models go: in that folder, if it was
        chosen.
        """

        def work() -> None:
            from tui.config.folders import model_folder
            from tui.engine.listed import Engines
            from tui.hardware.watch import Watch

            cancelled, engines = get_current_worker().cancelled_event, Engines(self._paths.engines_dir)
            where = str(model_folder(folder, os.environ))
            watch = Watch(disk_folder=lambda: where)  # no driver that hangs can hold it up
            try:
                while not cancelled.is_set():
                    looked, found = time.monotonic(), engines.running()
                    self._app.post_message(Sampled(watch.sample([engine.pid for engine in found]), found))
                    while (left := looked + self.interval_s - time.monotonic()) > 0:
                        if cancelled.wait(min(left, PATIENCE_S)):
                            break
            finally:
                watch.close()

        self.thread(work, "meter", "measure memory")

    def open_history(self) -> None:
        """Open the conversations; a history that cannot be opened is replaced by one in memory, and told of."""

        async def work() -> None:
            # Imported in a thread: SQLite and msgspec would hold up the loop.
            module = await asyncio.to_thread(_import_history)
            try:
                store = await module.AsyncStore.open(self._paths.history_file)
            except module.StoreError as error:
                words = f"{error}. Until then conversations are kept in memory only."
                self._app.post_message(HistoryOpened(await module.AsyncStore.open(None), words))
            else:
                self._app.post_message(HistoryOpened(store))

        self._app.run_worker(
            work(), group="history", description="open the conversations", exclusive=True, exit_on_error=False
        )

    def warm_up(self) -> None:
        """Import what the first load, the first price and the first answer need, while nobody waits for it."""

        def work() -> None:
            import tui.app.flows.pricing
            import tui.app.panels.load.panel
            import tui.engine.client
            import tui.models.prepare  # noqa: F401 - imported for its time, not for its names
            from tui.app.panels.chat.transcript import warm_up

            warm_up()
            self._app.post_message(WarmedUp())

        self.thread(work, "warm", "get ready")

    def remember(self, model: Model, changes: dict[str, Any]) -> None:
        """Keep settings of a model in models.toml."""

        def work() -> None:
            from tui.config.errors import ConfigError
            from tui.config.model_file import update_model

            try:
                update_model(self._paths, model.identity, changes)
            except ConfigError as error:
                self._app.post_message(Remembered(str(error)))
            else:
                self._app.post_message(Remembered())

        self.write(work, f"keep the settings of {model.name}")

    def keep_model(self, model: Model) -> None:
        """Remember which model was used last."""
        self.write(lambda: remember.keep(self._paths, model=model.identity), "keep the model's name")

    def look_for_cut_off(self) -> None:
        """Find the conversation whose answer a signal has cut off; it is found once."""

        def work() -> None:
            number = remember.read(self._paths).get("cut_off")
            if isinstance(number, int):
                remember.keep(self._paths, cut_off=None)
                self._app.post_message(CutOff(number))

        self.write(work, "see how it ended last time")

    def note_load(self, prepared: Prepared, receipt: Receipt, pid: int) -> None:
        """Set what a load took beside what was predicted, and keep both."""

        def work() -> None:
            from tui.models.afterwards import note_load
            from tui.models.prepare import look

            record = note_load(self._paths, prepared, receipt, pid, look(self._paths))
            self._app.post_message(LoadNoted(record))

        self.thread(work, "receipt", "compare the load with its prediction", exclusive=False)

    def note_speed(self, prepared: Prepared, timings: Timings) -> None:
        """Keep how fast an answer was."""

        def work() -> None:
            from tui.models.afterwards import note_speed

            note_speed(self._paths, prepared, timings, "answer")

        self.write(work, "keep how fast the answer was")

    def keep_setting(self, name: str, value: str | float) -> None:
        """Write a value to config.toml, such as "ui.theme"."""

        def work() -> None:
            from tui.config.errors import ConfigError
            from tui.config.settings import set_value

            try:
                set_value(self._paths, name, str(value))
            except ConfigError as error:
                self._app.post_message(Remembered(str(error)))

        self.write(work, f"keep {name}")


def _import_history() -> Any:
    from tui.chat import thread

    return thread
