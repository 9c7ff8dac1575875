"""Sizes as ggml counts them. Values only."""

from __future__ import annotations

from tui.gguf.types import TENSOR_TYPES
from tui.llama.settings import KV_NUMBERS

HOST_ALIGNMENT = 32
"""ggml's TENSOR_ALIGNMENT: where a tensor may begin in a buffer of the host, in bytes."""


def quantized(kv_type: str) -> bool:
    """True for a type that stores its values in blocks."""
    return TENSOR_TYPES[KV_NUMBERS[kv_type]].block > 1


def row_bytes(values: int, kv_type: str) -> int:
    """Bytes of one row of a KV cache of a type (`ggml_row_size`). llama.cpp refuses rows that fill no whole block; here
    their last block counts in full.
    """
    known = TENSOR_TYPES[KV_NUMBERS[kv_type]]
    return -(-values // known.block) * known.block_bytes
