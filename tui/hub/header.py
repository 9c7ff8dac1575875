"""The header of a model that is not here: only its first bytes travel, a thousandth of the file and less.

Windows grow as the header asks for more. Memory and traffic are bounded whatever a file claims.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from tui.gguf.errors import GgufError
from tui.gguf.growing import GrowingHeader
from tui.gguf.header import Header
from tui.gguf.layout import Layout, join_shards
from tui.gguf.stripped import StrippedHeader, strip
from tui.hub.client import Hub
from tui.hub.errors import NoModel
from tui.hub.files import ModelRow, RemoteFile, RepoFiles
from tui.hub.ranges import RemoteBytes

Progress = Callable[[int, int], None]
"""Called with the bytes that were fetched, and those that are needed at least by what is known so far."""

FIRST_BYTES = 1 << 16
"""The first window: the keys of the architecture, in every published file that was looked at."""
MOST_BYTES = 1 << 26
"""64 MiB; the longest published headers have some 16 MB, nearly all of it vocabulary."""


@dataclass(frozen=True, slots=True)
class RemoteHeader:
    """A model's whole header, its shards joined."""

    layout: Layout
    stripped: StrippedHeader
    fetched_bytes: int
    """What travelled of the file (or files)."""


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """What the first bytes tell: the architecture, no tensors. Of shards only the first one speaks."""

    header: Header
    file_bytes: int
    """The model's, all shards together."""
    fetched_bytes: int


def fetch_header(
    hub: Hub,
    files: RepoFiles,
    row: ModelRow,
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> RemoteHeader:
    """The whole header of a model, for a dry run. Blocks; for a worker thread.

    A vocabulary makes it 1 to 16 MB; it arrives in 1 to 7 requests a file. `progress` is called for each piece, in this
    thread. Raises HubError, GgufError for a file that is no model, Cancelled.
    """
    fetch = _Fetch(hub, files, row, progress, cancel)
    layouts = [fetch.layout(file) for file in row.files]
    layout = join_shards(layouts) if layouts[0].header.shards > 1 or len(layouts) > 1 else layouts[0]
    return RemoteHeader(layout, strip(layout), fetch.fetched_bytes)


def fetch_start(
    hub: Hub,
    files: RepoFiles,
    row: ModelRow,
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> RemoteStart:
    """What the closed form needs of a model: one request of 64 KiB for every published file. Blocks.

    Raises as `fetch_header`.
    """
    fetch = _Fetch(hub, files, row, progress, cancel)
    header = fetch.start(row.files[0])
    return RemoteStart(header, row.file_bytes, fetch.fetched_bytes)


class _Fetch:
    """One fetching: what came of it so far."""

    def __init__(
        self,
        hub: Hub,
        files: RepoFiles,
        row: ModelRow,
        progress: Progress | None,
        cancel: threading.Event | None,
    ) -> None:
        if row.problem is not None:
            raise NoModel(f"{files.repo}:{row.quant or row.path}: {row.problem}")
        self.fetched_bytes = 0
        self._hub, self._files = hub, files
        self._progress = progress or (lambda fetched, needed: None)
        self._cancel = cancel or threading.Event()

    def layout(self, file: RemoteFile) -> Layout:
        growing = self._grown(file, lambda growing: growing.layout is not None)
        assert growing.layout is not None, "it has grown until then"
        return growing.layout

    def start(self, file: RemoteFile) -> Header:
        header = self._grown(file, lambda growing: growing.header is not None).header
        assert header is not None, "it has grown until then"
        return header

    def _grown(self, file: RemoteFile, enough: Callable[[GrowingHeader], bool]) -> GrowingHeader:
        name = f"{self._files.repo}/{file.path}"
        growing = GrowingHeader(name, file.size_bytes)
        source = RemoteBytes(self._hub, self._files.repo, self._files.commit, file, self._cancel)
        before = self.fetched_bytes
        # An empty file has no bytes to ask for, and says so itself.
        growing.feed(b"")
        while not enough(growing):
            stop = self._window(growing, file, name, before)
            with closing(source.read(growing.fed, stop)) as pieces:
                for piece in pieces:
                    growing.feed(piece)
                    self.fetched_bytes = before + growing.fed
                    self._progress(self.fetched_bytes, max(self.fetched_bytes, before + growing.needs))
                    # A short rest is under way already, and reading it keeps the connection for the next shard.
                    if enough(growing) and stop - growing.fed > FIRST_BYTES:
                        break
        return growing

    def _window(self, growing: GrowingHeader, file: RemoteFile, name: str, before: int) -> int:
        """Where the next window ends. Growing by half costs a header of 6 to 16 MB 6 or 7 requests, and 5 to 15 % more
        bytes than it has.
        """
        most = MOST_BYTES - before
        if growing.needs > most or growing.fed >= most:
            raise GgufError(name, f"has a header of more than {MOST_BYTES >> 20} MiB; the file is damaged")
        return min(file.size_bytes, most, max(growing.needs, growing.fed + max(FIRST_BYTES, growing.fed // 2)))
