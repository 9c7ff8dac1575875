"""Other quantizations of a model, and what each would save."""

from __future__ import annotations

from tui.fit.shape import ModelShape
from tui.gguf.stripped import StrippedHeader
from tui.models.quants import COMMON, smaller_quants
from tui.models.subject import Subject

GB = 10**9


def subject(quant: str | None, *siblings: tuple[str, int]) -> Subject:
    shape = ModelShape(architecture="llama", n_layer=1, file_bytes=10 * GB)
    return Subject("m", "m", quant, None, shape, StrippedHeader(b"", 0, ""), siblings)


def test_published_files_are_known_to_the_byte() -> None:
    made = subject("Q8_0", ("F16", 19 * GB), ("Q8_0", 10 * GB), ("Q4_K_M", 5 * GB))
    assert smaller_quants(made) == (("Q4_K_M", 5 * GB),)


def test_where_none_are_known_the_usual_ones_are_reckoned_with() -> None:
    found = dict(smaller_quants(subject("Q8_0")))
    assert list(found) == [label for label in COMMON if label != "Q8_0"]
    assert list(found.values()) == sorted(found.values())
    assert 4 * GB < found["Q4_K_M"] < 5 * GB


def test_the_label_of_a_mix_with_a_matrix_counts_as_its_base() -> None:
    assert smaller_quants(subject("ud-q4_k_m")) == smaller_quants(subject("Q4_K_M"))


def test_nothing_is_guessed_for_an_unknown_or_the_smallest_quantization() -> None:
    assert smaller_quants(subject(None)) == ()
    assert smaller_quants(subject("TQ9_9")) == ()
    assert smaller_quants(subject("IQ1_S")) == ()
