"""What the chat panel's status line can say, as values. Exactly one of them counts at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NoModel:
    """Nothing is loaded. `next_model` is loaded by itself when a person writes; empty when there is none."""

    next_model: str = ""


@dataclass(frozen=True, slots=True)
class Loading:
    """A model is read into memory."""

    name: str
    fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Ready:
    """The model waits for words. Tokens of the context in use, and in all."""

    used: int
    n_ctx: int
    writing: int = 0
    """Tokens of what is being written."""
    more_turns: int | None = None
    """About how many more turns like the last ones there is room for; None where that cannot be told."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The prompt is computed, `done` of `total` tokens."""

    done: int
    total: int
    n_ctx: int
    looking: bool = False
    """It is an image that is looked at."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The answer comes: tokens of the prompt, of the answer so far, and of the context in all."""

    prompt: int
    answer: int
    n_ctx: int


@dataclass(frozen=True, slots=True)
class Unloading:
    """The model leaves memory."""

    name: str


Status = NoModel | Loading | Ready | Reading | Answering | Unloading
