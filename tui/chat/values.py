"""Conversations and messages as immutable values.

The first frame may need these types, so this module must never import sqlite3, msgspec or anything that does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from tui.engine.protocol import Channel, DoneReason, Role

MessageState = Literal["done", "streaming", "cut"]
Timings: TypeAlias = Mapping[str, "float | int | str | bool | None"]
Piece: TypeAlias = "tuple[Channel, str]"
"""A stretch of an answer: its channel and its text."""


@dataclass(frozen=True, slots=True)
class PresetChoice:
    """What a conversation keeps of the preset that was chosen for it."""

    name: str
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """Sampling settings by name; those that it does not name are the person's usual ones."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation without its messages."""

    id: int
    title: str
    """The first words of its first message, or what the person called it."""
    system: str
    """System prompt; empty is none."""
    model: str
    """Name of the model that answered last."""
    created: float
    """Unix seconds."""
    updated: float
    """Unix seconds of the last message."""
    leaf_id: int | None
    """Last message of the branch that is shown; None when there is no message."""
    message_count: int = 0
    """Messages on all branches, without deleted ones."""
    deleted: float | None = None
    """Unix seconds of its deletion; it can be restored until it is purged."""
    pinned: float | None = None
    """Unix seconds since when it stays on top of the list."""
    archived: float | None = None
    """Unix seconds since when it is out of the list, and still found."""
    left_out_to: int | None = None
    """Message up to which the model is not sent the conversation any more; None where it is sent all of it."""
    summary: str = ""
    """What stands for the messages before that; empty is nothing."""
    tokens: int | None = None
    """Tokens of the branch that is shown, as the engine that wrote its last answer counted; None without one."""
    draft: str = ""
    """The beginning of what is written and not sent; the whole is `Store.draft`."""
    preset: PresetChoice | None = None
    tags: tuple[str, ...] = ()
    """In alphabetical order."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation's tree."""

    id: int
    conversation_id: int
    parent_id: int | None
    role: Role
    content: str
    thinking: str
    model: str
    """Name of the model that wrote it; empty for a person's message."""
    created: float
    """Unix seconds."""
    state: MessageState
    """streaming while a running puna writes it; cut when it was stopped before its end."""
    reason: DoneReason | None
    """Why it ended; None for a person's message, while streaming, and when puna itself was killed."""
    timings: Timings = field(default_factory=dict)
    """What the engine measured; empty when nothing was."""
    error: str = ""
    """What went wrong, in words."""
    version: int = 1
    """Which of its versions this is, the oldest being 1: messages behind the same one, deleted ones aside."""
    versions: int = 1


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One place where a searched text occurs."""

    conversation_id: int
    message_id: int | None
    """None when the title matched."""
    title: str
    role: Role | None
    created: float
    """Unix seconds of the message, or of the conversation's last change for a title."""
    snippet: str
    """A line of text around the match, without line breaks or control characters."""
    spans: tuple[tuple[int, int], ...]
    """Where the match is in the snippet: start and end, in characters."""


@dataclass(frozen=True, slots=True)
class OpenReport:
    """What happened while a history file was opened, for the person to be told."""

    recovered: tuple[int, ...] = ()
    """Answers that a puna which is gone left unfinished; their text is kept and their state is "cut"."""
    set_aside: Path | None = None
    """Where a damaged history was moved; a new one was started in its place."""
    salvaged: int = 0
    """Conversations of it that could be read, in whole or in part, and are in the new one."""
    migrated_from: int | None = None
    """Format of the history before it was brought up to date; None when it was."""

    @property
    def damage(self) -> str:
        """What became of a damaged history, in words; empty when it was sound."""
        if self.set_aside is None:
            return ""
        read = {0: "Nothing in it could be read", 1: "1 conversation could be read and is in the new one"}.get(
            self.salvaged, f"{self.salvaged} conversations could be read and are in the new one"
        )
        return f"The history was damaged and is kept as {self.set_aside}. {read}."
