"""One call of llama.cpp for any number of sequences, which computes them together and notes what was computed."""

from __future__ import annotations

from collections.abc import Sequence as Several
from dataclasses import dataclass

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


def compute(model: LoadedModel, shares: Several[Share]) -> None:
    """Compute all shares, at most n_ubatch tokens together.

    Raises Aborted, or LlamaError (kind decode): nothing is noted then, and `Sequence.recover` finds out what there is.
    """
    code = model.decode(
        [Piece(share.sequence.number, len(share.sequence.held.tokens), share.tokens, share.output) for share in shares]
    )
    if code == 0:
        for share in shares:
            share.sequence.note(share.tokens)
        return
    if code == 2 or model.cancel.is_set():
        raise Aborted
    if code == 1:
        raise LlamaError("decode", "llama.cpp found no room in its cache", "reload the model with a larger n_ctx")
    raise LlamaError("decode", f"llama.cpp could not compute the next token (code {code})", "reload the model")
