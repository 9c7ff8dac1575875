"""Looks for models in every place at once and keeps the list for the next start. Blocking: for a worker thread."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.library.entries import models_of
from tui.library.facts import FactStore
from tui.library.index import save_index
from tui.library.model import Model
from tui.library.naming import named
from tui.library.places import Found, absolute, demo_files, folder_files, hub_cache, hub_files, is_file, is_folder
from tui.library.remembered import remembered_places
from tui.library.single import siblings

if TYPE_CHECKING:
    from tui.config.paths import Paths


@dataclass(frozen=True, slots=True)
class Look:
    """What one scan found."""

    models: tuple[Model, ...]
    """Sorted by name, sound and broken ones."""
    notes: tuple[str, ...]
    """What was passed over and why, one sentence each."""


def scan(paths: Paths, folders: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> tuple[Model, ...]:
    """The models on this machine: `look` without its notes."""
    return look(paths, folders, environ).models


def look(paths: Paths, folders: Sequence[str] = (), environ: Mapping[str, str] | None = None) -> Look:
    """Search the demo package, the Hugging Face cache, `folders`, and what was added; keep the list for `cached`.

    Never raises for what is found: what cannot be read is in the notes, or a model with a problem.
    """
    notes: list[str] = []
    files = demo_files()
    files += hub_files(hub_cache(os.environ if environ is None else environ), notes)
    for folder in folders:
        files += _in_folder(absolute(folder), notes)
    files += _added(paths, notes)
    store = FactStore(paths.cache / "header-cache.json")
    models = named(models_of(files, store))
    store.save()
    save_index(paths, models)
    return Look(models, tuple(dict.fromkeys(notes)))


def _in_folder(folder: Path, notes: list[str]) -> list[Found]:
    if is_file(folder):
        return siblings(folder, "folder")
    return folder_files(folder, "folder", notes)


def _added(paths: Paths, notes: list[str]) -> list[Found]:
    found: list[Found] = []
    for place in remembered_places(paths, notes):
        if is_folder(place):
            found += folder_files(place, "added", notes)
        else:
            # A file that is gone stays in the list, as one that cannot be loaded.
            found += siblings(place) or [Found(place, "added", place.name)]
    return found
