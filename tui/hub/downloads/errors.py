"""What can go wrong with a download beside the hub itself. Each text says what happened and what to do now."""

from __future__ import annotations

import errno
from pathlib import Path

from tui.config.plain import clean
from tui.hub.errors import HubError

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space, then retry",
    errno.EDQUOT: "your disk quota is used up; free some space, then retry",
    errno.EFBIG: "the system limits how large a file may become (ulimit -f); raise the limit, then retry",
    errno.EROFS: "the file system is mounted read-only; choose another folder",
    errno.EACCES: "you may not write there; give yourself permission, or choose another folder",
    errno.EPERM: "you may not write there; give yourself permission, or choose another folder",
    errno.ELOOP: "a symbolic link leads back to itself; remove it",
    errno.ENOTDIR: "a file is in the way of a folder; move it, or choose another folder",
    errno.EEXIST: "a file is in the way of a folder; move it, or choose another folder",
}


class DownloadError(HubError):
    """A download cannot go on; what was fetched is kept."""


class NoSpace(DownloadError):
    """The disk has not the room, before or while a file comes."""


class DiskTrouble(DownloadError):
    """The disk or its folders refuse."""


class WrongSum(DownloadError):
    """The bytes that came are not those that the hub has, twice."""


class Useless(DownloadError):
    """What came is what the hub has, and no model that could be loaded; it stays at `path`."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__(text)
        self.path = path


class InTheWay(DownloadError):
    """Another file has the name that this one would get."""


class NoSum(DownloadError):
    """The hub does not tell a file's SHA-256, so what came could not be checked."""


class WrongLength(DownloadError):
    """A server announced another length than it was asked for."""

    passing = True


class Expired(DownloadError):
    """The address that the hub had given is not served, or not any more."""

    passing = True


def disk_trouble(error: OSError, place: Path) -> DownloadError:
    """What the system said about a file or folder, in words."""
    advice = _ADVICE.get(error.errno or 0, (error.strerror or str(error)).lower())
    kind = NoSpace if error.errno in (errno.ENOSPC, errno.EDQUOT) else DiskTrouble
    return kind(f"{clean(str(place))}: {advice}")
