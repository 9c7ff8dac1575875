"""Reading and writing small files so that nothing is ever half there: atomic writes, file locks, guarded reads.

Every failure is a ConfigError that names the file and what to do; the file keeps what it had. The standard library only
at import: filelock pulls in asyncio, which a monitor or a first frame must not pay for.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui.config.errors import ConfigError

MAX_BYTES = 16 << 20
"""16 MiB; a settings file is a few kilobytes, and a log or a model put in its place must not be read to the end."""

_ADVICE = {
    errno.ENOSPC: "The disk is full: free some space and try again.",
    errno.EDQUOT: "Your disk quota is used up: free some space and try again.",
    errno.EFBIG: "The system limits how large a file may become (ulimit -f): raise the limit and try again.",
    errno.EROFS: "The file system is mounted read-only: set PUNA_HOME to a folder that you can write to.",
    errno.EACCES: "Give yourself permission on the file and its folder, or set PUNA_HOME to a folder of your own.",
    errno.EPERM: "Give yourself permission on the file and its folder, or set PUNA_HOME to a folder of your own.",
    errno.ENOTDIR: "A file is in the way of a folder: move it, or set PUNA_HOME to another folder.",
    errno.EEXIST: "A file is in the way of a folder: move it, or set PUNA_HOME to another folder.",
    errno.EISDIR: "A folder is in the way of the file: move or remove it.",
    errno.ELOOP: "The symbolic link leads back to itself: remove it.",
}


def read_text(file: Path) -> str | None:
    """The file's text, or None when there is no such file. A byte order mark at the start is kept.

    Raises ConfigError for everything that is there and cannot be read: no permission, a folder or a pipe in its place,
    more than MAX_BYTES, bytes that are not UTF-8.
    """
    try:
        data = _read_regular(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed("cannot be read", file, error) from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES >> 20} MiB", file=file, hint="Put a settings file in its place.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", file=file, line=line, hint="Save it again as UTF-8.") from error


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file's content in one step: whoever reads it, even after a power cut, finds the old or the new bytes.

    A symbolic link is kept and the file it leads to is replaced. A new file gets mode 0600, an existing one keeps its
    permissions; missing folders are made (0700). Raises ConfigError; the old file is then unchanged and no temporary
    file stays behind.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = _mode_of(target)
        temporary = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}.tmp")
        try:
            _write_synced(temporary, data, mode)
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise _failed("cannot be written", path, error) from error
    _sync_folder(target.parent)


def move_new(source: Path, target: Path) -> None:
    """Give a file another name on its file system, unless something has that name already, whoever put it there when.

    Raises OSError, FileExistsError among them; `source` is what it was then.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
    else:
        source.unlink()


@contextmanager
def locked(path: Path, timeout_s: float = 10.0) -> Iterator[None]:
    """Hold the file's lock, `path` + ".lock", against other threads and other running copies of puna.

    Raises ConfigError when the lock cannot be had within `timeout_s` seconds or its file cannot be made.
    """
    import filelock

    lock_file = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = filelock.FileLock(lock_file, timeout=timeout_s, mode=0o600)
        lock.acquire()
    except filelock.Timeout as error:
        raise ConfigError(
            f"is in use: another running copy of puna has held {lock_file.name} for {timeout_s:g} s",
            file=path,
            hint="Try again, or close the other copy.",
        ) from error
    except OSError as error:
        raise _failed("cannot be written", path, error) from error
    try:
        yield
    finally:
        lock.release()


def _read_regular(file: Path) -> bytes:
    """At most one byte more than MAX_BYTES. Raises OSError, and ConfigError for a folder, a pipe or a device."""
    # O_NONBLOCK: opening a named pipe would otherwise wait for someone to write into it.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
            raise ConfigError(f"cannot be read: it is {kind}", file=file, hint="Move or remove it.")
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _mode_of(target: Path) -> int:
    """Permission bits for the new content. Raises OSError for a folder in the way and for a file made read-only: a
    rename would not mind, but the person who took the write permission away meant it."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return 0o600
    if not stat.S_ISREG(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not os.access(target, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    return stat.S_IMODE(mode)


def _write_synced(file: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last. The new content is in place already, so a file system that cannot is no failure."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failed(what: str, file: Path, error: OSError) -> ConfigError:
    reason = (error.strerror or str(error)).lower()
    return ConfigError(f"{what}: {reason}", file=file, hint=_ADVICE.get(error.errno or 0, ""))
