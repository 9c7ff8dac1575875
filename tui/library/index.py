"""The list of the last scan, kept so that the first frame can show it before anything is searched, and so that files
which are what they were need not be looked into again.

Deleting it loses nothing but that. The standard library only, and little of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.library.model import Model, from_record, to_record

if TYPE_CHECKING:
    from tui.config.paths import Paths

VERSION = 1
_MOST_BYTES = 32 << 20


def index_file(paths: Paths) -> Path:
    """Where the list is kept."""
    return paths.cache / "library-cache.json"


def cached(paths: Paths) -> tuple[Model, ...]:
    """The models of the last scan; none when there was none. They may have gone since."""
    return _models(read_json(index_file(paths)))


def cached_for(paths: Paths, signature: str) -> tuple[Model, ...] | None:
    """The same where the list was made of files with this signature; else None."""
    found = read_json(index_file(paths))
    return _models(found) if found.get("signature") == signature else None


def save_index(paths: Paths, models: Sequence[Model], signature: str = "") -> None:
    """Keep a scan's list for the next start; without a `signature` it is for nothing else.

    A cache folder that cannot be written is no failure.
    """
    write_json(index_file(paths), {"signature": signature, "models": [to_record(model) for model in models]})


def _models(found: dict[str, Any]) -> tuple[Model, ...]:
    records = found.get("models")
    if not isinstance(records, list):
        return ()
    return tuple(model for record in records if (model := from_record(record)) is not None)


def read_json(file: Path) -> dict[str, Any]:
    """A cache file of this version as a dict; empty when it is missing, damaged or of another version."""
    try:
        with file.open("rb") as stream:
            found = json.loads(stream.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("version") == VERSION else {}


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write a cache file in one step, if it changed and if it can be written."""
    from tui.config.errors import ConfigError
    from tui.config.files import write_atomic

    data = json.dumps({"version": VERSION, **content}).encode()
    try:
        if file.read_bytes() == data:
            return
    except OSError:
        pass  # not there yet
    try:
        write_atomic(file, data)
    except ConfigError:
        pass  # a full disk or a read-only home costs the next start some time, and nothing else
