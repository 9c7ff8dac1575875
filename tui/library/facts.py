"""What the library needs to know of each file's header, remembered by path, size and time, so that a rescan reads none.

Only headers that could be read are remembered: a broken file is looked at again each time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.gguf.header import Header, read_header
from tui.library.index import read_json, write_json
from tui.library.walking import stamp_of


@dataclass(frozen=True, slots=True)
class Facts:
    """A header in short."""

    architecture: str | None = None
    kind: str | None = None
    file_type: str | None = None
    n_layer: int | None = None
    n_ctx_train: int | None = None
    parameters: int | None = None
    n_tensors: int = 0
    shards: int = 1

    @classmethod
    def of(cls, header: Header) -> Facts:
        """The short form of a header."""
        return cls(
            architecture=header.architecture,
            kind=header.kind,
            file_type=header.file_type,
            n_layer=header.n_layer,
            n_ctx_train=header.n_ctx_train,
            parameters=header.parameters,
            n_tensors=header.n_tensors,
            shards=header.shards,
        )


class FactStore:
    """Headers by file. One scan opens it, asks it for every file, and saves what is still in use."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        known = read_json(file).get("headers") if file is not None else None
        self._known: dict[str, Any] = known if isinstance(known, dict) else {}
        self._used: dict[str, Any] = {}
        self._told: dict[Path, Facts] = {}
        self.stamps: dict[Path, int | None] = {}
        """When each file that was asked for had last changed before it was read; None for one that is not there, 0 for
        one that was changing."""

    def facts(self, path: Path) -> Facts:
        """What the file's header says; the same each time, until another scan. Raises GgufError."""
        told = self._told.get(path)
        if told is not None:
            return told
        key, found = str(path), _stat(path)
        self.stamps[path] = stamp_of(found) if found is not None else None
        stamp = [found.st_size, found.st_mtime_ns] if found is not None else None
        record = self._known.get(key)
        facts = _facts(record, stamp)
        if facts is None:
            facts = Facts.of(read_header(path))
            record = {"stamp": stamp, **{name: getattr(facts, name) for name in Facts.__slots__}}
        self._used[key] = record
        self._told[path] = facts
        return facts

    def save(self) -> None:
        """Keep the headers that were asked for; the others are files that are gone."""
        if self._file is not None:
            write_json(self._file, {"headers": self._used})


def _stat(path: Path) -> os.stat_result | None:
    """None when the file cannot be looked at, which reading it will tell in words."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _facts(record: Any, stamp: list[int] | None) -> Facts | None:
    if not isinstance(record, dict) or stamp is None or record.get("stamp") != stamp:
        return None
    try:
        return Facts(**{key: value for key, value in record.items() if key != "stamp"})
    except TypeError:
        return None  # written by another version
