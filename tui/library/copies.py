"""Which models may be the same bytes twice, working out whether they are, and making them one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tui.library.digests import DigestStore
from tui.library.joining import Joined, join, unconfirmed, undo
from tui.library.model import LibraryError, Model, Place
from tui.library.single import siblings

Pair = tuple[Path, Path]
"""A file that stays, and its copy."""


@dataclass(frozen=True, slots=True)
class CopyWork:
    """What making a model's other places one with it means, file by file."""

    unconfirmed: tuple[Joined, ...]
    """Made one earlier, and neither confirmed nor undone."""
    pairs: tuple[Pair, ...]
    """Still two files."""
    apart: tuple[Path, ...]
    """On another disk, so that they stay."""
    read_bytes: int = 0
    """What has to be read to compare the pairs: each file once."""


def alike(models: Sequence[Model]) -> list[Model]:
    """Sound models that have as many bytes and files as another one, so that only their sum tells them apart."""
    by_size: defaultdict[tuple[int, int], list[Model]] = defaultdict(list)
    for model in models:
        if model.problem is None:
            by_size[model.file_bytes, model.shards].append(model)
    return [model for group in by_size.values() if len(group) > 1 for model in group]


def alike_to(model: Model, models: Sequence[Model]) -> list[Model]:
    """The others that may be copies of this one."""
    if model.problem is not None:
        return []
    size = (model.file_bytes, model.shards)
    others = (other for other in models if other.problem is None and other.path != model.path)
    return [other for other in others if (other.file_bytes, other.shards) == size]


def learn(models: Sequence[Model], store: DigestStore, progress: Callable[[int], None] | None = None) -> None:
    """Work out the sums that are not known yet, so that the next scan knows copies. Raises LibraryError; the sums until
    then are kept.
    """
    try:
        for model in models:
            for found in siblings(model.path):
                if store.known(found.path) is None:
                    store.learn(found.path, progress)
    finally:
        store.save()


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """One place where the same bytes are, or may be."""

    place: Place
    work: CopyWork
    known: bool
    """True where the sums are known to be the same."""


def copy_plans(model: Model, models: Sequence[Model]) -> tuple[CopyPlan, ...]:
    """Every other place of a model, then the models that may be copies of it. Blocks; opens no file."""
    known = [(place, True) for place in model.also]
    perhaps = [(Place(other.path, other.source, other.name), False) for other in alike_to(model, models)]
    return tuple(CopyPlan(place, copy_work(model, [place]), same) for place, same in (*known, *perhaps))


def copy_work(model: Model, places: Sequence[Place]) -> CopyWork:
    """What making these places one with the model means. Places that are one with it already are left out. Blocks."""
    left: list[Joined] = []
    pairs: list[Pair] = []
    apart: list[Path] = []
    mine = [found.path for found in siblings(model.path)]
    for place in places:
        theirs = [found.path for found in siblings(place.path)]
        for kept, other in zip(mine, theirs, strict=False):
            if not (kept.exists() and other.exists()):
                continue
            earlier = unconfirmed(kept, other) or unconfirmed(other, kept)
            if earlier is not None:
                left.append(earlier)
            elif kept.stat().st_dev != other.stat().st_dev:
                apart.append(other)
            elif not kept.samefile(other):
                pairs.append((kept, other))
    files = dict.fromkeys(file for pair in pairs for file in pair)
    return CopyWork(tuple(left), tuple(pairs), tuple(apart), sum(_size(file) for file in files))


def join_all(
    pairs: Sequence[Pair], progress: Callable[[int], None] | None = None, sums: DigestStore | None = None
) -> list[Joined]:
    """Make each pair one file, or none of them; `progress` is told how many bytes were read. A file that is in several
    pairs is read once, and not at all where `sums` knows it.

    Raises LibraryError, and whatever `progress` raises to stop; everything is as it was then.
    """
    done: list[Joined] = []
    sums = DigestStore() if sums is None else sums
    try:
        for kept, other in pairs:
            done.append(join(kept, other, progress, sums))
    except BaseException:
        undo_all(done)
        raise
    return done


def undo_all(done: Sequence[Joined]) -> None:
    """Let every copy be what it was. Raises LibraryError for the first that cannot be, after trying all."""
    failed: LibraryError | None = None
    for joined in done:
        try:
            undo(joined)
        except LibraryError as error:
            failed = failed or error
    if failed is not None:
        raise failed


def _size(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_size
    return 0
