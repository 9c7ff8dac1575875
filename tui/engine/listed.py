"""This user's running engines, for whatever shows memory every second: next to free of cost while there are none."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tui.hardware.files import names_in

if TYPE_CHECKING:
    from tui.engine.registry import RunningEngine

_FRESH_NS = 1_000_000_000


class Engines:
    """This user's engines, by the files in `folder`; None is a user who can have none.

    While there are none, the date of their folder tells that there still are none, and what can read their files is
    not loaded.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder, self._path = folder, str(folder)
        self._found: tuple[RunningEngine, ...] = ()
        self._changed: int | None = None

    def running(self) -> tuple[RunningEngine, ...]:
        """Those that are alive now."""
        if self._folder is None:
            return ()
        try:
            changed: int | None = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - asked every second
        except OSError:
            changed = None
        if self._found or changed != self._changed:
            self._found = self._read()
            # Of two changes within one tick of the system's clock the second would not be seen.
            is_fresh = changed is not None and time.time_ns() - changed < _FRESH_NS
            self._changed = None if is_fresh else changed
        return self._found

    def _read(self) -> tuple[RunningEngine, ...]:
        if self._folder is None or not names_in(self._path):
            return ()
        from tui.engine.registry import running

        return running(self._folder)
