"""The engines of this user on this machine, found through one small file per host. Little beyond the standard library.

A file of a process that is gone, or whose pid now belongs to another, is removed by whoever reads it next. Homes can
be shared between machines, so a file of another host is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tui.config.plain import one_line

_TOO_LARGE = 1 << 31
"""Pids and tokens are C ints; a file may hold anything."""
_EVERY_S = 1.0
"""Figures are rewritten at most this often while an engine generates."""


@dataclass(frozen=True, slots=True)
class RunningEngine:
    """One row of `puna ps`."""

    pid: int
    model: str
    n_ctx: int
    """Tokens of all panes together; while it loads what was asked for, 0 where that is left to the engine."""
    n_ctx_used: int
    """Tokens of all panes together; 0 while it loads."""
    decode_tok_s: float | None
    """Of the answer being written, or of the last one; None before the first."""


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None where the system does not say. Tells a reused pid
    apart.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else int(fields[19])  # ended, and only not yet collected by its parent
    except (OSError, ValueError, IndexError):
        return None


class Entry:
    """This process's own file; written by an engine host."""

    def __init__(self, folder: Path, *, model: str, n_ctx: int) -> None:
        """Make `folder` if needed and write the first figures. A folder that cannot be written is done without."""
        self._path = folder / f"{socket.gethostname()}-{os.getpid()}.json"
        self._fixed = {"host": socket.gethostname(), "started": start_time(os.getpid())}
        self._row = RunningEngine(os.getpid(), model, n_ctx, 0, None)
        self._written = 0.0
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write()

    def loaded(self, n_ctx: int) -> None:
        """The load is complete, with a context of this many tokens, all panes together."""
        self._row = replace(self._row, n_ctx=n_ctx)
        self._write()

    def update(self, n_ctx_used: int, decode_tok_s: float | None, *, now: bool = False) -> None:
        """New figures; written at once with `now`, otherwise at most once a second."""
        rate = self._row.decode_tok_s if decode_tok_s is None else decode_tok_s
        self._row = replace(self._row, n_ctx_used=n_ctx_used, decode_tok_s=rate)
        if now or time.monotonic() - self._written >= _EVERY_S:
            self._write()

    def remove(self) -> None:
        """Take this engine off the list."""
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _write(self) -> None:
        self._written = time.monotonic()
        part = self._path.with_suffix(".part")
        with contextlib.suppress(OSError):  # a full disk must not end an answer; the list is only a convenience
            part.write_text(json.dumps({**self._fixed, **asdict(self._row)}))
            part.replace(self._path)


def running(folder: Path) -> tuple[RunningEngine, ...]:
    """Engines of this user that are alive now, oldest pid first. Removes the files of dead ones."""
    found = []
    for path in sorted(folder.glob("*.json")):
        entry = _read(path)
        if entry is None or entry.get("host") != socket.gethostname():
            continue
        try:
            row = _row(entry)
        except (KeyError, TypeError, ValueError, OverflowError):
            continue
        if _is_alive(row.pid, entry.get("started")):
            found.append(row)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    return tuple(sorted(found, key=lambda row: row.pid))


def stop(engine: RunningEngine) -> bool:
    """Ask an engine to end. True when the signal was sent; its front end is told by the end of the process. False when
    it is gone. Raises PermissionError where its pid is not this user's to signal."""
    try:
        os.kill(engine.pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


def _row(entry: dict[str, Any]) -> RunningEngine:
    rate = entry["decode_tok_s"]
    row = RunningEngine(
        pid=int(entry["pid"]),
        model=one_line(str(entry["model"])) or "unnamed model",
        n_ctx=int(entry["n_ctx"]),
        n_ctx_used=int(entry["n_ctx_used"]),
        decode_tok_s=None if rate is None else float(rate),
    )
    if not 1 < row.pid < _TOO_LARGE:  # a signal to 0 or -1 goes to every process of this group or user
        raise ValueError("no engine has this pid")
    if not (0 <= row.n_ctx < _TOO_LARGE and 0 <= row.n_ctx_used < _TOO_LARGE):
        raise ValueError("no engine has such a context")
    return row


def _read(path: Path) -> dict[str, Any] | None:
    try:
        entry = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _is_alive(pid: int, started: object) -> bool:
    if isinstance(started, int):
        return start_time(pid) == started
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
