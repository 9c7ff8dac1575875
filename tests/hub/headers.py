"""Headers as large as published ones, made in a moment: a vocabulary, its merges, and tensors that are a hole."""

from __future__ import annotations

import struct

from tests.rigs.gguf_bytes import ARRAY, STRING, U32, array, pair, start, string, tensor
from tests.rigs.hub import Content, with_hole

ALIGNMENT = 32
_SIDE = 1024
"""Values of a tensor in each direction."""


def header(n_tokens: int, n_merges: int, *, n_layer: int = 32, shard: tuple[int, int] | None = None) -> bytes:
    """The header of a llama with F32 tensors, two a layer; of `shard` (number from 0, count) only its part of them."""
    pairs = [
        pair("general.architecture", STRING, string("llama")),
        pair("llama.block_count", U32, _u32(n_layer)),
        pair("llama.context_length", U32, _u32(8192)),
        pair("llama.embedding_length", U32, _u32(_SIDE)),
    ]
    layers = range(n_layer)
    if shard is not None:
        number, count = shard
        layers = range(number * n_layer // count, (number + 1) * n_layer // count)
        split = {"split.no": number, "split.count": count, "split.tensors.count": 2 * n_layer}
        # Only the first shard says anything about the model.
        pairs = (pairs if number == 0 else []) + [pair(key, U32, _u32(value)) for key, value in split.items()]
    if n_tokens:
        pairs += _tokenizer(n_tokens, n_merges)
    n_bytes = 4 * _SIDE * _SIDE
    names = [f"blk.{layer}.{part}.weight" for layer in layers for part in ("attn_q", "ffn_up")]
    infos = [tensor(name, (_SIDE, _SIDE), 0, number * n_bytes) for number, name in enumerate(names)]
    data = start(len(infos), len(pairs)) + b"".join(pairs) + b"".join(infos)
    return data + bytes(-len(data) % ALIGNMENT)


def in_a_hole(data: bytes, size: int = 20 << 30) -> Content:
    """A file that begins with this header and is a hole otherwise."""
    return with_hole(data, size)


def _tokenizer(n_tokens: int, n_merges: int) -> list[bytes]:
    tokens = b"".join(string(f"t{number * 7919 % 100_003:x}") for number in range(n_tokens))
    merges = b"".join(string(f"a{number:x} b{number:x}") for number in range(n_merges))
    return [
        pair("tokenizer.ggml.model", STRING, string("gpt2")),
        pair("tokenizer.ggml.tokens", ARRAY, array(STRING, n_tokens, tokens)),
        pair("tokenizer.ggml.token_type", ARRAY, array(5, n_tokens, bytes(4 * n_tokens))),
        pair("tokenizer.ggml.merges", ARRAY, array(STRING, n_merges, merges)),
        pair("tokenizer.chat_template", STRING, string("x" * 5000)),
    ]


def _u32(value: int) -> bytes:
    return struct.pack("<I", value)
