"""A list of records that grows, kept as one JSON file in the cache: measurements, receipts. Deleting it loses speed
only.

A file that cannot be read counts as empty and is written anew: nothing in it was the person's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from tui.config.errors import ConfigError
from tui.config.files import locked, read_text, write_atomic

T = TypeVar("T")


def read_journal(file: Path, record: type[T]) -> tuple[T, ...]:
    """Every record, oldest first; none where there is no file, or one that is broken or of another version."""
    try:
        text = read_text(file)
        return tuple(msgspec.json.decode(text, type=list[record])) if text else ()  # type: ignore[valid-type]
    except (ConfigError, msgspec.MsgspecError):
        return ()


def add_to_journal(file: Path, record: T, *, keep: int) -> None:
    """Append one record; of more than `keep` the oldest go. What another copy of puna wrote meanwhile stays.

    Raises ConfigError when it cannot be written.
    """
    with locked(file):
        records = [*read_journal(file, type(record)), record][-keep:]
        write_atomic(file, msgspec.json.encode(records))
