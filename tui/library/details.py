"""What a model's files say about it beyond the list: licence, template, tensors by type. Reads the whole header."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tui.config.plain import one_line
from tui.gguf.layout import read_layout
from tui.gguf.parser import Value
from tui.gguf.types import TENSOR_TYPES
from tui.library.model import Model

_TEMPLATE = "tokenizer.chat_template"


@dataclass(frozen=True, slots=True)
class TensorSum:
    """All tensors that are stored alike."""

    type: str
    """Such as Q4_K."""
    count: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Details:
    """One model, all shards together."""

    title: str | None
    """What its makers call it (general.name)."""
    licence: str | None
    n_vocab: int | None
    template: str | None
    """The chat template as the file has it, line ends and all; None where there is none."""
    tensors: tuple[TensorSum, ...]
    """The largest sum first."""


def details_of(model: Model) -> Details:
    """What the headers of all shards say. Raises GgufError for a model that has a problem."""
    layout = read_layout(model.path, texts=[_TEMPLATE])
    counts: Counter[int] = Counter()
    sums: Counter[int] = Counter()
    for tensor in layout.tensors:
        counts[tensor.type] += 1
        sums[tensor.type] += tensor.n_bytes
    header = layout.header
    template = header.metadata.get(_TEMPLATE)
    return Details(
        title=_text(header.metadata.get("general.name")),
        licence=_licence(header.metadata),
        n_vocab=header.n_vocab,
        template=template if isinstance(template, str) else None,
        tensors=tuple(
            TensorSum(TENSOR_TYPES[kind].name, counts[kind], n_bytes) for kind, n_bytes in sums.most_common()
        ),
    )


def _licence(metadata: Mapping[str, Value]) -> str | None:
    """Its short name; of one that has none, what its makers call it."""
    short = _text(metadata.get("general.license"))
    own = _text(metadata.get("general.license.name"))
    return own or short if short in (None, "other") else short


def _text(value: object) -> str | None:
    return one_line(value) or None if isinstance(value, str) else None
