"""What a recipe says of one architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.rigs.architectures.quants import Quant
from tests.rigs.architectures.sizes import Named, Sizes

Value = int | float | bool | str | Sequence[int]
LayerParts = Callable[[Sizes, int], Sequence[Named]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One architecture: the tensors of a layer, those outside of layers, and the keys besides the common ones."""

    architecture: str
    """general.architecture."""
    layer: LayerParts
    tiny: Sizes
    """Sizes that load within milliseconds and still have every kind of layer."""
    keys: Callable[[Sizes], Mapping[str, Value]] = field(default=lambda s: {})
    """Keys under the architecture's name."""
    outside: Callable[[Sizes], Named] = field(default=lambda s: ())
    """Tensors that belong to no layer, besides the embedding, the last norm and the output."""
    output_norm: str = "output_norm"
    norm_bias: bool = False
    quant: Quant = "Q4_K_M"
    """How it is published most often."""
