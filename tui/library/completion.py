"""What a path that is being typed may become: folders, and files that may be models. Blocking; opens no file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tui.config.folders import absolute
from tui.library.walking import is_file, is_folder

MOST = 200
"""Entries that are told; a longer beginning tells them apart."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that the text may mean."""

    text: str
    """The whole path as the person would write it; of a folder to look into with a slash at its end."""
    path: Path
    is_folder: bool
    n_bytes: int | None = None
    """Of a file."""
    is_whole: bool = False
    """True where the text means this already."""


def completions(text: str) -> tuple[Entry, ...]:
    """What begins with `text`, by name: first what it is as it stands, then what it may go on with.

    Hidden entries are told where a dot was typed. A folder that may not be read has none.
    """
    before, slash, start = text.rpartition("/")
    whole = _as_it_stands(text)
    entries = [whole] if whole is not None else []
    for name, is_dir, n_bytes in _names(absolute(before + slash or ".")):
        hidden = name.startswith(".") and not start.startswith(".")
        if hidden or not name.casefold().startswith(start.casefold()):
            continue
        path = absolute(f"{before}{slash}{name}")
        if is_dir or whole is None or path != whole.path:
            entries.append(Entry(f"{before}{slash}{name}{'/' if is_dir else ''}", path, is_dir, n_bytes))
    return tuple(entries[:MOST])


def _as_it_stands(text: str) -> Entry | None:
    if not text.strip():
        return None
    path = absolute(text)
    if is_folder(path):
        return Entry(text, path, True, None, True)
    return Entry(text, path, False, _size(path), True) if is_file(path) and not text.endswith("/") else None


def _names(folder: Path) -> list[tuple[str, bool, int | None]]:
    """Name, whether it is a folder, and of a file its size; nothing of a folder that may not be read."""
    found: list[tuple[str, bool, int | None]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_dir = is_folder(Path(entry.path))
                if is_dir or entry.name.lower().endswith(".gguf"):
                    found.append((entry.name, is_dir, None if is_dir else _size(Path(entry.path))))
    except (OSError, ValueError):
        return []
    return sorted(found, key=lambda each: (each[0].casefold(), each[0]))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return None
