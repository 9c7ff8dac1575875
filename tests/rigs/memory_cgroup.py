"""A memory cgroup with a limit, in which the kernel really ends processes. Needs root and a cgroup that may be changed;
elsewhere the test is skipped.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_ROOT = Path("/sys/fs/cgroup")


@contextmanager
def memory_cgroup(limit_bytes: int) -> Iterator[Path]:
    """A new cgroup whose processes may hold `limit_bytes` together, without swap; processes move in by themselves."""
    made = _make(limit_bytes)
    if made is None:
        pytest.skip("no memory cgroup can be made here")
    try:
        yield made
    finally:
        with contextlib.suppress(OSError):
            made.rmdir()


def _make(limit_bytes: int) -> Path | None:
    name = f"puna-test-{os.getpid()}"
    for parent, limits in (
        (_ROOT / "memory", {"memory.limit_in_bytes": limit_bytes, "memory.memsw.limit_in_bytes": limit_bytes}),
        (_ROOT, {"memory.max": limit_bytes, "memory.swap.max": 0}),
    ):
        folder = parent / name
        first, *others = limits
        try:
            folder.mkdir()
            (folder / first).write_text(str(limits[first]))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        for other in others:  # swap is not counted everywhere
            with contextlib.suppress(OSError):
                (folder / other).write_text(str(limits[other]))
        return folder
    return None
