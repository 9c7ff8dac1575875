"""Headers of models as the fit needs them, kept in the cache: read once from a file or the Hub, then known for ever.

What is kept is the header without its vocabulary, some 15 to 44 KB. A local file is known by its place, size and time
of change, so that one that was replaced is read again. Reads files: a front end with a screen calls it in a thread.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tui.config.errors import ConfigError
from tui.config.files import write_atomic
from tui.config.paths import Paths
from tui.fit.from_header import shape_of_layout
from tui.fit.shape import ModelShape
from tui.gguf.errors import GgufError
from tui.gguf.growing import GrowingHeader
from tui.gguf.layout import Layout, read_layout, shard_paths
from tui.gguf.names import shard_of
from tui.gguf.stripped import StrippedHeader, strip

MOST_KEPT = 512
"""Headers in the cache; of more the ones that were written first go."""


@dataclass(frozen=True, slots=True)
class KnownHeader:
    """What a fit asks of one model."""

    stripped: StrippedHeader
    shape: ModelShape


def header_of_file(path: Path, cache: Path) -> KnownHeader:
    """The header of a local model, its shards joined; `cache` is the folder that keeps headers.

    Raises GgufError for what is no model file.
    """
    key, file_bytes = local_key(path)
    kept = recall(cache, key, file_bytes) if key is not None else None
    if kept is not None:
        return kept
    layout = read_layout(path, whole=False)
    known = known_of(layout, strip(layout))
    if key is not None:
        keep(cache, key, known.stripped)
    return known


def known_of(layout: Layout, stripped: StrippedHeader) -> KnownHeader:
    """What is known of a layout and its header."""
    return KnownHeader(stripped, shape_of_layout(layout))


def headers_dir(paths: Paths) -> Path:
    """The folder that keeps headers."""
    return paths.cache / "headers"


def remote_key(repo: str, commit: str, file: str) -> str:
    """What a file of a repository is known by; a commit never changes."""
    return _key("hub", repo, commit, file)


def local_key(path: Path) -> tuple[str | None, int]:
    """What a local model is known by, another one once its file is replaced, and its bytes, all shards together; no key
    where its files cannot be looked at.
    """
    try:
        states = [(os.path.realpath(file), file.stat()) for file in _files(path)]
    except OSError:
        return None, 0
    parts = (f"{real}:{status.st_size}:{status.st_mtime_ns}" for real, status in states)
    return _key("file", *parts), sum(status.st_size for _, status in states)


def recall(cache: Path, key: str, file_bytes: int) -> KnownHeader | None:
    """A header that was kept of a model of `file_bytes` in all; None without one, or where it cannot be read."""
    try:
        layout = _layout((cache / f"{key}.gguf").read_bytes())
        return KnownHeader(strip(layout), replace(shape_of_layout(layout), file_bytes=file_bytes))
    except (OSError, GgufError):
        return None


def keep(cache: Path, key: str, stripped: StrippedHeader, *, most: int = MOST_KEPT) -> None:
    """Keep a header, and `most` in all. One that cannot be written costs the next reading its speed only."""
    with suppress(ConfigError, OSError):
        write_atomic(cache / f"{key}.gguf", stripped.data)
        _make_room(cache, most)


def _layout(data: bytes) -> Layout:
    """The layout in a kept header. Its weights are not there, so the file that it speaks of is of any length."""
    growing = GrowingHeader("a kept header", 1 << 62)
    growing.feed(data)
    if growing.layout is None:
        raise GgufError("a kept header", "is cut short")
    return growing.layout


def _files(path: Path) -> list[Path]:
    shard = shard_of(path.name)
    return shard_paths(path, shard[2]) if shard is not None else [path]


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:40]


def _make_room(cache: Path, most: int) -> None:
    kept = sorted(cache.glob("*.gguf"), key=lambda file: file.stat().st_mtime)
    for file in kept[:-most]:
        file.unlink(missing_ok=True)
