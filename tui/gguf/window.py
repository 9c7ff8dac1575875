"""A moving window over a file: reads small pieces in order and skips large ones without reading them.

Nothing is allocated because a file claims to be long: a piece is read only when the file has that many bytes left.
The file is read, never mapped, as a mapped file that another program cuts short kills the process.
"""

from __future__ import annotations

import os
import struct

from tui.gguf.errors import GgufError

STEP = 1 << 18
"""Bytes read at a time; 256 KiB hold most headers without their vocabulary."""

_U32 = struct.Struct("<I").unpack_from
_U64 = struct.Struct("<Q").unpack_from


class Window:
    """Reads `size` bytes of an open file from its start."""

    def __init__(self, descriptor: int, size: int, path: str) -> None:
        self._descriptor, self.size, self.path = descriptor, size, path
        self._buffer = b""
        self._base = 0
        self._at = 0

    @property
    def offset(self) -> int:
        """Where in the file the next piece begins."""
        return self._base + self._at

    @property
    def left(self) -> int:
        """Bytes from here to the end of the file; negative after a skip past the end."""
        return self.size - self.offset

    def take(self, count: int, what: str) -> bytes:
        """The next `count` bytes. Raises GgufError when the file ends before; `what` names them there."""
        self._need(count, what)
        at = self._at
        self._at = at + count
        return self._buffer[at : at + count]

    def u32(self, what: str) -> int:
        """An unsigned 32-bit number, little endian."""
        self._need(4, what)
        self._at += 4
        return int(_U32(self._buffer, self._at - 4)[0])

    def u64(self, what: str) -> int:
        """An unsigned 64-bit number, little endian."""
        self._need(8, what)
        self._at += 8
        return int(_U64(self._buffer, self._at - 8)[0])

    def skip(self, count: int, what: str) -> None:
        """Move on without reading."""
        if count > self.left:
            raise self._cut(what)
        self._at += count

    def skip_strings(self, count: int, longest: int, what: str) -> None:
        """Move past `count` strings, each a 64-bit length and that many bytes. Raises GgufError beyond `longest`."""
        if 8 * count > self.left:
            raise self._cut(what)
        while count > 0:
            self._need(8, what)
            # Hundreds of thousands of turns: everything in local variables.
            buffer, at, last, unpack = self._buffer, self._at, len(self._buffer) - 8, _U64
            while count > 0 and at <= last:
                length = unpack(buffer, at)[0]
                if length > longest:
                    raise GgufError(self.path, f"{what} holds a string of {length} bytes; the file is damaged")
                at += 8 + length
                count -= 1
            self._at = at
            if self.left < 0:
                raise self._cut(what)

    def _need(self, count: int, what: str) -> None:
        """Have `count` bytes in the buffer from here on."""
        if self._at + count <= len(self._buffer):
            return
        if count > self.left:
            raise self._cut(what)
        offset = self.offset
        buffer = self._read(offset, max(count, STEP))
        if len(buffer) < count:
            # It became shorter while it was read.
            raise self._cut(what)
        self._buffer, self._base, self._at = buffer, offset, 0

    def _read(self, offset: int, count: int) -> bytes:
        parts: list[bytes] = []
        while count > 0:
            try:
                part = os.pread(self._descriptor, count, offset)
            except OSError as error:
                raise GgufError(self.path, f"cannot be read ({error.strerror})") from error
            if not part:
                break
            parts.append(part)
            offset += len(part)
            count -= len(part)
        return b"".join(parts)

    def _cut(self, what: str) -> GgufError:
        return GgufError(self.path, f"ends inside {what}, at {self.size} bytes; the file was cut short: get it again")
