"""One call of llama.cpp for any number of sequences, which computes them together and notes what was computed."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass

from tui.engine.prefix import is_part
from tui.engine.sequence import Sequence
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel, Piece


class Aborted(Exception):
    """Somebody asked for a stop while it was computed. Of each sequence some of its tokens may be there, or none."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one sequence has in a call."""

    sequence: Sequence
    tokens: tuple[int, ...]
    output: bool
    """Logits of the last token are wanted."""

    @property
    def position(self) -> int:
        """Where its first token is going to stand."""
        held = self.sequence.held
        return held.position(len(held.tokens))

    @property
    def is_image(self) -> bool:
        """Whether it is part of an image, which is computed by itself."""
        return is_part(self.tokens[0])


def compute(model: LoadedModel, shares: Several[Share]) -> None:
    """Compute all shares, at most n_ubatch tokens together, or the one share that is part of an image.

    Raises Aborted, or LlamaError (kinds decode, input): nothing is noted then, and `Sequence.recover` finds out what
    there is.
    """
    first = shares[0]
    if first.is_image:
        code = first.sequence.pictures.compute(first.tokens[0], first.sequence.number, first.position)
    else:
        code = model.decode([Piece(one.sequence.number, one.position, one.tokens, one.output) for one in shares])
    if code == 0:
        for share in shares:
            share.sequence.note(share.tokens)
        return
    if code == 2 or model.cancel.is_set():
        raise Aborted
    if code == 1:
        raise LlamaError("decode", "llama.cpp found no room in its cache", "reload the model with a larger n_ctx")
    raise LlamaError("decode", f"llama.cpp could not compute the next token (code {code})", "reload the model")
