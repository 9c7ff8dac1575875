"""What a quantization label says about bytes: of a model's layers, its embeddings and its output matrix. Values only.

A label names a mix of types that depends on the model (`llama_tensor_get_type`), so what follows from it is a range.
"""

from __future__ import annotations

from typing import NamedTuple

from tui.gguf.types import TENSOR_TYPES

_F32, _F16, _BF16, _Q6_K, _Q8_0, _Q2_K, _Q4_K, _Q5_K, _IQ3_S, _MXFP4 = 0, 1, 30, 14, 8, 10, 12, 13, 21, 39


class Label(NamedTuple):
    """One label."""

    layers: float
    """Bytes of one value in the layers, on average over published models."""
    input: int
    """ggml's number of the type of token embeddings that are no output matrix."""
    output: int
    """The same of the output matrix, tied or not."""
    spread: float = 0.06
    """How far off the bytes of the layers may be, as a share of them."""

    @property
    def input_bytes(self) -> float:
        """Bytes of one value of the token embeddings."""
        return bytes_per_value(self.input)

    @property
    def output_bytes(self) -> float:
        """Bytes of one value of the output matrix."""
        return bytes_per_value(self.output)


def bytes_per_value(kind: int) -> float:
    """Bytes of one value stored in a type."""
    return TENSOR_TYPES[kind].block_bytes / TENSOR_TYPES[kind].block


LABELS: dict[str, Label] = {
    "F32": Label(4.0, _F32, _F32, 0.01),
    "F16": Label(2.0, _F16, _F16, 0.01),
    "BF16": Label(2.0, _BF16, _BF16, 0.01),
    "Q8_0": Label(1.0625, _Q8_0, _Q8_0, 0.01),
    "Q6_K": Label(0.8203, _Q6_K, _Q6_K, 0.02),
    "Q5_K_M": Label(0.711, _Q5_K, _Q6_K),
    "Q5_K_S": Label(0.688, _Q5_K, _Q6_K),
    "Q5_1": Label(0.75, 7, _Q6_K, 0.02),
    "Q5_0": Label(0.6875, 6, _Q6_K, 0.02),
    "Q4_K_M": Label(0.600, _Q4_K, _Q6_K),
    "Q4_K_S": Label(0.570, _Q4_K, _Q6_K),
    "Q4_1": Label(0.625, 3, _Q6_K, 0.02),
    "Q4_0": Label(0.5625, 2, _Q6_K, 0.02),
    "IQ4_NL": Label(0.5625, 20, _Q6_K, 0.04),
    "IQ4_XS": Label(0.535, 23, _Q6_K),
    "MXFP4_MOE": Label(0.535, _Q8_0, _Q8_0, 0.08),
    "Q3_K_L": Label(0.525, 11, _Q6_K),
    "Q3_K_M": Label(0.483, 11, _Q6_K),
    "Q3_K_S": Label(0.432, 11, _Q6_K),
    "IQ3_M": Label(0.455, _IQ3_S, _Q6_K),
    "IQ3_S": Label(0.435, _IQ3_S, _Q6_K),
    "IQ3_XS": Label(0.410, _IQ3_S, _Q6_K, 0.08),
    "IQ3_XXS": Label(0.385, _IQ3_S, _Q6_K, 0.08),
    "Q2_K": Label(0.375, _Q2_K, _Q6_K, 0.1),
    "Q2_K_S": Label(0.345, _Q2_K, _Q6_K, 0.1),
    "IQ2_M": Label(0.345, _IQ3_S, _Q6_K, 0.1),
    "IQ2_S": Label(0.315, _IQ3_S, _Q6_K, 0.1),
    "IQ2_XS": Label(0.295, _Q2_K, _Q6_K, 0.1),
    "IQ2_XXS": Label(0.270, _Q2_K, _Q6_K, 0.1),
    "IQ1_M": Label(0.235, _Q2_K, _Q6_K, 0.12),
    "IQ1_S": Label(0.215, _Q2_K, _Q6_K, 0.12),
}
"""The labels that files are published under."""

UNKNOWN = Label(0.62, _Q4_K, _Q6_K, 0.7)
"""For a label that is none of them: anything from two to eight bits."""


def label_of(name: str | None) -> Label:
    """The label of a name such as UD-Q4_K_XL; the last step of its size may be one that llama.cpp does not have."""
    plain = (name or "").upper().removeprefix("UD-").replace("MXFP4", "MXFP4_MOE").replace("_MOE_MOE", "_MOE")
    found = LABELS.get(plain) or LABELS.get(plain.replace("_XL", "_M").replace("_L", "_M"))
    found = found or LABELS.get(plain.replace("_XL", "").replace("_L", ""))
    if found is None:
        return UNKNOWN
    return found if plain == (name or "").upper() else found._replace(spread=found.spread + 0.06)
