"""A model file that is all header: the bytes up to the weights, and a hole where these would be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def hollow_file(data: bytes, data_bytes: int) -> Iterator[Path]:
    """A path that reads as `data` followed by `data_bytes` zeros, as long as the context lasts.

    It takes memory for `data` alone: on Linux a file that is in no folder, elsewhere a sparse temporary one.
    """
    if hasattr(os, "memfd_create"):
        with _filled(os.memfd_create("header", os.MFD_CLOEXEC), data, data_bytes) as fd:
            yield Path(f"/proc/self/fd/{fd}")
        return
    import tempfile  # slow to load, and rarely needed

    with tempfile.TemporaryDirectory(prefix="puna-") as folder:
        path = Path(folder) / "header.gguf"
        with _filled(os.open(path, os.O_CREAT | os.O_RDWR), data, data_bytes):
            pass
        yield path


@contextmanager
def _filled(fd: int, data: bytes, data_bytes: int) -> Iterator[int]:
    try:
        with open(fd, "wb", closefd=False) as file:
            file.write(data)
        os.ftruncate(fd, len(data) + data_bytes)
        yield fd
    finally:
        os.close(fd)
