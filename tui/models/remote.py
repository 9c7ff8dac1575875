"""A model on the Hub as the fit sees it, of which only the header travels. Blocks; meant for a thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from tui.config.paths import Paths
from tui.hub.choice import locate, name_of
from tui.hub.client import Hub
from tui.hub.files import ModelRow, RepoFiles
from tui.hub.header import Progress, fetch_header
from tui.models.headers import KnownHeader, headers_dir, keep, known_of, recall, remote_key
from tui.models.subject import Subject


@dataclass(frozen=True, slots=True)
class Remote:
    """What was found, and why it and no other file of the repository."""

    subject: Subject
    reason: str
    """Empty where the person named the file."""


def remote_subject(
    hub: Hub,
    text: str,
    paths: Paths,
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Remote:
    """The model that `org/repo`, `org/repo:QUANT` or an address means. A header that was fetched once is known for
    ever. Raises HubError, GgufError, and hub.errors.Cancelled.
    """
    chosen = locate(hub, text)
    known, fetched = header_of_row(hub, chosen.files, chosen.row, paths, progress=progress, cancel=cancel)
    return Remote(subject_of_row(chosen.files, chosen.row, known, fetched), chosen.reason)


def header_of_row(
    hub: Hub,
    files: RepoFiles,
    row: ModelRow,
    paths: Paths,
    *,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[KnownHeader, int]:
    """A model's whole header, and the bytes that travelled for it: none where it was fetched before. Raises as
    `remote_subject`.
    """
    kept = kept_header(files, row, paths)
    if kept is not None:
        return kept, 0
    header = fetch_header(hub, files, row, progress=progress, cancel=cancel)
    keep(headers_dir(paths), _key(files, row), header.stripped)
    return known_of(header.layout, header.stripped), header.fetched_bytes


def kept_header(files: RepoFiles, row: ModelRow, paths: Paths) -> KnownHeader | None:
    """The header of a model where it was fetched before. Reads a file."""
    return recall(headers_dir(paths), _key(files, row), row.file_bytes) if row.problem is None else None


def subject_of_row(files: RepoFiles, row: ModelRow, known: KnownHeader, fetched_bytes: int) -> Subject:
    """The subject that a model of a repository is."""
    others = ((other.quant, other.file_bytes) for other in files.rows if other.problem is None and other is not row)
    return Subject(
        name=name_of(files, row),
        identity=f"{files.repo}/{row.path}",
        quant=row.quant,
        parameters=known.shape.parameters or None,
        shape=replace(known.shape, file_bytes=row.file_bytes),
        header=known.stripped,
        siblings=tuple((quant, size) for quant, size in others if quant is not None),
        fetched_bytes=fetched_bytes,
    )


def _key(files: RepoFiles, row: ModelRow) -> str:
    return remote_key(files.repo, files.commit, row.path)
