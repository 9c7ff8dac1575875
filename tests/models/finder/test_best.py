"""Which quantization is recommended: the order that its docstring states."""

from __future__ import annotations

import pytest

from tests.models.finder.examples import GIB, row
from tui.fit.verdict import Verdict
from tui.models.finder.best import at_four_bits, with_best
from tui.models.finder.values import FinderRow

SIZES = {"BF16": 16, "Q8_0": 8, "Q6_K": 7, "Q5_K_M": 6, "Q4_K_M": 5, "IQ4_XS": 4, "Q3_K_M": 3, "Q2_K": 2}
SHORT: dict[str, Verdict] = {"g": "gpu", "p": "partial", "r": "ram", "n": "no"}


def rows(verdicts: str, speeds: str = "") -> list[FinderRow]:
    """From BF16 down to Q2_K; s is slow, anything else fast."""
    return [
        row(
            quant=quant,
            verdict=SHORT[verdict],
            file_bytes=size * GIB,
            decode_tok_s=None if verdict == "n" else (3.0, 6.0) if speed == "s" else (20.0, 40.0),
        )
        for (quant, size), verdict, speed in zip(SIZES.items(), verdicts, speeds.ljust(8), strict=True)
    ]


@pytest.mark.parametrize(
    ("verdicts", "speeds", "quant", "reason"),
    [
        ("gggggggg", "", "Q8_0", "all on the GPU"),
        ("ppppgggg", "", "Q4_K_M", "all on the GPU"),
        ("ppppgggg", "ssss", "Q4_K_M", "all on the GPU"),
        ("ppppppgg", "", "Q8_0", "as people read"),
        ("ppppppgg", "sssss", "IQ4_XS", "as people read"),
        ("ppppppgg", "ssssss", "Q3_K_M", "below four bits"),
        ("rrrrrrrr", "ssss", "Q4_K_M", "as people read"),
        ("rrrrrrrr", "ssssssss", "Q4_K_M", "fastest that keeps four bits"),
        ("nnnnnrrr", "ssssssss", "IQ4_XS", "fastest that keeps four bits"),
        ("nnnnnnrr", "", "Q3_K_M", "largest that fits"),
        ("nnnnnnnr", "", "Q2_K", "largest that fits"),
        ("nnnnnnnn", "", "Q2_K", "nothing fits"),
    ],
)
def test_one_is_recommended_and_why(verdicts: str, speeds: str, quant: str, reason: str) -> None:
    (best,) = [one for one in with_best(rows(verdicts, speeds)) if one.best]
    assert best.quant == quant
    assert reason in best.reason


def test_a_larger_one_than_q8_0_is_recommended_where_there_is_nothing_else() -> None:
    (best,) = with_best([row(quant="F16")])
    assert best.best


def test_what_has_no_price_is_not_recommended() -> None:
    assert with_best([]) == ()
    assert not any(one.best for one in with_best([row(verdict=None), row(quant="Q8_0", verdict=None)]))


def test_asked_again_the_mark_moves() -> None:
    first = with_best(rows("gggggggg"))
    again = with_best(first[2:])
    assert [one.quant for one in again if one.best] == ["Q6_K"]
    assert all(bool(one.reason) == one.best for one in again)


def test_four_bits() -> None:
    assert [quant for quant in SIZES if at_four_bits(quant)] == ["BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS"]
    assert at_four_bits("MXFP4")
    assert not at_four_bits("IQ3_M")
