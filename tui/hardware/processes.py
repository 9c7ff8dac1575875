"""Names and users of processes, read from /proc by hand and made safe to print.

A process may name itself with escape sequences: what is handed out here holds no control character. A process that is
gone, hidden or another container's has no name; that is None, not an error.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tui.config.plain import one_line
from tui.hardware.files import read

REFRESH_S = 5.0
"""How long a name is believed. A pid can be used again and a process can change its name, but neither is worth two
files per process and second."""

MAX_NAME = 64
_COMM_LENGTH = 15
"""The kernel cuts `comm` at 15 bytes (TASK_COMM_LEN − 1)."""


def clean(text: str, length: int = MAX_NAME) -> str:
    """The text on one line, safe to print, at most `length` characters long."""
    return one_line(text[: 8 * length])[:length]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a process by its pid."""

    name: str | None = None
    user: str | None = None
    here: bool = False
    """False where no process of this PID namespace has the pid: it has ended, or the pid is the host's."""


class ProcessNames:
    """Looks processes up in one proc tree, remembering each for some seconds.

    In a container a driver's pid may be the host's and yet be taken here, by a process that has nothing to do with it.
    So with `nested` (found out where not given) only a process that holds a device of the driver open counts as here.
    """

    def __init__(
        self, proc_root: str = "/proc", clock: Callable[[], float] = time.monotonic, nested: bool | None = None
    ) -> None:
        self._root, self._clock = proc_root, clock
        self._known: dict[int, tuple[float, Known]] = {}
        self._users: dict[int, str] = {}
        self._nested = _in_container(proc_root) if nested is None else nested

    def look_up(self, pid: int) -> tuple[str | None, str | None]:
        """Name and user of a process; None for what cannot be told."""
        known = self.look(pid)
        return known.name, known.user

    def knows(self, pid: int) -> bool:
        """True when it was looked up before and not forgotten since."""
        return pid in self._known

    def look(self, pid: int) -> Known:
        """Everything known of a process."""
        now = self._clock()
        found = self._known.get(pid)
        if found is None or now - found[0] >= REFRESH_S:
            found = (now, self._read(pid))
            self._known[pid] = found
        return found[1]

    def keep_only(self, pids: Iterable[int]) -> None:
        """Forget everyone else, so that a meter that runs for weeks does not grow."""
        wanted = set(pids)
        if len(wanted) < len(self._known):
            self._known = {pid: entry for pid, entry in self._known.items() if pid in wanted}

    def _read(self, pid: int) -> Known:
        folder = f"{self._root}/{pid}"
        try:
            # The effective user: only the files below belong to root where a process may not be dumped.
            uid = os.stat(folder).st_uid  # noqa: PTH116 - a path object per process and second is waste
        except OSError:
            return Known()
        if self._nested and not _may_hold_a_gpu(folder):
            return Known()
        return Known(self._name(folder), self._user(uid), here=True)

    def _name(self, folder: str) -> str | None:
        comm = (read(f"{folder}/comm", 64) or b"").rstrip(b"\n")
        if len(comm) >= _COMM_LENGTH:
            # Cut by the kernel: the program's own file name may still say it whole.
            program = (read(f"{folder}/cmdline", 4096) or b"").split(b"\0")[0].rpartition(b"/")[2]
            if program.startswith(comm):
                comm = program
        return clean(comm.decode("utf-8", "replace")) or None

    def _user(self, uid: int) -> str:
        if uid not in self._users:
            self._users[uid] = _user_name(uid)
        return self._users[uid]


_HOST_NAMESPACE = "pid:[4026531836]"
"""The first PID namespace's number is fixed (PROC_PID_INIT_INO)."""


def _in_container(proc_root: str) -> bool:
    """True where pids of the host's may not be ours, and a process that uses a GPU is known by the device it holds."""
    space = _link(f"{proc_root}/self/ns/pid")
    return space is not None and space != _HOST_NAMESPACE and os.access("/dev/nvidiactl", os.F_OK)


def _may_hold_a_gpu(folder: str) -> bool:
    """False only for a process whose open files can be seen and are no device of NVIDIA's (or of WSL's)."""
    try:
        numbers = os.listdir(f"{folder}/fd")  # noqa: PTH208 - plain strings are wanted
    except OSError:
        return True
    links = (_link(f"{folder}/fd/{number}") or "" for number in numbers)
    return any(link.startswith(("/dev/nvidia", "/dev/dxg")) for link in links)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - as above
    except OSError:
        return None


def _user_name(uid: int) -> str:
    import pwd

    try:
        return clean(pwd.getpwuid(uid).pw_name) or str(uid)
    except (KeyError, OSError, UnicodeError):
        # A user of the host, unknown in this container.
        return str(uid)
