"""A file that is not whole yet, named by the SHA-256 that it will have, in a folder of ours beside where it will lie.

Its length is its progress: nothing is held back in this process, so whatever was written is there after a kill. What a
reboot may have spoilt is known by a mark that is written after each time the disk was waited for.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.config.errors import ConfigError
from tui.config.files import write_atomic
from tui.hub.downloads.claim import lock_file
from tui.hub.downloads.errors import disk_trouble
from tui.hub.downloads.stop import Stop
from tui.hub.downloads.values import Wanted

SYNC_BYTES = 64 << 20
"""After so many bytes the disk is waited for, beside the download."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LOOK_AGAIN_S = 0.2


class Part:
    """One part, locked for this thread until it is closed. Errors of the disk are DownloadErrors."""

    length: int
    """Bytes that are there."""

    def __init__(self, path: Path, wanted: Wanted, descriptor: int) -> None:
        self.path, self.wanted = path, wanted
        self._descriptor = descriptor
        self._syncing: threading.Thread | None = None
        self.length, self._synced = self._sound()
        os.truncate(descriptor, self.length)
        os.lseek(descriptor, self.length, os.SEEK_SET)

    def write(self, piece: bytes | memoryview) -> None:
        """Append. Raises DownloadError; what could be written counts."""
        left = memoryview(piece)
        try:
            while left:
                done = os.write(self._descriptor, left)
                self.length += done
                left = left[done:]
        except OSError as error:
            raise disk_trouble(error, self.path) from error
        if self.length - self._synced >= SYNC_BYTES and (self._syncing is None or not self._syncing.is_alive()):
            self._synced = self.length
            self._syncing = threading.Thread(target=self._sync, args=(self.length,), name="download sync", daemon=True)
            self._syncing.start()

    def finish(self) -> None:
        """Everything is on the disk, for whoever reads it next. Raises DownloadError."""
        if self._syncing is not None:
            self._syncing.join()
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise disk_trouble(error, self.path) from error

    def close(self) -> None:
        """Let go of it; it stays where it is, or where it was moved to."""
        if self._syncing is not None:
            self._syncing.join()
        if not self.path.exists():
            _mark(self.path).unlink(missing_ok=True)
        os.close(self._descriptor)

    def _sound(self) -> tuple[int, int]:
        """How much is there, and how much of it surely on the disk: after a reboot only that counts."""
        there = min(os.fstat(self._descriptor).st_size, self.wanted.size_bytes)
        try:
            boot, _, text = _mark(self.path).read_text().partition(" ")
            synced = min(there, int(text))
        except (OSError, ValueError):
            boot, synced = _boot(), 0
        self._write_mark(synced)
        return (there if boot == _boot() else synced), synced

    def _sync(self, length: int) -> None:
        """In a thread of its own, as a disk may take seconds. Without a mark a reboot costs more, and nothing else."""
        with contextlib.suppress(OSError):
            os.fsync(self._descriptor)
            self._write_mark(length)

    def _write_mark(self, length: int) -> None:
        with contextlib.suppress(ConfigError):
            write_atomic(_mark(self.path), f"{_boot()} {length}".encode())


@contextmanager
def open_part(folder: Path, wanted: Wanted, stop: Stop) -> Iterator[Part]:
    """The part of this file, made if needed; waits while another item or process has it.

    Raises Cancelled, DownloadError.
    """
    path = part_path(folder, wanted)
    try:
        while (descriptor := _locked_part(path)) is None:
            stop.wait(_LOOK_AGAIN_S)
        try:
            part = Part(path, wanted, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise disk_trouble(error, path) from error
    try:
        yield part
    finally:
        part.close()


def _locked_part(path: Path) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return lock_file(path)
    except FileNotFoundError:
        return None  # whoever ended just now took the empty folder away


def part_path(folder: Path, wanted: Wanted) -> Path:
    """Where the part of a file lies."""
    return folder / f"{wanted.sha256}.part"


def part_bytes(folder: Path, wanted: Wanted) -> int:
    """How much of a file is there."""
    try:
        return min(part_path(folder, wanted).stat().st_size, wanted.size_bytes)
    except OSError:
        return 0


def set_aside(folder: Path, wanted: Wanted, item: str) -> bool:
    """Keep what was fetched under another name, until its item is done or given up; True when there was something."""
    path = part_path(folder, wanted)
    _mark(path).unlink(missing_ok=True)
    try:
        path.replace(folder / f"{item}.{wanted.sha256[:16]}.aside")
    except OSError:
        return False
    return True


def drop_part(folder: Path, wanted: Wanted) -> None:
    """Delete a part that nobody wants any more."""
    path = part_path(folder, wanted)
    for file in (path, _mark(path)):
        with contextlib.suppress(OSError):
            file.unlink()


def clean_up(folder: Path, item: str) -> None:
    """Delete what was set aside for an item, and the folder when nothing else is in it."""
    with contextlib.suppress(OSError):
        for file in folder.glob(f"{item}.*.aside"):
            file.unlink(missing_ok=True)
        folder.rmdir()


def _mark(part: Path) -> Path:
    return part.with_suffix(".synced")


def _boot() -> str:
    """Differs after each start of the machine; empty where the system does not tell, which counts as never."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
