"""Turns what SQLite and the operating system report about the history file into StoreError, in words."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from tui.chat.errors import StoreError

DISK_HINT = "Make room on that disk; what is not stored yet stays on screen and is stored as soon as it can be"
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_PERMISSION = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def from_sqlite(error: sqlite3.Error, path: Path | None) -> StoreError:
    """The StoreError that says what `error` means for the history at `path`."""
    code = getattr(error, "sqlite_errorcode", None)
    name = f"the history {path}" if path is not None else "the history in memory"
    if code is None:
        return StoreError("io", f"{name} could not be used ({error})", path=path)
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or code in (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE):
        return disk_full(path)
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) and path is not None:
        return not_writable(path)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        hint = "Wait for the other program to finish, or end it"
        return StoreError("busy", f"{name} is held by another program", hint, path=path)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(error))
    if primary == sqlite3.SQLITE_CONSTRAINT:
        return StoreError("missing", f"that conversation or message is no longer in {name}", path=path)
    hint = "Check the disk it is on; the last text may not be stored"
    return StoreError("io", f"{name} could not be read or written ({error})", hint, path=path)


def from_os(error: OSError, path: Path) -> StoreError:
    """The StoreError for a failed file operation on `path` or beside it."""
    if error.errno in _DISK_FULL:
        return disk_full(path)
    if error.errno in _NO_PERMISSION or error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return not_writable(path)
    reason = error.strerror or str(error)
    return StoreError("io", f"the history {path} could not be opened ({reason})", "Check the disk it is on", path=path)


def disk_full(path: Path | None) -> StoreError:
    """No room, a used-up quota, or a limit on file sizes."""
    if path is None:
        return StoreError("full", "there is no memory left for conversations", "End another program")
    message = f"the history {path} cannot grow: the disk is full, or a quota or size limit is reached"
    return StoreError("full", message, DISK_HINT, path=path)


def not_writable(path: Path) -> StoreError:
    """Permission is missing, or something that is no folder is in the way; says which."""
    folder = path.parent
    if path.is_dir():
        message, hint = f"{path} is a folder, but the history must be a file", "Move that folder away"
    elif path.exists() and not os.access(path, os.R_OK | os.W_OK):
        message, hint = f"no permission to write the history {path}", f"Make it yours: chmod u+rw {path}"
    elif not _is_dir(folder):
        message, hint = f"the folder {folder} for the history cannot be made", "Set PUNA_HOME to a folder of yours"
    else:
        message = f"no permission to write in {folder}, where the history is kept"
        hint = f"Allow it (chmod u+rwx {folder}) or set PUNA_HOME to another folder"
    return StoreError("read_only", message, hint, path=path)


def damaged(path: Path | None, detail: str) -> StoreError:
    """The file is not a sound database. The next start checks it and sets it aside."""
    name = f"the history {path}" if path is not None else "the history in memory"
    hint = "Start puna again: it checks the file, moves a damaged one aside and begins a new one"
    return StoreError("damaged", f"{name} is damaged ({detail})", hint, path=path)


def newer(path: Path, found: int, known: int) -> StoreError:
    """The file has a format that this puna does not know."""
    message = f"the history {path} was written by a newer puna (its format is {found}, this puna knows up to {known})"
    return StoreError(
        "newer", message, "Update puna, or set PUNA_HOME to another folder. The file is untouched", path=path
    )


def foreign(path: Path) -> StoreError:
    """The file is a sound database, of something else."""
    message = f"{path} is a database of another program, not puna's history"
    return StoreError(
        "foreign", message, "Move it away or set PUNA_HOME to another folder. The file is untouched", path=path
    )


def _is_dir(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False
