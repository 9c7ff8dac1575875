"""A window that moves over a header: takes small pieces in order and passes over large ones without reading them.

Nothing is allocated because a file claims to be long: a piece is taken only when the file has that many bytes left. A
local file is read, never mapped, as a mapped file that another program cuts short kills the process.
"""

from __future__ import annotations

import os
import struct
from abc import ABC, abstractmethod

from tui.gguf.errors import GgufError

STEP = 1 << 18
"""Bytes read at a time; 256 KiB hold most headers without their vocabulary."""

MAX_PREFIX = 1 << 27
"""Bytes of a growing prefix, 128 MiB; the longest published headers have some 16 MB, nearly all of it vocabulary."""


class Starved(Exception):
    """The bytes that were fed end before the piece does. `needs` is where it ends at least, from the file's start."""

    def __init__(self, needs: int) -> None:
        super().__init__(f"{needs} bytes are needed")
        self.needs = needs


class Window(ABC):
    """Takes `size` bytes of a file from its start; `path` names the file in errors."""

    def __init__(self, size: int, path: str) -> None:
        self.size, self.path = size, path
        self._buffer: bytes | bytearray = b""
        self._base = 0
        self._at = self._mark = 0
        self.read_order("<")

    def read_order(self, order: str) -> None:
        """Byte order of every number from here on: `<` little endian, `>` big endian."""
        self._u32, self._u64 = struct.Struct(f"{order}I").unpack_from, struct.Struct(f"{order}Q").unpack_from

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
        return bytes(self._buffer[at : at + count])

    def u32(self, what: str) -> int:
        """An unsigned 32-bit number."""
        self._need(4, what)
        self._at += 4
        return int(self._u32(self._buffer, self._at - 4)[0])

    def u64(self, what: str) -> int:
        """An unsigned 64-bit number."""
        self._need(8, what)
        self._at += 8
        return int(self._u64(self._buffer, self._at - 8)[0])

    def skip(self, count: int, what: str) -> None:
        """Move on without reading."""
        if count > self.left:
            raise self._cut(what)
        self._at += count

    def skip_strings(self, count: int, longest: int, what: str) -> int:
        """Move past as many of `count` strings (each a 64-bit length and that many bytes) as the buffer holds, at least
        one, and mark the place; the number of those that remain is returned. Raises GgufError beyond `longest`.
        """
        if 8 * count > self.left:
            raise self._cut(what)
        self._need(8, what)
        # Hundreds of thousands of turns: everything in local variables.
        buffer, at, last, unpack = self._buffer, self._at, len(self._buffer) - 8, self._u64
        while count > 0 and at <= last:
            length = unpack(buffer, at)[0]
            if length > longest:
                raise GgufError(self.path, f"{what} holds a string of {length} bytes; the file is damaged")
            at += 8 + length
            count -= 1
        self._at = at
        if self.left < 0:
            raise self._cut(what)
        self.mark()
        return count

    def mark(self) -> None:
        """Everything before this place is done with: a piece that starves is taken again from here."""
        self._mark = self._at

    @abstractmethod
    def raw(self, start: int, end: int) -> bytes:
        """Bytes of the file that were passed before, as they are."""

    @abstractmethod
    def _need(self, count: int, what: str) -> None:
        """Have `count` bytes in the buffer from here on."""

    def _cut(self, what: str) -> GgufError:
        return GgufError(self.path, f"ends inside {what}, at {self.size} bytes; the file was cut short: get it again")


class FileWindow(Window):
    """Over an open local file."""

    def __init__(self, descriptor: int, size: int, path: str) -> None:
        super().__init__(size, path)
        self._descriptor = descriptor

    def raw(self, start: int, end: int) -> bytes:
        return self._read(start, end - start)

    def _need(self, count: int, what: str) -> None:
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


class PrefixWindow(Window):
    """Over the first bytes of a file of `size` bytes, as they arrive. Pieces that are not there yet raise Starved."""

    def __init__(self, size: int, path: str) -> None:
        super().__init__(size, path)
        self._fed = bytearray()
        self._buffer = self._fed

    @property
    def fed(self) -> int:
        """Bytes that are there."""
        return len(self._fed)

    def feed(self, data: bytes) -> None:
        """Append the bytes that follow; what goes beyond the file's size is left out."""
        self._fed += data[: max(0, self.size - len(self._fed))]

    def raw(self, start: int, end: int) -> bytes:
        self._reach(end)
        return bytes(self._fed[start:end])

    def expect(self, end: int) -> None:
        """Raise GgufError when the header cannot go on to `end`."""
        if end > self.size:
            raise self._cut("the header")
        if end > MAX_PREFIX:
            raise GgufError(self.path, f"has a header longer than {MAX_PREFIX >> 20} MiB; the file is damaged")

    def _need(self, count: int, what: str) -> None:
        if count > self.left:
            raise self._cut(what)
        self._reach(self._at + count)

    def _reach(self, end: int) -> None:
        if end <= len(self._fed):
            return
        self.expect(end)
        self._at = self._mark
        raise Starved(end)
