"""GGUF bytes made by hand, well-formed or not, in either byte order."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np

U32, U64, STRING, ARRAY = 4, 10, 8, 9


def string(text: str | bytes) -> bytes:
    """A length and that many bytes."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def start(n_tensors: int = 0, n_keys: int = 0, version: int = 3, magic: bytes = b"GGUF") -> bytes:
    """The first 24 bytes."""
    return magic + struct.pack("<IQQ", version, n_tensors, n_keys)


def pair(key: str, kind: int, value: bytes) -> bytes:
    """A key with its value."""
    return string(key) + struct.pack("<I", kind) + value


def array(kind: int, count: int, items: bytes) -> bytes:
    """The value of an array."""
    return struct.pack("<IQ", kind, count) + items


def tensor(name: str | bytes, dims: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    """A tensor info."""
    shape = struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
    return string(name) + shape + struct.pack("<IQ", kind, offset)


def write(path: Path, data: bytes) -> Path:
    """The file, written."""
    path.write_bytes(data)
    return path


KEYS = [
    pair("general.architecture", STRING, string("llama")),
    pair("general.tags", ARRAY, array(STRING, 3, string("a") + string("") + string("ccc"))),
    pair("llama.block_count", U32, struct.pack("<I", 2)),
    pair("llama.attention.head_count_kv", ARRAY, array(U32, 2, struct.pack("<II", 1, 2))),
    pair("tokenizer.ggml.model", STRING, string("gpt2")),
    pair("tokenizer.ggml.token_type_count", U32, struct.pack("<I", 2)),
    pair("tokenizer.ggml.tokens", ARRAY, array(STRING, 3, string("x") + string("yy") + string("zzz"))),
    pair("tokenizer.ggml.scores", ARRAY, array(6, 3, bytes(12))),
    pair("llama.rope.freq_base", 6, struct.pack("<f", 1e4)),
    pair("general.alignment", U32, struct.pack("<I", 64)),
]
INFOS = [tensor("token_embd.weight", (32, 3), kind=8), tensor("blk.0.attn_norm.weight", (32,), offset=128)]
HEADER = start(n_tensors=2, n_keys=len(KEYS)) + b"".join(KEYS + INFOS)
DATA_OFFSET = -(-len(HEADER) // 64) * 64
WHOLE = HEADER + bytes(DATA_OFFSET - len(HEADER) + 256)
"""A small file with one of everything."""


def big_endian(path: Path) -> Path:
    """Write a small file in the other byte order."""
    writer = gguf.GGUFWriter(path, "llama", endianess=gguf.GGUFEndian.BIG)  # codespell:ignore endianess
    writer.add_block_count(3)
    writer.add_array("llama.attention.head_count_kv", [1, 2, 70_000])
    writer.add_float32("llama.rope.freq_base", 10_000.5)
    writer.add_token_list(["a", "bb", "ccc"])
    writer.add_tensor("blk.0.x", np.zeros((4, 8), dtype=np.float32))
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
