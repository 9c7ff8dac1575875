"""One look at everything that the monitor shows: the machine, and the engines of this user."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tui.config.errors import ConfigError
from tui.config.folders import chosen_folder, model_folder
from tui.config.paths import Paths, paths
from tui.engine.listed import Engines
from tui.hardware.snapshot import Snapshot
from tui.hardware.watch import Watch

if TYPE_CHECKING:
    from tui.engine.registry import RunningEngine

Seen: TypeAlias = "tuple[Snapshot, tuple[RunningEngine, ...]]"
Look = Callable[[float | None], Seen]
"""Takes a look, now; waits for the GPUs at most so many seconds (None: a moment)."""


class Eyes:
    """Looks, and lets go of the drivers at the end. `disk`: how much room there is for models is wanted, too."""

    def __init__(self, *, disk: bool = True) -> None:
        places = _places()
        self._watch = Watch(disk_folder=cache(lambda: _model_folder(places)) if disk else None)
        self._engines = Engines(places.engines_dir if places is not None else None)

    def look(self, wait_s: float | None = None) -> Seen:
        """The machine now, with processes of this user's engines marked as such."""
        engines = self._engines.running()
        return self._watch.sample({engine.pid for engine in engines}, wait_s), engines

    def close(self) -> None:
        """Let go."""
        self._watch.close()


def _model_folder(places: Paths | None) -> str:
    return str(model_folder(chosen_folder(places) if places is not None else "", os.environ))


def _places() -> Paths | None:
    try:
        return paths()
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
