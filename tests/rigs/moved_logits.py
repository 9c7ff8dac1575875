"""What a sequence computes that was written by a context of so many sequences and read by one of another number: its
logits against those of the context that it comes from.

Run as `python -m tests.rigs.moved_logits FILE` in a process of its own; prints one JSON document. "noise" is how far
ways of cutting one text into calls are apart, "different" how far another text is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.rigs.pane_logits import N_UBATCH, _alone, _model
from tests.rigs.prefix_logits import largest, words
from tui.engine.sequence import Prompt, Sequence
from tui.engine.step import Share, compute
from tui.llama.model import LoadedModel
from tui.llama.state import read_state, write_state

HELD, REST = 450, 30
"""Tokens that are written, and that follow."""


def main(path: str) -> None:
    """Measure and print."""
    one, two = _model(Path(path), panes=1), _model(Path(path), panes=2)
    text = one.vocab.tokenize(words(1, 4000).encode(), start=False)[: HELD + REST]
    other = one.vocab.tokenize(words(2, 4000).encode(), start=False)[: HELD + REST]
    found = {
        "widened": _moved(one, 0, two, 0, text, other),
        "widened into the second": _moved(one, 0, two, 1, text, other),
        "narrowed": _moved(two, 0, one, 0, text, other),
        "narrowed from the second": _moved(two, 1, one, 0, text, other),
    }
    document = {
        "moved": found,
        "noise": max(largest(_alone(one, text, N_UBATCH), _alone(one, text, size)) for size in (32, 100, 7)),
        "different": largest(_alone(one, text, N_UBATCH), _alone(one, other, N_UBATCH)),
    }
    print(json.dumps(document))


def _moved(source: LoadedModel, start: int, target: LoadedModel, end: int, text: list[int], other: list[int]) -> float:
    """The largest difference of a logit behind `text`, of which HELD tokens were read in `source` at sequence `start`
    and moved to `target` at `end`, where another sequence may hold something."""
    here = _held(source, start, text[:HELD])
    if target.settings.panes > 1:
        _held(target, 1 - end, other[:HELD])
    there = Sequence(target, end)
    there.clear()
    with TemporaryDirectory() as folder:
        file = Path(folder, "state")
        assert write_state(source.context, start, text[:HELD], file)
        assert read_state(target.context, end, file, target.n_ctx) == text[:HELD]
    there.note(text[:HELD])
    stayed, moved = (_rest(sequence, text[HELD:]) for sequence in (here, there))
    for model in (source, target):
        for number in range(model.settings.panes):
            model.clear(number)
    return largest(stayed, moved)


def _held(model: LoadedModel, number: int, tokens: list[int]) -> Sequence:
    sequence = Sequence(model, number)
    sequence.begin(Prompt((), 0))
    for at in range(0, len(tokens), N_UBATCH):
        compute(model, [Share(sequence, tuple(tokens[at : at + N_UBATCH]), output=True)])
    return sequence


def _rest(sequence: Sequence, tokens: list[int]) -> list[float]:
    compute(sequence._model, [Share(sequence, tuple(tokens), output=True)])
    return sequence._model.logits()


if __name__ == "__main__":
    main(*sys.argv[1:])
