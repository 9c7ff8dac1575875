"""Who fetches an item: a lock that holds the owner's pid, and that the system lets go of when the owner ends, however
it ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path

_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Some network file systems have none; one puna at a time works there, too, and sums find what two would spoil."""


class Claim:
    """An item is this process's until `release`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def release(self) -> None:
        """Let it go. The file goes while the lock is held, so that nobody locks one that is about to go."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)


def claim(path: Path) -> Claim | None:
    """Take the lock at `path`; None when another one has it. Raises OSError when it cannot be made."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = lock_file(path)
    if descriptor is None:
        return None
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return Claim(path, descriptor)


def owner(path: Path) -> int | None:
    """The pid that holds the lock at `path`; 0 where it is held by one that does not say, None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return None
        text = os.read(descriptor, 20)
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)


def lock_file(path: Path) -> int | None:
    """A descriptor of the file at `path`, made if needed and locked; None when another one has the lock.

    Raises OSError.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not _locked(descriptor, fcntl.LOCK_EX):
                os.close(descriptor)
                return None
            # Whoever had the lock until now may have moved the file away.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
    return True
