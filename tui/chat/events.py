"""What a session tells its pane while a turn runs: the engine's own events, and what becomes of the stored text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.chat.errors import StoreError
from tui.chat.values import Message
from tui.engine.protocol import Delta, Done, PromptProgress


@dataclass(frozen=True, slots=True)
class UserStored:
    """The person's message is safe; nothing has run yet."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerBegun:
    """An answer has its place in the tree; the engine is asked next."""

    message: Message


@dataclass(frozen=True, slots=True)
class AnswerEnded:
    """The last event of a turn."""

    message: Message
    """The whole answer with its state and reason."""
    failure: Exception | None = None
    """What the engine raised, when it failed; the message has it in words."""
    stored: bool = True
    """False when the end could not be stored yet: it stays in memory and is tried again."""


@dataclass(frozen=True, slots=True)
class StoreTrouble:
    """Text of an answer cannot be stored at the moment. It stays in memory and is tried again."""

    message_id: int
    error: StoreError


@dataclass(frozen=True, slots=True)
class StoreHealed:
    """What could not be stored has been."""

    message_id: int


EngineEvent = PromptProgress | Delta | Done
SessionEvent = UserStored | AnswerBegun | EngineEvent | AnswerEnded | StoreTrouble | StoreHealed
Listener = Callable[[SessionEvent], None]
