"""Which type each tensor gets in the published quantizations. Source: llama.cpp's `src/llama-quant.cpp`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from gguf import GGMLQuantizationType as Type
from gguf.constants import GGML_QUANT_SIZES

from tests.rigs.architectures.sizes import Dims, Named, Sizes

Quant = Literal["F32", "F16", "Q8_0", "Q4_0", "Q4_K_M", "MXFP4"]
FILE_TYPES: dict[Quant, int] = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "Q4_K_M": 15, "MXFP4": 38}
"""general.file_type by name (llama.h, llama_ftype)."""

Typed = tuple[str, Dims, Type]

_BASE = {"F16": Type.F16, "Q8_0": Type.Q8_0, "Q4_0": Type.Q4_0, "Q4_K_M": Type.Q4_K, "MXFP4": Type.Q8_0}
_SMALLER_BLOCKS = {Type.Q4_K: Type.Q5_0, Type.Q5_K: Type.Q5_1, Type.Q6_K: Type.Q8_0}
_KEPT = re.compile(
    r"_norm\.weight|ffn_gate_inp|position_embd|ssm_conv1d|shortconv\.conv\.|time_mix_(first|lerp_fused|[wavg][012]|decay_w)"
)
"""Small or sensitive tensors that no quantization touches."""
_VALUES = re.compile(r"attn_(v|qkv|kv_b)\.weight")


def assign_types(tensors: Named, quant: Quant, architecture: str, s: Sizes) -> list[Typed]:
    """Each tensor with its type."""
    named = list(tensors)
    tied = not any(name == "output.weight" for name, _ in named)
    values = [name for name, _ in named if _VALUES.search(name)]
    made = []
    for name, dims in named:
        kind = Type.F32
        if quant != "F32" and _is_matrix(dims) and name.endswith("weight") and not _KEPT.search(name):
            kind = _wanted(name, dims, quant, architecture, s, values, tied)
        made.append((name, dims, _that_divides(kind, dims[0])))
    return made


def n_bytes(dims: Dims, kind: Type) -> int:
    """Bytes of one tensor, unpadded."""
    block, size = GGML_QUANT_SIZES[kind]
    count = 1
    for length in dims:
        count *= length
    return int(count // block * size)


def _is_matrix(dims: Dims) -> bool:
    return any(length > 1 for length in dims[1:])


def _wanted(name: str, dims: Dims, quant: Quant, arch: str, s: Sizes, values: Sequence[str], tied: bool) -> Type:
    if name == "output.weight" or (tied and name == "token_embd.weight"):
        if quant in ("Q4_K_M", "Q4_0"):
            return Type.Q8_0 if arch == "falcon" or (dims[0] % 256 and quant == "Q4_K_M") else Type.Q6_K
        return _BASE[quant]
    if quant == "MXFP4":
        return Type.MXFP4 if len(dims) > 2 and dims[2] > 1 else Type.Q8_0
    return _in_k_quant(name, arch, s, values) if quant == "Q4_K_M" else _BASE[quant]


def _in_k_quant(name: str, arch: str, s: Sizes, values: Sequence[str]) -> Type:
    """The mix of Q4_K_M: more bits for what errors hurt most, in some layers."""
    layer = int(found[1]) if (found := re.match(r"blk\.(\d+)\.", name)) else 0
    few_experts = s.n_expert == 8
    if _VALUES.search(name):
        more = _use_more_bits(values.index(name), len(values))
        kind = Type.Q6_K if more else Type.Q5_K if s.n_layer == 80 and s.n_embd == 8192 else Type.Q4_K
        return Type.Q8_0 if few_experts else kind
    if "attn_k.weight" in name and few_experts:
        return Type.Q8_0
    if "ffn_down" in name:
        more = _use_more_bits(layer, s.n_layer)
        if arch == "falcon":
            return Type.Q6_K if layer < s.n_layer // 16 else Type.Q5_K if more else Type.Q4_K
        return Type.Q6_K if more else Type.Q4_K
    if "attn_output.weight" in name and few_experts:
        return Type.Q5_K
    return Type.Q4_K


def _use_more_bits(layer: int, n_layer: int) -> bool:
    return layer < n_layer // 8 or layer >= 7 * n_layer // 8 or (layer - n_layer // 8) % 3 == 2


def _that_divides(kind: Type, row: int) -> Type:
    """A type of smaller blocks where the row is no multiple of this one's."""
    if row % GGML_QUANT_SIZES[kind][0]:
        kind = _SMALLER_BLOCKS.get(kind, kind)
    return Type.F16 if row % GGML_QUANT_SIZES[kind][0] else kind
