"""Which quantization of a model is recommended on a machine, and why. Values in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui.fit.labels import label_of
from tui.models.finder.values import FinderRow

FOUR_BITS = 0.5
"""Bytes a value from which on a quantization keeps nearly all that a model knows."""
READING_TOK_S = 10.0
"""Tokens a second that a person reads at, about."""
_LARGEST = "Q8_0"
_RANKS = {"gpu": 0, "partial": 1, "ram": 2, "no": 3, None: 4}


def at_four_bits(quant: str) -> bool:
    """It takes four bits a weight or more."""
    return label_of(quant).layers >= FOUR_BITS


def with_best(rows: Sequence[FinderRow]) -> tuple[FinderRow, ...]:
    """The rows of one model, with one of them marked and the reason in it.

    In this order: the largest of four bits and more that is all on the GPU; the largest such that fits at all and
    writes as fast as people read; the largest below four bits that is all on the GPU; of four bits and more the
    fastest that fits, which is the smallest; the largest that fits; where nothing fits, the one that lacks least.
    None is larger than Q8_0 while anything else is there: more bits add size and nothing else.
    """
    found = _best(rows)
    if found is None:
        return tuple(rows)
    best, reason = found
    return tuple(
        replace(row, best=row is best, reason=reason if row is best else "") if row is best or row.best else row
        for row in rows
    )


def _best(rows: Sequence[FinderRow]) -> tuple[FinderRow, str] | None:
    most = label_of(_LARGEST).layers
    known = [row for row in rows if row.verdict is not None]
    usual = [row for row in known if label_of(row.quant).layers <= most] or known
    if not usual:
        return None
    ordered = sorted(usual, key=lambda row: -(row.file_bytes or 0))
    good = [row for row in ordered if at_four_bits(row.quant)]
    fitting = [row for row in ordered if row.verdict != "no"]
    good_fitting = [row for row in good if row.verdict != "no"]
    steps = (
        ([row for row in good if row.verdict == "gpu"], "the largest that is all on the GPU"),
        ([row for row in good_fitting if _as_read(row)], "the largest that writes as fast as people read"),
        ([row for row in ordered if row.verdict == "gpu"], "the largest that is all on the GPU, below four bits"),
        (_fastest(good_fitting), "the fastest that keeps four bits a weight"),
        (fitting, "the largest that fits, below four bits"),
        (ordered[::-1], "nothing fits; this lacks least"),
    )
    return next((found[0], reason) for found, reason in steps if found)


def _fastest(rows: Sequence[FinderRow]) -> list[FinderRow]:
    """The smallest first; i-quants, which a processor decodes slowly, last."""
    return sorted(rows, key=lambda row: (row.verdict != "gpu" and "IQ" in row.quant.upper(), row.file_bytes or 0))


def _as_read(row: FinderRow) -> bool:
    return row.decode_tok_s is not None and row.decode_tok_s[0] >= READING_TOK_S


def rank(row: FinderRow) -> int:
    """The verdict as a number, the best first."""
    return _RANKS[row.verdict]
