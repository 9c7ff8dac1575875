"""Headers that are wrong on purpose: one number of a good one is another."""

from __future__ import annotations

import hashlib
import struct

from tui.gguf.stripped import StrippedHeader


def with_number(header: StrippedHeader, key: str, value: int) -> StrippedHeader:
    """The header with another 32-bit value of `key`."""
    at = header.data.index(key.encode()) + len(key) + 4  # the key is followed by the type of its value
    return of_bytes(header.data[:at] + struct.pack("<I", value) + header.data[at + 4 :], header.data_bytes)


def of_bytes(data: bytes, data_bytes: int = 0) -> StrippedHeader:
    """Any bytes as a header."""
    return StrippedHeader(data, data_bytes, hashlib.sha256(data).hexdigest())
