"""Files that are not, or no longer, a model: cut, damaged, absurd or made to kill llama.cpp. All are made of one good
tiny model, so that nothing but the damage is wrong with them.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.rigs.gguf_maker import plain_gguf, tiny_model

_COUNTS = struct.Struct("<QQ")
"""Number of tensors and of key-value pairs, after magic and version."""


@dataclass(frozen=True)
class Broken:
    """One file, and a word that the message about it must have."""

    name: str
    path: Path
    word: str


def broken_files(folder: Path) -> Iterator[Broken]:
    """Each kind of damage in turn."""
    good = tiny_model(folder / "good.gguf").read_bytes()
    yield Broken("missing", folder / "missing.gguf", "does not exist")
    yield Broken("a folder", folder, "is a folder")
    yield from _special_files(folder)
    for name, content, word in _contents(good):
        path = folder / f"{name.replace(' ', '-')}.gguf"
        path.write_bytes(content)
        yield Broken(name, path, word)
    yield from _impossible_models(folder)


def _special_files(folder: Path) -> Iterator[Broken]:
    os.mkfifo(folder / "pipe.gguf")
    yield Broken("a pipe", folder / "pipe.gguf", "is a pipe or a device")
    (folder / "loop.gguf").symlink_to(folder / "loop.gguf")
    yield Broken("a link to itself", folder / "loop.gguf", "cannot be read")
    (folder / "dangling.gguf").symlink_to(folder / "nowhere.gguf")
    yield Broken("a link to nothing", folder / "dangling.gguf", "does not exist")
    yield Broken("a device", Path(os.devnull), "is a pipe or a device")
    yield Broken("a zero byte", folder / "a\0b.gguf", "zero byte")
    yield Broken("a name too long", folder / ("x" * 300), "cannot be read")
    yield Broken("below a file", folder / "good.gguf" / "x.gguf", "cannot be read")


def _contents(good: bytes) -> Iterator[tuple[str, bytes, str]]:
    header = good.index(b"blk.0.attn_k.weight")
    yield "empty", b"", "is empty"
    yield "three bytes", b"GGU", "not a GGUF file"
    yield "wrong magic", b"PK\3\4" + good[4:], "not a GGUF file"
    yield "only the magic", b"GGUF", "could not load"
    yield "version 1", good[:4] + struct.pack("<I", 1) + good[8:], "could not load"
    yield "version 99", good[:4] + struct.pack("<I", 99) + good[8:], "could not load"
    yield "big endian", good[:4] + struct.pack(">I", 3) + good[8:], "could not load"
    yield "cut in the counts", good[:12], "could not load"
    yield "cut in the keys", good[:200], "could not load"
    yield "cut in the tensor infos", good[: header + 40], "could not load"
    yield "cut in the data", good[:-4096], "could not load"
    yield "cut to the header", good[: len(good) // 3], "could not load"
    yield "no end of tensors", good[:8] + _COUNTS.pack(1 << 62, 10) + good[24:], "could not load"
    yield "no end of keys", good[:8] + _COUNTS.pack(10, 1 << 62) + good[24:], "could not load"
    yield "minus one tensors", good[:8] + _COUNTS.pack((1 << 64) - 1, 10) + good[24:], "could not load"
    yield "a key of 2^60 bytes", good[:24] + struct.pack("<Q", 1 << 60) + good[32:], "could not load"
    yield "noise behind the magic", good[:8] + random.Random(1).randbytes(20_000), "could not load"
    yield "zeros behind the magic", good[:8] + bytes(20_000), "could not load"
    yield "an unknown tensor type", _with_info(good, kind=77), "could not load"
    yield "an offset far outside", _with_info(good, offset=1 << 50), "could not load"
    yield "an offset that is not aligned", _with_info(good, offset=7), "could not load"


def _with_info(good: bytes, *, kind: int | None = None, offset: int | None = None) -> bytes:
    """The file with another type or offset of one tensor (info: name, n_dims, dims, type, offset)."""
    name = b"blk.0.attn_k.weight"
    at = good.index(name) + len(name)
    (n_dims,) = struct.unpack_from("<I", good, at)
    at += 4 + 8 * n_dims
    changed = bytearray(good)
    if kind is not None:
        struct.pack_into("<I", changed, at, kind)
    if offset is not None:
        struct.pack_into("<Q", changed, at + 4, offset)
    return bytes(changed)


def _impossible_models(folder: Path) -> Iterator[Broken]:
    yield Broken("an unknown architecture", plain_gguf(folder / "a.gguf", architecture="nonsense"), "nonsense")
    yield Broken("nothing but a name", plain_gguf(folder / "n.gguf", {"general.name": "x"}), "could not load")
    good = tiny_model(folder / "whole.gguf").read_bytes()
    for key, value in (
        ("llama.attention.head_count", 0),
        ("llama.attention.head_count", 7),
        ("llama.attention.head_count_kv", 0),
        ("llama.embedding_length", 0),
        ("llama.embedding_length", 1 << 31),
        ("llama.feed_forward_length", 5),
        ("llama.rope.dimension_count", 1000),
        ("llama.block_count", 3),
    ):
        path = folder / f"{key}-{value}.gguf"
        path.write_bytes(_with_number(good, key, value))
        yield Broken(f"{key} {value}", path, "could not load")


def killer(folder: Path, n_layer: int) -> Path:
    """A file that makes llama.cpp abort: 4000 layers are more than its arrays hold, and of 0 it asks for the first."""
    path = tiny_model(folder / f"killer{n_layer}.gguf")
    path.write_bytes(_with_number(path.read_bytes(), "llama.block_count", n_layer))
    return path


def _with_number(good: bytes, key: str, value: int) -> bytes:
    """The file with another value of one 32-bit key (length, key, type, value)."""
    name = struct.pack("<Q", len(key)) + key.encode()
    at = good.index(name) + len(name) + 4
    return good[:at] + struct.pack("<I", value) + good[at + 4 :]


def flipped(good: bytes, seed: int) -> bytes:
    """The file with a few bytes of its first part changed."""
    pick, content = random.Random(seed), bytearray(good)
    for _ in range(pick.choice([1, 2, 8])):
        content[pick.randrange(4, min(len(content), 12_000))] = pick.randrange(256)
    return bytes(content)
