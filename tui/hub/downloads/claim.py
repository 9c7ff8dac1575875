"""Who fetches an item, and what it says of it: a lock that holds the owner's pid and words, and that the system lets go
of when the owner ends, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from pathlib import Path

_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""Some network file systems have none; one puna at a time works there, too, and sums find what two would spoil."""

_MOST_BYTES = 8 << 10
"""What is read of an owner's words."""


class Claim:
    """An item is this process's until `release`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor
        self._lock, self._held, self._said = threading.Lock(), True, b""
        self.say(b"")

    def say(self, words: bytes) -> None:
        """Let whoever looks at the lock know this, without line ends. A full disk costs nothing but these words."""
        with self._lock, contextlib.suppress(OSError):
            if not self._held or (words and words == self._said):
                return
            text = b"%d\n%b\n" % (os.getpid(), words)
            os.pwrite(self._descriptor, text, 0)
            os.truncate(self._descriptor, len(text))
            self._said = words

    def release(self) -> None:
        """Let it go. The file goes while the lock is held, so that nobody locks one that is about to go."""
        with self._lock:
            self._held = False
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)


def claim(path: Path) -> Claim | None:
    """Take the lock at `path`; None when another one has it. Raises OSError when it cannot be made."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = lock_file(path)
    if descriptor is None:
        return None
    return Claim(path, descriptor)


def owner(path: Path) -> tuple[int, bytes] | None:
    """The pid that holds the lock at `path`, and what it says; 0 for one that does not tell, None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _locked(descriptor, fcntl.LOCK_SH):
            return None
        pid, _, words = os.read(descriptor, _MOST_BYTES).partition(b"\n")
        return (int(pid) if pid.isdigit() else 0), words.partition(b"\n")[0]
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
