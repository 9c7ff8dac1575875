"""Reading the small files of /proc and /sys cheaply: a meter does this every second for days.

A file that is missing, vanishes in between or may not be read is None; nothing here raises for what a kernel shows.
"""

from __future__ import annotations

import os
import threading


def read(path: str, limit: int = 65536) -> bytes | None:
    """The first `limit` bytes of a file, or None when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        parts: list[bytes] = []
        while limit > 0:
            # A proc file may come in several pieces; an empty one is its end.
            part = os.read(descriptor, limit)
            if not part:
                break
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def read_int(path: str) -> int | None:
    """The decimal number that a file holds, or None for anything else ("max" included)."""
    return number(read(path, 64))


def number(data: bytes | None) -> int | None:
    """The decimal number in these bytes, or None for anything else."""
    if data is None:
        return None
    try:
        return int(data)
    except ValueError:
        return None


def read_word(path: str) -> str | None:
    """A file's text without the white space around it; None when it is empty or cannot be read."""
    data = read(path, 4096)
    text = data.decode("utf-8", "replace").strip() if data is not None else ""
    return text or None


def names_in(folder: str) -> list[str]:
    """The entries of a folder in a steady order; none when it cannot be listed."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - plain strings are wanted
    except OSError:
        return []


class OpenFile:
    """A file that is read every second and stays open: the kernel makes what it holds anew whenever it is read from its
    start. Good for any thread. Nobody need close it, but who opens many should.
    """

    def __init__(self, path: str, limit: int = 4096) -> None:
        self._path, self._limit = path, limit
        self._descriptor = -1
        self._lock = threading.Lock()

    def read(self) -> bytes | None:
        """Its first `limit` bytes, in one piece; None when it cannot be read. One that is gone is looked for again the
        next time.
        """
        with self._lock:
            data = None
            try:
                if self._descriptor < 0:
                    self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                data = os.pread(self._descriptor, self._limit, 0)
            except (OSError, ValueError):
                pass
            if not data:
                self._let_go()
            return data

    def close(self) -> None:
        """Let go of it; reading opens it again."""
        with self._lock:
            self._let_go()

    def __del__(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
