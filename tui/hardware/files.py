"""Reading the small files of /proc and /sys cheaply: a meter does this every second for days.

A file that is missing, vanishes in between or may not be read is None; nothing here raises for what a kernel shows.
"""

from __future__ import annotations

import os


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
    data = read(path, 64)
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
