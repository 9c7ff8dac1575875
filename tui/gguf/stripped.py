"""A header without its vocabulary: all that llama.cpp needs to lay a model out, in 15 to 44 KB instead of megabytes."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tui.gguf.errors import GgufError
from tui.gguf.layout import Layout
from tui.gguf.parser import STRING, U32
from tui.gguf.tensors import Tensor

MAX_VOCABULARY = 1 << 22
"""Tokens; published models have up to 262 144, and llama.cpp takes some 50 bytes for each."""
MAX_DATA_BYTES = 1 << 50
"""Bytes of weights, a thousand times the largest published model."""

_MODEL = "tokenizer.ggml.model"
_LAID_OUT_BY = frozenset({"tokenizer.ggml.token_type_count"})
"""Keys of a tokenizer that llama.cpp sizes tensors by (`llama_vocab::n_token_types`, models of the BERT family)."""


@dataclass(frozen=True, slots=True)
class StrippedHeader:
    """The bytes of a GGUF file up to its weights, the tokenizer replaced; every other key and tensor info is kept.

    llama.cpp accepts it as a file once it is extended by `data_bytes`, which may be a hole.
    """

    data: bytes
    """Padded to the file's alignment, so that the weights would begin at its end."""
    data_bytes: int
    """Bytes of weights that the tensor infos speak of."""
    digest: str
    """SHA-256 of `data`, in hexadecimal: what a cache knows it by."""


def strip(layout: Layout) -> StrippedHeader:
    """The layout's header with a vocabulary of `n_vocab` nameless tokens (llama.cpp's "no_vocab").

    llama.cpp lays it out as it does the whole file, or refuses it alike. Raises GgufError for what it cannot load here
    anyway: a big-endian file, one without an architecture, a tokenizer without tokens.
    """
    header = layout.header
    if header.big_endian:
        raise GgufError(layout.path, "is a big-endian GGUF file, which cannot be run here; get the little-endian one")
    if header.architecture is None:
        raise GgufError(layout.path, "does not name its architecture, so it is no model that llama.cpp can load")
    _check_sizes(layout)
    if header.metadata.get("split.tensors.count", len(layout.tensors)) != len(layout.tensors):
        raise GgufError(layout.path, f"is only one of {header.shards} shards; they have to be joined first")
    pairs = list(_pairs(layout, header.architecture))
    infos = b"".join(_info(tensor) for tensor in layout.tensors)
    start = b"GGUF" + struct.pack("<IQQ", header.version, len(layout.tensors), len(pairs))
    data = _padded(b"".join([start, *pairs, infos]), layout.alignment)
    return StrippedHeader(data, layout.data_bytes, hashlib.sha256(data).hexdigest())


def _check_sizes(layout: Layout) -> None:
    """Refuse what would make llama.cpp, or whoever writes the file, reach for absurd amounts."""
    n_vocab = layout.header.n_vocab or 0
    if n_vocab > MAX_VOCABULARY:
        raise GgufError(layout.path, f"claims a vocabulary of {n_vocab} tokens; the file is damaged")
    if layout.data_bytes > MAX_DATA_BYTES:
        raise GgufError(layout.path, f"claims {layout.data_bytes} bytes of weights; the file is damaged")


def _pairs(layout: Layout, architecture: str) -> Iterator[bytes]:
    size_key = f"{architecture}.vocab_size"
    joined = layout.header.shards > 1
    vocabulary = _vocabulary(layout, size_key)
    for key, raw in layout.pairs:
        dropped = key.startswith("tokenizer.") and key not in _LAID_OUT_BY
        if not (dropped or (joined and key.startswith("split.")) or (vocabulary and key == size_key)):
            yield raw
    yield from vocabulary


def _vocabulary(layout: Layout, size_key: str) -> tuple[bytes, ...]:
    """The pairs that stand for the tokenizer; none for a file that has none, which llama.cpp then refuses alike."""
    model = layout.header.metadata.get(_MODEL)
    if model is None:
        return ()
    if layout.header.n_vocab is None and model not in ("no_vocab", "none"):
        raise GgufError(layout.path, "has a tokenizer without tokens, so llama.cpp cannot load it; get another file")
    no_tokens = _text(_MODEL) + struct.pack("<I", STRING) + _text("no_vocab")
    if layout.header.n_vocab is None:
        return (no_tokens,)
    return no_tokens, _text(size_key) + struct.pack("<II", U32, layout.header.n_vocab)


def _info(tensor: Tensor) -> bytes:
    n_dims = len(tensor.shape)
    shape = struct.pack(f"<I{n_dims}Q", n_dims, *tensor.shape)
    return _text(tensor.name) + shape + struct.pack("<IQ", tensor.type, tensor.offset)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _padded(data: bytes, alignment: int) -> bytes:
    return data + bytes(-len(data) % alignment)
