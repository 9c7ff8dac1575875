"""What can go wrong with stored conversations, in words. Imports nothing heavy, so that anything may catch it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

StoreErrorKind = Literal[
    "full",  # the disk, a quota or a size limit
    "read_only",  # no permission to write the file or its folder
    "damaged",  # the file is not a sound database
    "newer",  # written by a newer puna
    "foreign",  # a database of another program
    "busy",  # another process holds it
    "io",  # any other failure to read or write
    "missing",  # a conversation or message that is no longer there
    "input",  # a request that makes no sense
    "closed",  # the store was closed
]


class ChatError(Exception):
    """Base of this package's errors."""


class StoreError(ChatError):
    """A conversation could not be read or stored. The text says what happened, to which file, and what to do now."""

    def __init__(self, kind: StoreErrorKind, message: str, hint: str = "", *, path: Path | None = None) -> None:
        super().__init__(f"{message}. {hint}" if hint else message)
        self.kind: StoreErrorKind = kind
        self.message = message
        self.hint = hint
        self.path = path


class TurnError(ChatError):
    """A turn that cannot begin: one is running already, or the message it starts from does not fit."""
