"""One look at everything that the monitor shows: the machine, and the engines of this user."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tui.config.errors import ConfigError
from tui.config.paths import paths
from tui.hardware.files import names_in
from tui.hardware.snapshot import Snapshot
from tui.hardware.watch import Watch

if TYPE_CHECKING:
    from tui.engine.registry import RunningEngine

Seen: TypeAlias = "tuple[Snapshot, tuple[RunningEngine, ...]]"
Look = Callable[[float | None], Seen]
"""Takes a look, now; waits for the GPUs at most so many seconds (None: a moment)."""


_FRESH_NS = 1_000_000_000


class Eyes:
    """Looks, and lets go of the drivers at the end."""

    def __init__(self) -> None:
        self._watch = Watch()
        self._engines = Engines(_engines_dir())

    def look(self, wait_s: float | None = None) -> Seen:
        """The machine now, with processes of this user's engines marked as such."""
        engines = self._engines.running()
        return self._watch.sample({engine.pid for engine in engines}, wait_s), engines

    def close(self) -> None:
        """Let go."""
        self._watch.close()


def _engines_dir() -> Path | None:
    try:
        return paths().engines_dir
    except ConfigError:
        return None  # a user without a home has no engines, and may watch the machine nevertheless


class Engines:
    """This user's engines. While there are none, the date of their folder tells that there still are none, and what can
    read their files is not loaded.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._found: tuple[RunningEngine, ...] = ()
        self._changed: int | None = None

    def running(self) -> tuple[RunningEngine, ...]:
        """Those that are alive now."""
        if self._folder is None:
            return ()
        try:
            changed: int | None = os.stat(self._folder).st_mtime_ns  # noqa: PTH116 - asked every second
        except OSError:
            changed = None
        if self._found or changed != self._changed:
            self._found = self._read()
            # Of two changes within one tick of the system's clock the second would not be seen.
            is_fresh = changed is not None and time.time_ns() - changed < _FRESH_NS
            self._changed = None if is_fresh else changed
        return self._found

    def _read(self) -> tuple[RunningEngine, ...]:
        if self._folder is None or not names_in(str(self._folder)):
            return ()
        from tui.engine.registry import running

        return running(self._folder)


def telling(look: Look, say: Callable[[str], None]) -> Look:
    """The same look, which also says what is wrong with a driver: once, not every second."""
    told = ""

    def look_and_tell(wait_s: float | None) -> Seen:
        nonlocal told
        seen = look(wait_s)
        error = seen[0].nvml_error
        if error is not None and error != told:
            told = error
            say(f"puna: {error}")
        return seen

    return look_and_tell
