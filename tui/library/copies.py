"""Which models may be the same bytes twice, and working out whether they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from tui.library.digests import DigestStore
from tui.library.model import Model
from tui.library.single import siblings


def alike(models: Sequence[Model]) -> list[Model]:
    """Sound models that have as many bytes and files as another one, so that only their sum tells them apart."""
    by_size: defaultdict[tuple[int, int], list[Model]] = defaultdict(list)
    for model in models:
        if model.problem is None:
            by_size[model.file_bytes, model.shards].append(model)
    return [model for group in by_size.values() if len(group) > 1 for model in group]


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


def copies_of(model: Model) -> list[tuple[Path, Path]]:
    """Each file of a model beside the same file in each other place that is there."""
    mine = [found.path for found in siblings(model.path)]
    pairs: list[tuple[Path, Path]] = []
    for place in model.also:
        theirs = [found.path for found in siblings(place.path)]
        pairs += [(one, other) for one, other in zip(mine, theirs, strict=False) if one.exists() and other.exists()]
    return pairs
