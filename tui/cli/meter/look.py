"""One look at everything that the monitor shows: the machine, and the engines of this user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tui.config.errors import ConfigError
from tui.config.paths import paths
from tui.engine.listed import Engines
from tui.hardware.snapshot import Snapshot
from tui.hardware.watch import Watch

if TYPE_CHECKING:
    from tui.engine.registry import RunningEngine

Seen: TypeAlias = "tuple[Snapshot, tuple[RunningEngine, ...]]"
Look = Callable[[float | None], Seen]
"""Takes a look, now; waits for the GPUs at most so many seconds (None: a moment)."""


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
