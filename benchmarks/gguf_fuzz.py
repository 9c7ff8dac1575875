"""Does anything but a GgufError come out of the header parser? A coverage-guided fuzzer for a bounded time (seconds as
an argument, 30 without): an input that makes the parser take a new way through its code is kept and damaged further.

Each input is read as a local file, which may be the first of two shards, and fed in two pieces; where a layout comes
out, it is stripped and read again.
Memory is limited, so that a length that is believed shows as a MemoryError. Inputs that break it are kept in a folder
that is printed; the exit code is 1 then.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import tui.gguf
from benchmarks.report import tell
from tests.rigs.gguf_bytes import INFOS, KEYS, U32, WHOLE, big_endian, pair, start, tensor
from tui.gguf.errors import GgufError
from tui.gguf.growing import GrowingHeader
from tui.gguf.header import read_header
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import strip

_SECONDS = 30.0
_SPARE_BYTES = 1 << 30
"""Address space that the fuzzer may take besides what it has at its start."""
_MAX_INPUT = 1 << 14
_CODE = str(Path(tui.gguf.__file__).parent)
_NUMBERS = [
    0,
    1,
    2,
    8,
    9,
    31,
    255,
    1 << 12,
    1 << 16,
    1 << 24,
    1 << 28,
    1 << 31,
    1 << 32,
    1 << 40,
    1 << 62,
    (1 << 64) - 1,
]


def _shard(number: int) -> bytes:
    """The two keys that make a file one of two shards."""
    return pair("split.count", U32, struct.pack("<I", 2)) + pair("split.no", U32, struct.pack("<I", number))


_SECOND = start(1, 2) + _shard(1) + tensor("blk.1.x", (4, 4)) + bytes(128)

Edge = tuple[str, int, int]


class Coverage:
    """Steps from line to line inside `tui/gguf` that were ever taken."""

    def __init__(self) -> None:
        self.edges: set[Edge] = set()
        self._last: dict[FrameType, int] = {}

    def of(self, call: Callable[[], None]) -> int:
        """Run it; how many steps were new."""
        before = len(self.edges)
        self._last.clear()
        sys.settrace(self._enter)
        try:
            call()
        finally:
            sys.settrace(None)
        return len(self.edges) - before

    @property
    def lines(self) -> int:
        """Different lines that were reached."""
        return len({(name, line) for name, _, line in self.edges})

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        return self._step if frame.f_code.co_filename.startswith(_CODE) else None

    def _step(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            self.edges.add((frame.f_code.co_filename, self._last.get(frame, 0), frame.f_lineno))
            self._last[frame] = frame.f_lineno
        return self._step


class Fuzzer:
    """Inputs that each took a new way, and what broke."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.coverage = Coverage()
        self.corpus: list[bytes] = []
        self.broken: dict[str, bytes] = {}
        self.inputs = self.layouts = 0
        self._random = random.Random(seed)
        self._path = folder / "input-00001-of-00002.gguf"
        (folder / "input-00002-of-00002.gguf").write_bytes(_SECOND)

    def run(self, seconds: float) -> None:
        """Damage and read until the time is up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.try_one(self._damaged(self._random.choice(self.corpus)))

    def try_one(self, data: bytes) -> None:
        """Read one input; keep it when it takes a new way."""
        self.inputs += 1
        try:
            new = self.coverage.of(lambda: self._read(data))
        except Exception as error:
            self.broken.setdefault(f"{type(error).__name__}: {error}"[:100], data)
        else:
            if new or not self.corpus:
                self.corpus.append(data)

    def _read(self, data: bytes) -> None:
        self._path.write_bytes(data)
        for read in (lambda: read_header(self._path, whole=False), lambda: self._use(read_layout(self._path))):
            try:
                read()
            except GgufError:
                pass
        try:
            self._feed(data, self._random.randrange(len(data) + 1))
        except GgufError:
            pass

    def _feed(self, data: bytes, cut: int) -> None:
        growing = GrowingHeader("input.gguf", len(data))
        for piece in (data[:cut], data[cut:]):
            growing.feed(piece)
            if growing.layout is None and growing.needs <= growing.fed:
                raise AssertionError("it waits for bytes that it does not ask for")
        if growing.layout is None:
            raise AssertionError("neither known nor refused with every byte there")
        self._use(growing.layout)

    def _use(self, layout: Layout) -> None:
        self.layouts += 1
        stripped = strip(layout)
        growing = GrowingHeader("stripped.gguf", len(stripped.data) + stripped.data_bytes)
        growing.feed(stripped.data)
        if growing.layout is None or strip(growing.layout) != stripped or growing.layout.tensors != layout.tensors:
            raise AssertionError("a stripped header says something else when it is read again")

    def _damaged(self, data: bytes) -> bytes:
        pick, changed = self._random, bytearray(data)
        for _ in range(pick.choice([1, 1, 2, 4, 8])):
            at = pick.randrange(len(changed) + 1)
            change = pick.randrange(6)
            if change == 0 and at < len(changed):
                changed[at] ^= 1 << pick.randrange(8)
            elif change == 1 and at < len(changed):
                changed[at] = pick.randrange(256)
            elif change == 2:
                size = pick.choice([1, 2, 4, 8])
                changed[at : at + size] = struct.pack("<Q", pick.choice(_NUMBERS))[:size]
            elif change == 3:
                other = pick.choice(self.corpus)
                begin = pick.randrange(len(other) + 1)
                changed[at:at] = other[begin : begin + pick.randrange(80)]
            elif change == 4:
                del changed[at : at + pick.randrange(40)]
            elif pick.random() < 0.1:
                del changed[at:]
        return bytes(changed[:_MAX_INPUT])


def _seeds(folder: Path) -> list[bytes]:
    """Small files of every kind to start from."""
    first = start(2, len(KEYS) + 2) + _shard(0) + b"".join(KEYS + INFOS)
    return [
        WHOLE,
        start(version=2) + WHOLE[24:],
        first + bytes(512),
        big_endian(folder / "big.gguf").read_bytes(),
        start(),
        b"GGUF",
        b"",
    ]


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + _SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main() -> int:
    """Fuzz and tell."""
    seconds = next((float(argument) for argument in sys.argv[1:] if not argument.startswith("-")), _SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder), seed=1)
        seeds = _seeds(Path(folder))
        _limit_memory()
        for data in seeds:
            fuzzer.try_one(data)
        rows = [_row("seeds", fuzzer, 0.0)]
        fuzzer.run(seconds)
        rows.append(_row("fuzzed", fuzzer, seconds))
    for reason, data in fuzzer.broken.items():
        print(f"{reason}  {_kept(data)}", file=sys.stderr)
    tell("gguf_fuzz", rows, {"inputs": fuzzer.inputs, "broken": len(fuzzer.broken), "reached": not fuzzer.broken})
    return 1 if fuzzer.broken else 0


def _row(after: str, fuzzer: Fuzzer, seconds: float) -> dict[str, Any]:
    return {
        "after": after,
        "seconds": seconds,
        "inputs": fuzzer.inputs,
        "kept": len(fuzzer.corpus),
        "layouts": fuzzer.layouts,
        "lines": fuzzer.coverage.lines,
        "edges": len(fuzzer.coverage.edges),
        "broken": len(fuzzer.broken),
    }


def _kept(data: bytes) -> Path:
    folder = Path(tempfile.gettempdir()) / "puna-gguf-fuzz"
    folder.mkdir(exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.gguf"
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
