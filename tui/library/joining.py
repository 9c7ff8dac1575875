"""Two copies of a file made one by a hard link, so that their space is taken once and every program keeps its file.

The copy that is replaced is kept aside until the change is confirmed; until then it can be undone, after a crash too.
Both names exist at every moment. Blocking: for a worker thread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tui.library.digests import DigestStore
from tui.library.model import LibraryError, shown

_ASIDE = ".before-link"


@dataclass(frozen=True, slots=True)
class Joined:
    """A copy that is a hard link now, and can still be as it was."""

    kept: Path
    other: Path
    """The replaced one; where its name is a symbolic link, the file that leads to."""
    aside: Path
    """What it was, under a hidden name beside it."""
    freed_bytes: int
    """What comes free when it is confirmed."""


def join(
    kept: Path,
    other: Path,
    progress: Callable[[int], None] | None = None,
    sums: DigestStore | None = None,
) -> Joined:
    """Make `other` a hard link to `kept` after comparing their sha256; `progress` is told how many bytes were read.
    `sums` keeps what was read for the next pair.

    Raises LibraryError: not the same, on two disks, one file already, no permission, or one that the owner of `other`
    could not read. Nothing has changed then.
    """
    kept, other = Path(os.path.realpath(kept)), Path(os.path.realpath(other))
    try:
        one, two = kept.stat(), other.stat()
    except OSError as error:
        raise LibraryError(f"{shown(other)}: cannot be joined ({(error.strerror or str(error)).lower()})") from error
    if (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino):
        raise LibraryError(f"{shown(other)}: is one file with {shown(kept)} already")
    if one.st_dev != two.st_dev:
        raise LibraryError(f"{shown(other)}: is on another disk than {shown(kept)}, so the two cannot be one file")
    if not _readable_alike(one, two):
        raise LibraryError(
            f"{shown(other)}: can be read by more people than {shown(kept)}, who would lose it; give them permission"
        )
    sums = DigestStore() if sums is None else sums
    if one.st_size != two.st_size or sums.learn(kept, progress) != sums.learn(other, progress):
        raise LibraryError(f"{shown(other)}: is not the same as {shown(kept)}; both stay as they are")
    joined = Joined(kept, other, aside_of(other), two.st_size if two.st_nlink == 1 else 0)
    if _stamp(kept) != (one.st_size, one.st_mtime_ns) or _stamp(other) != (two.st_size, two.st_mtime_ns):
        raise LibraryError(f"{shown(other)}: was written to while it was compared; try again")
    _replace(joined)
    return joined


def freed_together(others: Iterable[Path]) -> int:
    """Bytes that come free when all of these become links to other files: of one with several names only where all of
    them are among these. Raises OSError.
    """
    names: dict[tuple[int, int], set[str]] = {}
    found: dict[tuple[int, int], os.stat_result] = {}
    for other in others:
        stat = other.stat()
        found[stat.st_dev, stat.st_ino] = stat
        names.setdefault((stat.st_dev, stat.st_ino), set()).add(os.path.realpath(other))
    return sum(stat.st_size for key, stat in found.items() if stat.st_nlink == len(names[key]))


def undo(joined: Joined) -> None:
    """Let the copy be what it was. Raises LibraryError; one that has been replaced since stays as it is."""
    if os.path.lexists(joined.other) and not _same(joined.other, joined.kept):
        raise LibraryError(
            f"{shown(joined.other)}: is another file by now; what it was is {shown(joined.aside)}, delete one of them"
        )
    try:
        joined.aside.replace(joined.other)
    except OSError as error:
        raise _failed(joined.aside, "cannot be put back", error) from error


def confirm(joined: Joined) -> None:
    """Give the copy's space free; it cannot be undone from then on. Raises LibraryError."""
    try:
        joined.aside.unlink()
    except OSError as error:
        raise _failed(joined.aside, "cannot be deleted", error) from error


def unconfirmed(kept: Path, other: Path) -> Joined | None:
    """A change that was neither confirmed nor undone, as when its process was killed."""
    other = Path(os.path.realpath(other))
    aside = aside_of(other)
    try:
        found = aside.stat()
    except OSError:
        return None
    if not _same(kept, other):
        return None  # killed before it was made one, or another file has come since
    return Joined(Path(os.path.realpath(kept)), other, aside, found.st_size if found.st_nlink == 1 else 0)


def _replace(joined: Joined) -> None:
    link = joined.other.with_name(f"{joined.aside.name}.new")
    try:
        if not _same(joined.other, joined.aside):  # of a process that was killed before it went on
            os.link(joined.other, joined.aside)
        link.unlink(missing_ok=True)  # of a process that was killed just here
        try:
            os.link(joined.kept, link)
            link.replace(joined.other)
        except BaseException:
            link.unlink(missing_ok=True)
            joined.aside.unlink()
            raise
    except FileExistsError as error:
        raise LibraryError(
            f"{shown(joined.aside)}: is left of an earlier change, and holds what was there before; "
            "look at it, and move or delete it"
        ) from error
    except OSError as error:
        raise _failed(joined.other, "cannot be joined", error) from error


def aside_of(other: Path) -> Path:
    """Where a copy that is replaced is kept until that is confirmed."""
    return other.with_name(f".{other.name[:200]}{_ASIDE}")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _readable_alike(kept: os.stat_result, other: os.stat_result) -> bool:
    """True when whoever can read the other can read the kept one, too."""
    read = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
    if kept.st_uid != other.st_uid:
        return bool(kept.st_mode & stat.S_IROTH)
    return not other.st_mode & ~kept.st_mode & read


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _failed(path: Path, what: str, error: OSError) -> LibraryError:
    return LibraryError(f"{shown(path)}: {what} ({(error.strerror or str(error)).lower()}); nothing was changed")
