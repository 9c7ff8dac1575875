"""What a file of the loopback hub holds: bytes, a file on this disk, or a start and a hole that costs nothing."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content; `read(start, stop)` gives the bytes between two places within it."""

    size: int
    sha256: str
    read: Callable[[int, int], bytes]

    def flipped(self, at: int) -> Content:
        """The same with every bit of one byte turned, under the same name."""

        def read(start: int, stop: int) -> bytes:
            data = bytearray(self.read(start, stop))
            if start <= at < stop:
                data[at - start] ^= 0xFF
            return bytes(data)

        return replace(self, read=read)


def of_bytes(data: bytes) -> Content:
    """Exactly these bytes."""
    return Content(len(data), hashlib.sha256(data).hexdigest(), lambda start, stop: data[start:stop])


def gguf_bytes(size: int, seed: int = 0) -> bytes:
    """`size` bytes that pass for a model, others for each seed: a GGUF header without keys and tensors, and noise."""
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, 0)
    return header + random.Random(seed).randbytes(size - len(header))


def of_file(path: Path) -> Content:
    """A file on this disk; it must stay as it is."""

    def read(start: int, stop: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Content(path.stat().st_size, digest, read)


def with_hole(start: bytes, size: int) -> Content:
    """These bytes and then zeros, `size` bytes in all. Its SHA-256 is made up: the true one would take minutes."""

    def read(begin: int, stop: int) -> bytes:
        return start[begin:stop].ljust(stop - begin, b"\0")

    return Content(size, hashlib.sha256(start + str(size).encode()).hexdigest(), read)
