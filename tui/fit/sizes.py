"""Sizes as ggml counts them. Values only."""

from __future__ import annotations

from tui.gguf.types import TENSOR_TYPES

HOST_ALIGNMENT = 32
"""ggml's TENSOR_ALIGNMENT: where a tensor may begin in a buffer of the host, in bytes."""
CUDA_ALIGNMENT, CUDA_ROW = 128, 512
"""Where a tensor may begin in a CUDA buffer, in bytes; rows of quantized tensors are padded to so many values."""
CELLS = 256
"""KV caches hold a multiple of so many tokens."""
KV_NUMBERS = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20, "bf16": 30}
"""ggml's number of each type that a KV cache takes."""


def padded(size: int, multiple: int) -> int:
    """`size` rounded up to a multiple."""
    return -(-size // multiple) * multiple


def quantized(kv_type: str) -> bool:
    """True for a type that stores its values in blocks."""
    return TENSOR_TYPES[KV_NUMBERS[kv_type]].block > 1


def row_bytes(values: int, kv_type: str) -> int:
    """Bytes of one row of a KV cache of a type (`ggml_row_size`). llama.cpp refuses rows that fill no whole block; here
    their last block counts in full.
    """
    known = TENSOR_TYPES[KV_NUMBERS[kv_type]]
    return -(-values // known.block) * known.block_bytes
