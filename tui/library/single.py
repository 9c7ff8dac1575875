"""The model in one file that a person named, wherever it lies."""

from __future__ import annotations

import os
from pathlib import Path

from tui.config.folders import absolute
from tui.gguf.errors import GgufError
from tui.gguf.names import is_imatrix, is_projector, shard_name, shard_of
from tui.library.entries import NO_MODEL_KINDS, grouped, model_of, no_model
from tui.library.facts import FactStore
from tui.library.model import LibraryError, Model, Source, shown
from tui.library.naming import named
from tui.library.walking import Found


def entry_for(path: Path | str) -> Model:
    """The model in a file that a person named; any shard stands for the whole.

    Raises LibraryError when there is none: missing, unreadable, damaged, something else.
    """
    file = absolute(os.fspath(path))
    shard = shard_of(file.name)
    if shard is not None and shard[1] != 1 and not os.path.lexists(file.with_name(shard_name(shard[0], 1, shard[2]))):
        raise LibraryError(f"{shown(file)}: is part {shard[1]} of {shard[2]}, and part 1 is not beside it")
    store = FactStore()
    try:
        facts = store.facts(file)
    except GgufError as error:
        raise LibraryError(f"{shown(file)}: {error.reason}") from error
    what = no_model(facts)
    if is_projector(file.name):
        what = what or NO_MODEL_KINDS["mmproj"]
    elif is_imatrix(file.name):
        what = what or NO_MODEL_KINDS["imatrix"]
    models = [] if what is not None else [model_of(group, store) for group in grouped(siblings(file))]
    if not models or models[0] is None:
        raise LibraryError(f"{shown(file)}: is {what or 'something else'}, not a model; name the model's own file")
    return named([models[0]])[0]


def siblings(file: Path, source: Source = "added") -> list[Found]:
    """A file, or all the shards of its model that lie beside it."""
    shard = shard_of(file.name)
    if shard is None:
        return [Found(file, source, file.name)]
    stem, _, count = shard
    names = [shard_name(stem, n, count) for n in range(1, count + 1)]
    return [Found(file.with_name(name), source, name) for name in names if os.path.lexists(file.with_name(name))]
