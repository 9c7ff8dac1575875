"""Who is writing: a lock file for each store that streams answers.

The kernel drops a file lock when its process ends, however it ends, so a lock tells a running puna from a dead one
where a process id cannot: across containers, restarts, and machines that share a home folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = ".owner"


class Owner:
    """This store's mark on the answers it streams, alive until `release` or the end of the process."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` holds the lock files; None is for a store in memory, which no other process can see."""
        self.token = uuid.uuid4().hex
        self._folder = folder
        self._fd: int | None = None

    def claim(self) -> None:
        """Take the lock, once; before the first answer is marked with the token. Raises OSError."""
        if self._folder is None or self._fd is not None:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / f"{self.token}{SUFFIX}"
        while True:
            fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                _lock(fd)
                if _same_file(fd, path):  # otherwise a sweep took it for a stale one and removed it
                    self._fd = fd
                    return
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)

    def release(self) -> None:
        """Give the lock up and remove its file."""
        if self._fd is None or self._folder is None:
            return
        (self._folder / f"{self.token}{SUFFIX}").unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = None


def is_alive(folder: Path, token: str) -> bool:
    """Whether the store that made `token` still runs. Where locks cannot be tested the answer is yes: a wrong no
    would end an answer that is being written."""
    try:
        fd = os.open(folder / f"{token}{SUFFIX}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def sweep(folder: Path) -> None:
    """Remove the lock files of stores that are gone. Never raises OSError: it is only tidying."""
    try:
        stale = [path for path in folder.iterdir() if path.suffix == SUFFIX]
    except OSError:
        return
    for path in stale:
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)  # while locked, so that a store which is just claiming it notices
        except OSError:
            pass  # in use, or not ours to remove
        finally:
            os.close(fd)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock on `path` (made when missing) so that one process at a time does what is inside. Raises OSError."""
    fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _lock(fd)
        yield
    finally:
        os.close(fd)


def _lock(fd: int) -> None:
    """Wait for the lock; a file system that has none is done without. Raises OSError."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
            raise


def _same_file(fd: int, path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(fd)
    return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)
