"""Tensor infos: what a header says about each tensor, one at a time, and sums over all of them that cost no list."""

from __future__ import annotations

from typing import NamedTuple

from tui.config.plain import one_line
from tui.gguf.errors import GgufError
from tui.gguf.types import GUESSED_LABELS, TENSOR_TYPES
from tui.gguf.window import Window

MAX_TENSORS = 1 << 18
"""Published models have up to some 60 000 tensors."""
MAX_TENSOR_NAME = 256
"""Bytes; llama.cpp takes up to 63, builds of other programs up to 159."""
MAX_DIMS = 4
MAX_VALUES = 1 << 50
"""Values of one tensor; a thousand times the largest published model."""
MIN_INFO = 24
"""Bytes of the shortest tensor info: no name, no dimensions."""


class Tensor(NamedTuple):
    """One tensor of a model."""

    name: str
    shape: tuple[int, ...]
    """Values along each dimension in ggml's order: ne[0], a row, first."""
    type: int
    """ggml's number, a key of TENSOR_TYPES."""
    offset: int
    """Where it begins, in bytes from where the weights begin."""
    n_bytes: int
    """Without padding."""


def read_tensor(window: Window) -> tuple[Tensor, int]:
    """The tensor info that comes next, and how many values the tensor has. Raises GgufError for what cannot be."""
    length = window.u64("the name of a tensor")
    if length > MAX_TENSOR_NAME:
        raise GgufError(window.path, f"claims {length} bytes for the name of a tensor; the file is damaged")
    try:
        name = window.take(length, "the name of a tensor").decode()
    except UnicodeDecodeError as error:
        raise GgufError(window.path, "names a tensor in bytes that are no text; the file is damaged") from error
    n_dims = window.u32("a tensor's shape")
    if n_dims > MAX_DIMS:
        raise GgufError(window.path, f"claims {n_dims} dimensions for tensor {shown(name)}; the file is damaged")
    shape = tuple([window.u64("a tensor's shape") for _ in range(n_dims)])
    values = 1
    for n_elements in shape:
        values *= n_elements
    if values > MAX_VALUES:
        raise GgufError(window.path, f"claims {values} values for tensor {shown(name)}; the file is damaged")
    kind, offset = window.u32("a tensor's type"), window.u64("a tensor's place")
    known = TENSOR_TYPES.get(kind)
    if known is None:
        raise GgufError(window.path, f"stores tensor {shown(name)} as type {kind}, which this puna does not know")
    return Tensor(name, shape, kind, offset, -(-values // known.block) * known.block_bytes), values


class Tally:
    """Sums over tensors."""

    def __init__(self) -> None:
        self.values = 0
        self.data_bytes = 0
        """Where the last tensor ends, in bytes from where the weights begin."""
        self._blocks: dict[int, int] = {}
        self._others: dict[int, int] = {}

    def add(self, tensor: Tensor, values: int) -> None:
        """Count one tensor in."""
        self.values += values
        self.data_bytes = max(self.data_bytes, tensor.offset + tensor.n_bytes)
        if len(tensor.shape) > 1:
            kinds = self._blocks if tensor.name.startswith("blk.") else self._others
            kinds[tensor.type] = kinds.get(tensor.type, 0) + values

    @property
    def label(self) -> str | None:
        """The quantization that most values of the layers' matrices are stored in, named as llama.cpp guesses it when a
        file does not say (`llama_model_loader`, type_max); embeddings often have another one and count without layers.
        """
        kinds = self._blocks or self._others
        return GUESSED_LABELS.get(max(kinds, key=lambda kind: kinds[kind])) if kinds else None


def shown(name: str) -> str:
    """A name out of a file, short and without control characters."""
    text = one_line(name[:60])
    return text if len(name) <= 60 else f"{text}…"
