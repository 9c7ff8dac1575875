"""The limit on what all downloads of a person take together: one number in the settings, whichever puna fetches.

Every process counts what is fetched, here and by the others, and takes its share. A number that is changed counts for
all of them within a moment.
"""

from __future__ import annotations

import threading
from pathlib import Path

from tui.config.paths import Paths
from tui.config.settings import load_config
from tui.config.sizes import MIB
from tui.hub.downloads.throttle import Throttle


class SharedLimit:
    """Sets a throttle to this process's share. `mib_s` is the limit until the settings change; 0 is none."""

    def __init__(self, paths: Paths, mib_s: float, throttle: Throttle) -> None:
        self._paths, self._mib_s, self._throttle = paths, mib_s, throttle
        self._stamp = _stamp(paths.config_file)
        self._lock, self._part = threading.Lock(), 1.0
        self._apply()

    def set(self, mib_s: float) -> None:
        """The most, in MiB a second, from now on."""
        with self._lock:
            self._mib_s = mib_s
            self._apply()

    def share(self, here: int, everywhere: int) -> None:
        """So many downloads are fetched here, of so many by any process. Reads the settings again if they changed."""
        stamp = _stamp(self._paths.config_file)
        changed = _limit_of(self._paths) if stamp != self._stamp else None
        with self._lock:
            self._stamp, self._part = stamp, here / everywhere if here else 1.0
            if changed is not None:
                self._mib_s = changed
            self._apply()

    def _apply(self) -> None:
        self._throttle.bytes_s = self._mib_s * MIB * self._part


def _limit_of(paths: Paths) -> float | None:
    """What the settings say now; None where that is no limit, and not sure: a slip in the file lifts none."""
    found = load_config(paths)
    limit_mib_s = found.settings.downloads.limit_mib_s
    return None if found.problems and not limit_mib_s else limit_mib_s


def _stamp(file: Path) -> tuple[int, int, int]:
    """Differs after each change."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
