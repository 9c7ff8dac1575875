"""How fast this machine reads its memory: `python -m tui.hardware.ram_bandwidth THREADS` prints one JSON line.

A process of its own, because for about a second every core is busy. The standard library only.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tui.config.sizes import GIB, MIB

SECONDS = 0.8
"""How long is measured; filling the memory before takes some tenths more."""
_THREAD_BYTES = 64 * MIB
_LEAST_BYTES, _MOST_BYTES = 256 * MIB, 4 * GIB
"""Of all threads together: several times any cache, and yet soon filled."""
_SLICE_BYTES = 16 * MIB
"""What a thread reads in one round: some milliseconds, so that there are rounds in which nobody takes its core away."""
_FILL, _ABSENT = 1, 2


def read_bandwidth(threads: int, *, buffer_bytes: int | None = None, seconds: float = SECONDS) -> float:
    """Bytes a second that `threads` read together from RAM, the best of several rounds: other programs only slow it.

    Each thread searches memory of its own for a byte that is not there (libc's memchr reads as wide as the processor
    can). Blocks for about `seconds`. Raises MemoryError where `buffer_bytes` cannot be had.
    """
    total = buffer_bytes or min(_MOST_BYTES, max(_LEAST_BYTES, threads * _THREAD_BYTES))
    share = max(1, total // threads)
    with ThreadPoolExecutor(threads) as pool:
        buffers = list(pool.map(_filled, [share] * threads))
        best, until, at = 0.0, time.perf_counter() + seconds, 0
        slice_bytes = min(share, _SLICE_BYTES)
        while not best or time.perf_counter() < until:
            begun = time.perf_counter()
            list(pool.map(_scan, buffers, [at] * threads, [slice_bytes] * threads))
            best = max(best, slice_bytes * threads / (time.perf_counter() - begun))
            at = at + slice_bytes if at + 2 * slice_bytes <= share else 0
    return best


def _filled(size: int) -> ctypes.Array[ctypes.c_char]:
    buffer = ctypes.create_string_buffer(size)
    ctypes.memset(buffer, _FILL, size)
    return buffer


def _scan(buffer: ctypes.Array[ctypes.c_char], at: int, size: int) -> None:
    _memchr(ctypes.addressof(buffer) + at, _ABSENT, size)


_memchr = ctypes.CDLL(None).memchr
_memchr.restype = ctypes.c_void_p
_memchr.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]


def main() -> None:
    """Print {"read_bytes_s"}."""
    print(json.dumps({"read_bytes_s": read_bandwidth(int(sys.argv[1]))}))


if __name__ == "__main__":
    main()
