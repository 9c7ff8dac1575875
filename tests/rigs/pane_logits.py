"""What two sequences compute that share their calls of llama.cpp: logits of each against the same tokens alone.

Run as `python -m tests.rigs.pane_logits FILE` in a process of its own; prints one JSON document. "noise" is how far
ways of cutting one text into calls are apart when it is alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.rigs.prefix_logits import largest, words
from tui.engine.sequence import Prompt, Sequence
from tui.engine.step import Share, compute
from tui.llama.binding import L
from tui.llama.log import NativeLog
from tui.llama.model import LoadedModel
from tui.llama.settings import LoadSettings

N_UBATCH, PIECE = 128, 32
WRITTEN, READ = 200, 300
"""Tokens that the first sequence has when the second begins to read, and that the second reads."""


def main(path: str) -> None:
    """Measure and print."""
    together, alone = _model(Path(path), panes=2), _model(Path(path), panes=1)
    first = together.vocab.tokenize(words(1, 4000).encode(), start=False)
    second = together.vocab.tokenize(words(2, 4000).encode(), start=False)[:READ]
    left, right = Sequence(together, 0), Sequence(together, 1)
    left.begin(Prompt((), 0))
    for at in range(0, WRITTEN, N_UBATCH):
        compute(together, [Share(left, tuple(first[at : min(at + N_UBATCH, WRITTEN)]), output=True)])
    steps = len(range(0, READ, PIECE))
    for step in range(steps):
        piece = tuple(second[step * PIECE : (step + 1) * PIECE])
        mine = Share(left, (first[WRITTEN + step],), output=True)
        compute(together, [mine, Share(right, piece, output=step == steps - 1)])
    found: dict[str, Any] = {
        "left": largest(_logits(together, 0), _alone(alone, first[: WRITTEN + steps], N_UBATCH)),
        "right": largest(together.logits(), _alone(alone, second, N_UBATCH)),
        "noise": max(
            largest(_alone(alone, text, N_UBATCH), _alone(alone, text, size))
            for text in (second, first[: WRITTEN + steps])
            for size in (PIECE, 100, 7)
        ),
        "different": largest(_alone(alone, second, N_UBATCH), _alone(alone, second[:-1], N_UBATCH)),
    }
    print(json.dumps(found))


def _model(path: Path, *, panes: int) -> LoadedModel:
    log = NativeLog()
    log.install()
    settings = LoadSettings(n_ctx=1024, n_gpu_layers=0, n_batch=N_UBATCH, n_ubatch=N_UBATCH, panes=panes)
    model = LoadedModel(path, settings, threads=1, log=log)
    model.load(lambda _share: None)
    return model


def _alone(model: LoadedModel, tokens: list[int], size: int) -> list[float]:
    """Logits of the last of `tokens` in an empty context, computed `size` at a time."""
    sequence = Sequence(model, 0)
    sequence.begin(Prompt((), 0))
    for at in range(0, len(tokens), size):
        compute(model, [Share(sequence, tuple(tokens[at : at + size]), output=True)])
    return model.logits()


def _logits(model: LoadedModel, index: int) -> list[float]:
    """Logits of the token at `index` of the last call."""
    values: list[float] = L.llama_get_logits_ith(model.context, index)[: model.vocab.size]
    return values


if __name__ == "__main__":
    main(*sys.argv[1:])
