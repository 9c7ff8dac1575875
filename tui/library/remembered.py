"""The files and folders that a person added: remembered by their place, never copied.

Kept in one JSON file that several running copies share; a damaged one is told of and left as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from tui.library.model import LibraryError, Model, shown

if TYPE_CHECKING:
    from tui.config.paths import Paths

VERSION = 1


def add(paths: Paths, path: Path | str) -> Model:
    """Remember a file or a folder and return its model (a folder's first by name). Raises LibraryError."""
    return remember(paths, path)[0]


def remember(paths: Paths, path: Path | str) -> tuple[Model, ...]:
    """Remember a file or a folder and return the models in it; adding it again changes nothing.

    Raises LibraryError in one sentence: nothing there, no permission, not a model, no model in the folder, and a list
    of places that cannot be read or written.
    """
    from tui.config.errors import ConfigError
    from tui.config.files import locked, write_atomic
    from tui.config.folders import absolute

    place = absolute(os.fspath(path))
    models = models_at(place)
    file = paths.library_file
    try:
        with locked(file):
            places = _read(file)
            if str(place) not in places:
                content = {"version": VERSION, "paths": [*places, str(place)]}
                write_atomic(file, json.dumps(content, indent=1).encode() + b"\n")
    except ConfigError as error:
        raise LibraryError(str(error)) from error
    return models


def forget(paths: Paths, gone: Collection[Path]) -> None:
    """Take places off the list, as they were moved or deleted. Raises LibraryError."""
    from tui.config.errors import ConfigError
    from tui.config.files import locked, write_atomic

    file, texts = paths.library_file, {str(place) for place in gone}
    if not texts.intersection(_read(file)):
        return
    try:
        with locked(file):
            left = [place for place in _read(file) if place not in texts]
            write_atomic(file, json.dumps({"version": VERSION, "paths": left}, indent=1).encode() + b"\n")
    except ConfigError as error:
        raise LibraryError(str(error)) from error


def remembered_places(paths: Paths, notes: list[str]) -> list[Path]:
    """What was added, in that order; a list that cannot be read is noted."""
    try:
        return [Path(text) for text in _read(paths.library_file)]
    except LibraryError as error:
        notes.append(str(error))
        return []


def models_at(place: Path) -> tuple[Model, ...]:
    """The model in a file, or those below a folder. Raises LibraryError when there is none."""
    from tui.library.entries import models_of
    from tui.library.facts import FactStore
    from tui.library.naming import named
    from tui.library.places import folder_files
    from tui.library.single import entry_for
    from tui.library.walking import Trail, is_folder

    if not is_folder(place):
        return (entry_for(place),)
    trail = Trail()
    models = named(models_of(folder_files(place, "added", trail), FactStore()))
    if not models:
        raise LibraryError(
            trail.notes[0] if trail.notes else f"{shown(place)}: there is no model (*.gguf) in this folder"
        )
    return models


def _read(file: Path) -> list[str]:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LibraryError(f"{shown(file)}: cannot be read ({error.strerror}); give yourself permission") from error
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    places = content.get("paths") if isinstance(content, dict) else None
    if not isinstance(places, list) or not all(isinstance(text, str) and text for text in places):
        raise LibraryError(f"{shown(file)}: is damaged, so what was added is not known; mend it or remove it")
    return places
