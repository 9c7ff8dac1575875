"""Other quantizations of a model, and about how many bytes each would save. Values only."""

from __future__ import annotations

from tui.fit.labels import LABELS, label_of
from tui.models.subject import Subject

COMMON = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K")
"""What most models are published in."""


def smaller_quants(subject: Subject) -> tuple[tuple[str, int], ...]:
    """(label, bytes saved) of smaller quantizations: of the files that are known, else of what is usual, by the average
    bytes of a value; none for a model whose own quantization is not known.
    """
    file_bytes = subject.shape.file_bytes
    if subject.siblings:
        return tuple((label, file_bytes - size) for label, size in subject.siblings if size < file_bytes)
    own = (subject.quant or "").upper().removeprefix("UD-")
    if own not in LABELS:
        return ()
    layers = label_of(own).layers
    return tuple(
        (label, round(file_bytes * (1 - LABELS[label].layers / layers)))
        for label in COMMON
        if LABELS[label].layers < layers
    )
