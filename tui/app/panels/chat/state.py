"""What the chat panel's status line can say, as values. Exactly one of them counts at a time."""

from __future__ import annotations

from typing import NamedTuple


class NoModel(NamedTuple):
    """Nothing is loaded. `next_model` is loaded by itself when a person writes; empty when there is none."""

    next_model: str = ""


class Loading(NamedTuple):
    """A model is read into memory."""

    name: str
    fraction: float = 0.0


class Ready(NamedTuple):
    """The model waits for words. Tokens of the context in use, and in all."""

    used: int
    n_ctx: int


class Reading(NamedTuple):
    """The prompt is computed, `done` of `total` tokens."""

    done: int
    total: int
    n_ctx: int


class Answering(NamedTuple):
    """The answer comes: tokens of the prompt, tokens of the answer so far, the context's size, the rate."""

    prompt: int
    answer: int
    n_ctx: int
    tok_s: float | None = None


class Unloading(NamedTuple):
    """The model leaves memory."""

    name: str


Status = NoModel | Loading | Ready | Reading | Answering | Unloading
