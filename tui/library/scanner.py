"""Looks for models in every place at once and keeps the list for the next start. Blocking: for a worker thread."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tui.config.folders import absolute, hub_cache
from tui.library.digests import DigestStore
from tui.library.entries import models_of
from tui.library.facts import FactStore
from tui.library.index import cached_for, save_index
from tui.library.model import Model
from tui.library.naming import named
from tui.library.owners import owned_files, owned_places
from tui.library.places import demo_files, folder_files, hub_files
from tui.library.remembered import remembered_places
from tui.library.single import siblings
from tui.library.unchanged import State, state_of
from tui.library.walking import Found, Trail, is_file, is_folder
from tui.library.watching import to_watch

if TYPE_CHECKING:
    from tui.config.paths import Paths


@dataclass(frozen=True, slots=True)
class Look:
    """What one scan found."""

    models: tuple[Model, ...]
    """Sorted by name, sound and broken ones."""
    notes: tuple[str, ...]
    """What was passed over and why, one sentence each."""
    stamps: Mapping[Path, int | None] = field(default_factory=dict, compare=False)
    """The folders and files that were read, for `tui.library.watching.changed`."""
    signature: str = field(default="", compare=False)
    """Of the files, where all of them are sound; empty elsewhere."""


def scan(paths: Paths, folders: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> tuple[Model, ...]:
    """The models on this machine: `look` without its notes."""
    return look(paths, folders, environ).models


def look(
    paths: Paths,
    folders: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    system: Path = Path("/"),
    before: Look | None = None,
) -> Look:
    """Search the demo package, the Hugging Face cache, other programs' folders, `folders`, and what was added; keep the
    list for `cached`. `environ` (default: this process's) and `system` tell where they are. `before` is what the same
    search found last: it costs least where nothing has changed.

    Never raises for what is found: what cannot be read is in the notes, or a model with a problem.
    """
    environ = os.environ if environ is None else environ
    trail = Trail()
    files = demo_files()
    files += hub_files(hub_cache(environ), trail)
    # Before the folders that a person named: those may be another program's, and whose a file is comes first.
    files += owned_files(owned_places(environ, system), trail)
    for folder in folders:
        files += _in_folder(absolute(folder), trail)
    files += _added(paths, trail)
    state = state_of(files, [digest_file(paths)])
    models = _as_before(paths, state, before)
    if models is None:
        models = _made(paths, files, state)
    broken = [model.path for model in models if model.problem is not None]
    stamps = to_watch(trail.stamps, state.stamps, broken)
    return Look(models, tuple(dict.fromkeys(trail.notes)), stamps, "" if broken else state.signature)


def _as_before(paths: Paths, state: State, before: Look | None) -> tuple[Model, ...] | None:
    """The models of the last scan where nothing is different; None where that is not sure."""
    if not state.signature:
        return None
    if before is not None and before.signature == state.signature:
        return before.models
    return cached_for(paths, state.signature)


def _made(paths: Paths, files: Sequence[Found], state: State) -> tuple[Model, ...]:
    store = FactStore(paths.cache / "header-cache.json")
    models = named(models_of(files, store, DigestStore(digest_file(paths))))
    store.save()
    # What could not be read may be readable the next time without being another file.
    save_index(paths, models, "" if any(model.problem is not None for model in models) else state.signature)
    return models


def digest_file(paths: Paths) -> Path:
    """Where the sums that were worked out are kept."""
    return paths.cache / "digest-cache.json"


def _in_folder(folder: Path, trail: Trail) -> list[Found]:
    if is_file(folder):
        return siblings(folder, "folder")
    return folder_files(folder, "folder", trail)


def _added(paths: Paths, trail: Trail) -> list[Found]:
    found: list[Found] = []
    for place in remembered_places(paths, trail.notes):
        if is_folder(place):
            found += folder_files(place, "added", trail)
        else:
            # A file that is gone stays in the list, as one that cannot be loaded.
            found += siblings(place) or [Found(place, "added", place.name)]
    return found
