"""What a download is, as values: an item of the queue, its state, and the events that tell of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from tui.hub.choice import Chosen
from tui.hub.downloads.errors import NoSum
from tui.hub.files import RemoteFile, RepoFiles

Kind = Literal["progress", "verify", "retry", "done", "failed"]
State = Literal["queued", "running", "paused", "failed", "done"]


class Wanted(msgspec.Struct, frozen=True):
    """One file to fetch."""

    path: str
    """In the repository; safe to use below a folder."""
    size_bytes: int
    sha256: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One model (all its shards), or one file that belongs to a model. It is fetched as a whole."""

    id: str
    """The same for the same model in the same place, whatever its content."""
    name: str
    """What people call it: org/repo:QUANT."""
    repo: str
    commit: str
    """What the files are pinned to."""
    revision: str
    """What was asked for: a branch, a tag, or a commit."""
    files: tuple[Wanted, ...]
    folder: str = ""
    """Where it goes, absolute; empty for the Hugging Face cache."""
    replaced: tuple[Wanted, ...] = ()
    """What the hub had in their place when it was begun."""
    added: float = 0.0
    """Unix seconds; another time is another order."""
    paused: bool = False
    hurried: float = 0.0
    """Unix seconds when somebody asked last that it wait no longer for its next try."""
    outcome: Literal["", "done", "failed", "kept"] = ""
    """Kept: off the list, with what came of it left where it lies, for whoever asks for it again."""
    reason: str = ""
    """Why it failed."""
    path: str = ""
    """Of a finished one: the file to load. Of a failed one: what came, whole and as the hub has it, yet of no use."""

    @property
    def file(self) -> str:
        """The file that is loaded, by its path in the repository; of several shards the first."""
        return self.files[0].path

    @property
    def total_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)

    @property
    def open(self) -> bool:
        """True while it has neither ended well nor badly."""
        return not self.outcome


class Told(msgspec.Struct, frozen=True):
    """What the process that fetches an item says of it to every other one."""

    checking: bool = False
    """Its SHA-256 is computed."""
    done_bytes: int = 0
    """Fetched; while it is checked, checked."""
    tries: int = 0
    """How often it was tried again."""
    reason: str = ""
    """Why it is tried again; empty once it gets on."""
    again_at: float = 0.0
    """Unix seconds of the next try; 0 where none is waited for."""


class Entry(msgspec.Struct, frozen=True):
    """One item as it stands now."""

    item: Item
    state: State
    done_bytes: int
    """Of its `total_bytes`, on this disk."""
    owner: int | None = None
    """Process that fetches it now; None when none does."""
    told: Told | None = None
    """What that process says; None where it has said nothing yet."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to one item. Figures are of the whole item."""

    item: str
    """Its id."""
    event: Kind
    file: str
    done_bytes: int
    """Fetched; of a `verify`: checked."""
    total_bytes: int | None = None
    bytes_s: int | None = None
    eta_s: float | None = None
    message: str | None = None
    """For people: why again, why not, or where it lies."""
    again_s: float | None = None
    """Of a `retry`: seconds until the next try; None where it goes on at once."""
    tries: int = 0
    """How often it was tried again until now."""

    @property
    def sentence(self) -> str | None:
        """The message, with the time of the next try."""
        if self.again_s is None:
            return self.message
        return f"{self.message}; once more in {self.again_s:g} s"

    def to_json(self) -> dict[str, Any]:
        """As `pull --json` prints it: these keys are a contract."""
        return {**{name: getattr(self, name) for name in _CONTRACT}, "message": self.sentence}


_CONTRACT = ("event", "file", "done_bytes", "total_bytes", "bytes_s", "eta_s")

Sink = Callable[[Event], None]
"""Told of every event, in the thread in which it happens; it returns soon and raises nothing."""

Watch = Callable[[tuple[Entry, ...], str], None]
"""Told of the whole list whenever something in it is another than before, whoever changed it, bytes that came excepted;
and why the list cannot be worked on, empty when it can. As a sink, it returns soon and raises nothing."""


def item_of(chosen: Chosen, folder: str = "", revision: str | None = None) -> Item:
    """What is to be fetched of a model that was chosen. Raises NoSum."""
    return _item(chosen.files, chosen.name, chosen.row.files, folder, revision)


def beside(files: RepoFiles, file: RemoteFile, folder: str = "", revision: str | None = None) -> Item:
    """A file that belongs to a model, as a projector does. Raises NoSum."""
    return _item(files, f"{files.repo}:{file.path}", (file,), folder, revision)


def wanted_of(files: Iterable[RemoteFile]) -> tuple[Wanted, ...]:
    """Raises NoSum for a file whose content could not be checked."""
    return tuple(_wanted(file) for file in files)


def _item(files: RepoFiles, name: str, wanted: tuple[RemoteFile, ...], folder: str, revision: str | None) -> Item:
    identity = "\0".join((files.repo, wanted[0].path, folder))
    return Item(
        id=hashlib.sha256(identity.encode()).hexdigest()[:16],
        name=name,
        repo=files.repo,
        commit=files.commit,
        revision=revision or "main",
        files=wanted_of(wanted),
        folder=folder,
        added=time.time(),
    )


def _wanted(file: RemoteFile) -> Wanted:
    if file.sha256 is None:
        raise NoSum(f"the hub tells no SHA-256 of {file.path}, so it could not be checked; fetch it by other means")
    return Wanted(file.path, file.size_bytes, file.sha256)
