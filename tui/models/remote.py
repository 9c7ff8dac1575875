"""A model on the Hub as the fit sees it, of which only the header travels. Blocks; meant for a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from tui.config.paths import Paths
from tui.hub.choice import Chosen, locate
from tui.hub.client import Hub
from tui.hub.header import fetch_header
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
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Remote:
    """The model that `org/repo`, `org/repo:QUANT` or an address means. A header that was fetched once is known for
    ever. Raises HubError, GgufError, and hub.errors.Cancelled.
    """
    chosen = locate(hub, text)
    row, files = chosen.row, chosen.files
    folder, key = headers_dir(paths), remote_key(files.repo, files.commit, row.path)
    known, fetched = recall(folder, key, row.file_bytes), 0
    if known is None:
        header = fetch_header(hub, files, row, progress=progress, cancel=cancel)
        known, fetched = known_of(header.layout, header.stripped), header.fetched_bytes
        keep(folder, key, header.stripped)
    return Remote(_subject(chosen, known, fetched), chosen.reason)


def _subject(chosen: Chosen, known: KnownHeader, fetched_bytes: int) -> Subject:
    row, files = chosen.row, chosen.files
    others = ((other.quant, other.file_bytes) for other in files.rows if other.problem is None and other is not row)
    return Subject(
        name=chosen.name,
        identity=f"{files.repo}/{row.path}",
        quant=row.quant,
        parameters=known.shape.parameters or None,
        shape=replace(known.shape, file_bytes=row.file_bytes),
        header=known.stripped,
        siblings=tuple((quant, size) for quant, size in others if quant is not None),
        fetched_bytes=fetched_bytes,
    )
