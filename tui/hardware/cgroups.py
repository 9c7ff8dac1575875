"""The control groups that this process lives in, from its own up to the highest one visible, in versions 1 and 2.

Containers, Slurm jobs and systemd slices all limit memory and CPU here, and any level may be the tightest. Paths come
from /proc/self/cgroup and mountinfo, since a container may see its group under another name than the kernel's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tui.hardware.files import OpenFile, number, read, read_int

NO_LIMIT = 1 << 62
"""Version 1 writes "no limit" as 2^63 − 1 rounded down to a page (9223372036854771712)."""

MAX_LEVELS = 32

FOLLOW_S = 10.0
"""How often it is looked whether this process has been moved to another group."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Folders of one controller, innermost first. Empty where the kernel has none, or none can be seen."""

    version: int
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """The tightest memory limit up the tree."""

    limit_bytes: int
    available_bytes: int
    """Least of limit − (current − inactive_file) over all levels: file pages that nobody uses are given back on
    demand.
    """


def levels(controller: str, proc_root: str = "/proc", sys_root: str = "/sys") -> Levels:
    """Where the limits of a controller ("memory" or "cpu") lie for this process."""
    groups = _groups(read(f"{proc_root}/self/cgroup"))
    mounts = _mounts(read(f"{proc_root}/self/mountinfo", 1 << 20))
    for version, key in ((1, controller), (2, "")):
        # On a hybrid system the controller lives in version 1 when it is named there.
        if key in groups and key in mounts:
            root, point = mounts[key]
            return Levels(version, _climb(groups[key], root, _placed(point, sys_root)))
    return Levels(2, ())


class Place:
    """The levels of a controller, kept as long as this process stays in its group. It may be moved to another at any
    time: by systemd-run, into a tmux scope, by a batch system.
    """

    def __init__(
        self,
        controller: str,
        proc_root: str = "/proc",
        sys_root: str = "/sys",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._where, self._clock = (controller, proc_root, sys_root), clock
        self._group: bytes | None = None
        self._looked_at: float | None = None
        self._levels = Levels(2, ())

    def levels(self) -> Levels:
        """Where its limits lie; the very same object until that changes, which is seen within `FOLLOW_S` seconds."""
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= FOLLOW_S:
            # The list of mounts is long where there are containers: it is read only when the group is another one.
            group = read(f"{self._where[1]}/self/cgroup")
            if self._looked_at is None or group != self._group:
                self._group, self._levels = group, levels(*self._where)
            self._looked_at = now
        return self._levels


class MemoryLimits:
    """The memory limits of these levels, read again and again: their files stay open."""

    def __init__(self, where: Levels) -> None:
        self.where = where
        self._levels = [_MemoryLevel(folder, where.version) for folder in where.folders]

    def read(self) -> MemoryLimit | None:
        """The limit that counts now; None without any. A file that has vanished is no limit."""
        limit, available = NO_LIMIT, NO_LIMIT
        for level in self._levels:
            here = level.limit()
            if here < NO_LIMIT:
                limit, available = min(limit, here), min(available, level.available(here))
        return None if limit >= NO_LIMIT else MemoryLimit(limit, min(limit, available))

    def close(self) -> None:
        """Let go of the files; reading opens them again."""
        for level in self._levels:
            level.close()


class _MemoryLevel:
    """One control group's files."""

    def __init__(self, folder: str, version: int) -> None:
        # Beyond memory.high the kernel slows a process down until it stands still: for a load that is a limit.
        names = ("memory.max", "memory.high") if version == 2 else ("memory.limit_in_bytes",)
        self._limits = [OpenFile(f"{folder}/{name}", 64) for name in names]
        self._current = OpenFile(f"{folder}/{'memory.current' if version == 2 else 'memory.usage_in_bytes'}", 64)
        self._stat = OpenFile(f"{folder}/memory.stat", 65536)
        self._idle = b"inactive_file " if version == 2 else b"total_inactive_file "

    def limit(self) -> int:
        found = [value for file in self._limits if (value := number(file.read())) is not None and value >= 0]
        return min(found, default=NO_LIMIT)

    def available(self, limit: int) -> int:
        """What is left below the limit; all of it where the use is not told."""
        current = number(self._current.read())
        return limit if current is None else max(0, limit - max(0, current - self._inactive_file()))

    def _inactive_file(self) -> int:
        lines = b"\n" + (self._stat.read() or b"")
        _, found, rest = lines.partition(b"\n" + self._idle)
        value = rest.partition(b"\n")[0]
        return int(value) if found and value.isdigit() else 0

    def close(self) -> None:
        for file in (*self._limits, self._current, self._stat):
            file.close()


def cpu_limit(where: Levels) -> float | None:
    """The smallest CPU quota up the tree, in cores; None without one."""
    quotas = [quota for folder in where.folders if (quota := _cpu_quota(folder, where.version)) is not None]
    return min(quotas, default=None)


def _cpu_quota(folder: str, version: int) -> float | None:
    if version == 2:
        words = (read(f"{folder}/cpu.max", 64) or b"").split()
        quota, period = (_number(words[0]), _number(words[1])) if len(words) == 2 else (None, None)
    else:
        quota, period = read_int(f"{folder}/cpu.cfs_quota_us"), read_int(f"{folder}/cpu.cfs_period_us")
    if quota is None or period is None or quota <= 0 or period <= 0:
        return None
    return quota / period


def _number(word: bytes) -> int | None:
    return int(word) if word.isdigit() else None


def _groups(data: bytes | None) -> dict[str, str]:
    """Controller name ("" is version 2) to this process's group, from lines of `id:controllers:path`."""
    found: dict[str, str] = {}
    for line in (data or b"").decode("utf-8", "surrogateescape").splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            for name in parts[1].split(","):
                found[name] = parts[2]
    return found


def _mounts(data: bytes | None) -> dict[str, tuple[str, str]]:
    """Controller name ("" is version 2) to (root within the hierarchy, mount point)."""
    found: dict[str, tuple[str, str]] = {}
    for line in (data or b"").decode("utf-8", "surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        left, right = before.split(), after.split()
        if len(left) < 5 or not right:
            continue
        place = (_unescaped(left[3]), _unescaped(left[4]))
        if right[0] == "cgroup2":
            found.setdefault("", place)
        elif right[0] == "cgroup":
            for option in right[-1].split(","):
                found.setdefault(option, place)
    return found


def _unescaped(text: str) -> str:
    """mountinfo writes blanks and backslashes as octal escapes."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text


def _placed(point: str, sys_root: str) -> str:
    """The mount point inside an injected /sys."""
    return sys_root + point[4:] if point == "/sys" or point.startswith("/sys/") else point


def _climb(group: str, root: str, point: str) -> tuple[str, ...]:
    """Folders from a group up to the mount point. A group outside of what is mounted leaves the mount point alone."""
    if root != "/" and (group == root or group.startswith(root + "/")):
        group = group[len(root) :]
    elif root != "/":
        group = "/"
    parts = [part for part in group.split("/") if part]
    if ".." in parts:
        # The process was moved out of its cgroup namespace; its real group cannot be seen from here.
        parts = []
    depth = range(len(parts), -1, -1)
    return tuple("/".join((point, *parts[:count])) for count in depth)[:MAX_LEVELS]
