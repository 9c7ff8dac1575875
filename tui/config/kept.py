"""A value that is kept between runs in one JSON file of the cache: what was measured, what loads took. Deleting the
file loses speed only.

A file that cannot be read counts as empty and is written anew, as nothing in it was the person's; one that cannot be
written stays as it was. Nothing here raises for either. Reading takes about a millisecond and, like writing, blocks: on
an event loop they belong in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from tui.config.errors import ConfigError
from tui.config.files import locked, read_text, write_atomic

_LOCK_S = 2.0
T = TypeVar("T")


class Kept(Generic[T]):
    """The value in one file, which several running copies of puna may change."""

    def __init__(self, file: Path, kind: type[T], nothing: T) -> None:
        """`kind` is what the file holds, and `nothing` what counts where it holds no such thing."""
        self._file, self._kind, self._nothing = file, kind, nothing

    def read(self) -> T:
        """The value; `nothing` where there is no file, or one that is broken or of another version."""
        try:
            text = read_text(self._file)
            return msgspec.json.decode(text, type=self._kind) if text else self._nothing
        except (ConfigError, msgspec.MsgspecError, RecursionError):
            return self._nothing

    def change(self, change: Callable[[T], T]) -> None:
        """Keep what `change` makes of the value as it is now, whoever wrote it."""
        with suppress(ConfigError), locked(self._file, _LOCK_S):  # a full disk costs an estimate some certainty
            write_atomic(self._file, msgspec.json.encode(change(self.read())))
