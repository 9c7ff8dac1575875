"""What the rules of stand-in devices answered while llama.cpp laid a graph out, remembered so that a graph like it is
laid out without asking them again. Values only.

No rule of a backend depends on n_ctx, which llama.cpp pads to what kernels want, on how many the many rows of a
micro-batch are, nor on which part of a model is on devices. So what holds for a graph holds for one of another length,
and where all of it was on devices, for any part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Answers:
    """Of all devices together."""

    refused: bool
    """A rule has refused an operation."""
    displaced: bool
    """A device has refused an operation because an operand lies on another one of its backend."""
    graph_padded: bool
    """A result in the graph takes more than its own bytes."""
    tensors_padded: bool
    """So does a weight or a cache."""


UNKNOWN = Answers(refused=True, displaced=True, graph_padded=True, tensors_padded=True)
"""Every rule has to be asked."""
_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Known:
    """What laying a graph out has shown."""

    answers: Answers
    flash_attn: bool
    """What the setting comes to."""


class KnownGraphs:
    """Of graphs that were wholly on devices, by a key of the caller's in which nothing says where a model lies."""

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def get(self, key: bytes) -> Known | None:
        """What to expect wherever the model lies; None where it was never wholly on devices."""
        return self._known.get(key)

    def keep(self, key: bytes, known: Known) -> None:
        """Remember a graph. On which device operands lie is another matter each time."""
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[key] = replace(known, answers=replace(known.answers, displaced=True))
