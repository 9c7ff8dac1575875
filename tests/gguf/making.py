"""GGUF bytes made by hand, well-formed or not, in either byte order."""

from __future__ import annotations

import struct
from pathlib import Path

U32, U64, STRING, ARRAY = 4, 10, 8, 9


def string(text: str | bytes, order: str = "<") -> bytes:
    """A length and that many bytes."""
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(f"{order}Q", len(data)) + data


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
