"""SHA-256 of what came, as a phase that can be seen and ended."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from tui.hub.downloads.errors import disk_trouble
from tui.hub.downloads.stop import Stop

_READ_BYTES = 1 << 20


def sha256_of(path: Path, stop: Stop, progress: Callable[[int], None]) -> str:
    """The sum of a file in hexadecimal; `progress` is called with the bytes that are checked so far.

    Raises Cancelled, DownloadError.
    """
    digest, done, buffer = hashlib.sha256(), 0, bytearray(_READ_BYTES)
    try:
        with path.open("rb", buffering=0) as file:
            while size := file.readinto(buffer):
                stop.check()
                digest.update(memoryview(buffer)[:size])
                done += size
                progress(done)
    except OSError as error:
        raise disk_trouble(error, path) from error
    return digest.hexdigest()
