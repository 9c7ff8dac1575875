"""Rows out of a SQLite file that SQLite refuses: every page is looked at by itself, whatever leads to it.

Only leaves are read, by the format's own description (https://www.sqlite.org/fileformat2.html); what is not plausible
is skipped. The file is never written to. It knows nothing of tables: a row is its number and its values.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

Value: TypeAlias = "int | float | str | bytes | None"
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INNER = 0x0D, 0x0A, 0x02
_INNER_HEADER: Final = {_TABLE_LEAF: 8, _INDEX_LEAF: 8, _INDEX_INNER: 12}
_FIRST_PAGE_HEADER = 100
_WAL_HEADER, _FRAME_HEADER = 32, 24
_WAL_MAGIC = frozenset({0x377F0682, 0x377F0683})
_INTEGER_BYTES: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_USUAL_PAGE = 4096
_MOST_COLUMNS = 64
_LONGEST = 1 << 30


class _Implausible(Exception):
    """These bytes are no cell."""


@dataclass(frozen=True, slots=True)
class CarvedRow:
    """One row."""

    number: int | None
    """Its rowid; None in an index or a table without rowids."""
    values: tuple[Value, ...]


def carve(path: Path) -> Iterator[CarvedRow]:
    """Every row that can be made out in a database file and the write-ahead log beside it. Raises OSError."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return
        with closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as data:
            pages = _Pages(memoryview(data), _log_frames(path))
            try:
                for number in pages.in_use():
                    yield from _rows(pages, number)
            finally:
                pages.release()


class _Pages:
    """Pages by number, those in the log before those in the file."""

    def __init__(self, data: memoryview, log: tuple[int, Mapping[int, bytes]]) -> None:
        header = bytes(data[:_FIRST_PAGE_HEADER])
        told = int.from_bytes(header[16:18], "big")
        told = 65536 if told == 1 else told
        sound = header.startswith(b"SQLite format 3\0") and told >= 512 and told & (told - 1) == 0
        self.size = log[0] or (told if sound else _USUAL_PAGE)
        self.usable = self.size - (header[20] if sound and header[20] < 32 else 0)
        self._data, self._log = data, log[1]
        self.count = max(-(-len(data) // self.size), *self._log, 0) if self._log else -(-len(data) // self.size)

    def release(self) -> None:
        """Let the file go."""
        self._data.release()

    def page(self, number: int) -> bytes:
        """A page, perhaps cut short; numbers begin at 1."""
        if number in self._log:
            return self._log[number]
        return bytes(self._data[(number - 1) * self.size : number * self.size])

    def in_use(self) -> Iterator[int]:
        """Pages that are not on the list of free ones, as far as that can be followed."""
        free = self._free()
        return (number for number in range(1, self.count + 1) if number not in free)

    def _free(self) -> frozenset[int]:
        free: set[int] = set()
        trunk = int.from_bytes(self.page(1)[32:36], "big")
        while 0 < trunk <= self.count and trunk not in free:
            free.add(trunk)
            page = self.page(trunk)
            leaves = int.from_bytes(page[4:8], "big")
            if leaves > self.usable // 4 - 2:
                break
            free.update(int.from_bytes(page[8 + 4 * at : 12 + 4 * at], "big") for at in range(leaves))
            trunk = int.from_bytes(page[:4], "big")
        return frozenset(free)


def _log_frames(path: Path) -> tuple[int, dict[int, bytes]]:
    """Page size of a write-ahead log and its latest committed pages; 0 and none where there is no sound log."""
    try:
        log = path.with_name(f"{path.name}-wal").read_bytes()
    except OSError:
        return 0, {}
    header = log[:_WAL_HEADER]
    size = int.from_bytes(header[8:12], "big")
    if int.from_bytes(header[:4], "big") not in _WAL_MAGIC or not 512 <= size <= 65536:
        return 0, {}
    committed: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    for at in range(_WAL_HEADER, len(log) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        frame = log[at : at + _FRAME_HEADER]
        if frame[8:16] != header[16:24]:  # left over from before the log began anew
            break
        pending[int.from_bytes(frame[:4], "big")] = log[at + _FRAME_HEADER : at + _FRAME_HEADER + size]
        if frame[4:8] != b"\0\0\0\0":
            committed.update(pending)
            pending.clear()
    return size, committed


def _rows(pages: _Pages, number: int) -> Iterator[CarvedRow]:
    page = pages.page(number)
    start = _FIRST_PAGE_HEADER if number == 1 else 0
    if len(page) <= start + 12 or page[start] not in _INNER_HEADER:
        return
    first = start + _INNER_HEADER[page[start]]
    cells = min(int.from_bytes(page[start + 3 : start + 5], "big"), (pages.usable - first) // 2)
    for at in range(cells):
        pointer = int.from_bytes(page[first + 2 * at : first + 2 * at + 2], "big")
        try:
            yield _cell(pages, page, page[start], pointer)
        except (_Implausible, IndexError):
            continue


def _cell(pages: _Pages, page: bytes, kind: int, at: int) -> CarvedRow:
    if kind == _INDEX_INNER:
        at += 4  # the page below
    size, at = _varint(page, at)
    number: int | None = None
    if kind == _TABLE_LEAF:
        number, at = _varint(page, at)
    if not 1 < size < _LONGEST:
        raise _Implausible
    return CarvedRow(number, _record(_payload(pages, page, kind, at, size)))


def _payload(pages: _Pages, page: bytes, kind: int, at: int, size: int) -> bytes:
    """The bytes of a cell, with those that lie on overflow pages."""
    usable = pages.usable
    most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
    if size <= most:
        return page[at : at + size]
    least = (usable - 12) * 32 // 255 - 23
    local = least + (size - least) % (usable - 4)
    local = local if local <= most else least
    found = bytearray(page[at : at + local])
    following = int.from_bytes(page[at + local : at + local + 4], "big")
    while len(found) < size and 0 < following <= pages.count:
        overflow = pages.page(following)
        found += overflow[4:usable]
        following = int.from_bytes(overflow[:4], "big")
        if len(overflow) < usable:
            break
    return bytes(found[:size])


def _record(data: bytes) -> tuple[Value, ...]:
    """The values of a record; a text at its end may be cut short."""
    header_end, at = _varint(data, 0)
    if not 1 <= header_end <= len(data):
        raise _Implausible
    values: list[Value] = []
    kinds: list[int] = []
    while at < header_end:
        kind, at = _varint(data, at)
        kinds.append(kind)
    if not 0 < len(kinds) <= _MOST_COLUMNS:
        raise _Implausible
    for kind in kinds:
        value, at = _value(data, at, kind)
        values.append(value)
    return tuple(values)


def _value(data: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind], at
    if kind in _INTEGER_BYTES:
        end = at + _INTEGER_BYTES[kind]
        return int.from_bytes(data[at:end], "big", signed=True), end
    if kind == 7:
        if len(data) < at + 8:
            raise _Implausible
        return float(struct.unpack_from(">d", data, at)[0]), at + 8
    if kind < 12:
        raise _Implausible
    end = at + (kind - 12) // 2
    piece = data[at:end]
    return (piece.decode("utf-8", "replace") if kind % 2 else piece), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next one begins."""
    value = 0
    for step in range(8):
        byte = data[at + step]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    value = value << 8 | data[at + 8]
    return (value - (1 << 64) if value >= 1 << 63 else value), at + 9
