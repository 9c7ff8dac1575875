"""Bringing models into a library folder: what would be done, as a value that can be shown before it is.

Nothing is written here; `tui.library.transfer` carries a plan out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tui.config.folders import absolute
from tui.config.sizes import size
from tui.library.model import LibraryError, Model, owner_name, shown
from tui.library.ollama import names_of
from tui.library.owners import owner_of
from tui.library.remembered import models_at
from tui.library.single import siblings
from tui.library.walking import is_folder

How = Literal["copy", "move", "link", "symlink"]


@dataclass(frozen=True, slots=True)
class Step:
    """One file."""

    source: Path
    target: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Import:
    """What bringing a file or a folder of models into the library does."""

    how: How
    steps: tuple[Step, ...]
    needed_bytes: int
    """What it takes of the disk; 0 where nothing is written."""
    free_bytes: int
    """What is free there."""


def plan_import(
    path: str, folder: str, how: How, environ: Mapping[str, str] | None = None, system: Path = Path("/")
) -> Import:
    """What brings the models at `path` into `folder`: of a file its model with all shards, of a folder all models below
    it, under its name.

    Raises LibraryError in one sentence: no model there, a broken one, something in the way, a hard link across disks,
    a move out of another program's folder, a full disk.
    """
    place, library = absolute(path), absolute(folder)
    return _plan(_all_steps(place, library), library, how, os.environ if environ is None else environ, system)


def plan_every_import(
    path: str, folder: str, environ: Mapping[str, str] | None = None, system: Path = Path("/")
) -> dict[How, Import | LibraryError]:
    """The same for every way to do it, each with its plan or with what is against it; what is at `path` is read once.

    Raises LibraryError for what is against all of them.
    """
    place, library = absolute(path), absolute(folder)
    environ = os.environ if environ is None else environ
    steps = _all_steps(place, library)
    planned: dict[How, Import | LibraryError] = {}
    for how in get_args(How):
        try:
            planned[how] = _plan(steps, library, how, environ, system)
        except LibraryError as error:
            planned[how] = error
    return planned


def _all_steps(place: Path, library: Path) -> tuple[Step, ...]:
    if place.is_relative_to(library) or library.is_relative_to(place):
        raise LibraryError(f"{shown(place)}: is in your library folder already, or holds it; name another place")
    return tuple(step for model in models_at(place) for step in _steps(place, library, model))


def _plan(steps: tuple[Step, ...], library: Path, how: How, environ: Mapping[str, str], system: Path) -> Import:
    for step in steps:
        _allow(step, library, how, environ, system)
    writes = how == "copy" or (how == "move" and any(not _one_disk(step.source, library) for step in steps))
    needed = sum(step.size_bytes for step in steps) if writes else 0
    free = shutil.disk_usage(_nearest(library)).free
    if needed > free:
        raise LibraryError(f"{shown(library)}: has {size(free)} free, and {size(needed)} are needed; free some space")
    return Import(how, steps, needed, free)


def _steps(place: Path, library: Path, model: Model) -> list[Step]:
    if model.problem is not None:
        raise LibraryError(f"{shown(model.path)}: {model.problem}")
    files = [found.path for found in siblings(model.path)]
    return [Step(file, library / _inside(place, file), file.stat().st_size) for file in files]


def _inside(place: Path, file: Path) -> Path:
    """Where a file goes, below the library folder."""
    if is_folder(place):
        return Path(place.name) / file.relative_to(place)
    if file.name.lower().endswith(".gguf"):
        return Path(file.name)
    called = names_of(file)
    return Path(f"{(called[0] if called else file.name).replace('/', '-').replace(':', '-')}.gguf")


def _allow(step: Step, library: Path, how: How, environ: Mapping[str, str], system: Path) -> None:
    source, target = step.source, step.target
    if os.path.lexists(target):
        raise LibraryError(
            f"{shown(target)}: is there already; rename one of the two, or remove the one in the library"
        )
    if how == "link" and not _one_disk(source, library):
        raise LibraryError(
            f"{shown(source)}: is on another disk than {shown(library)}; copy it, or link it symbolically"
        )
    if how != "move":
        return
    source_of = owner_of(source, environ, system)
    owner = owner_name(source_of) if source_of is not None else None
    if owner is not None:
        raise LibraryError(f"{shown(source)}: belongs to {owner}, which would miss it; link or copy it")
    if source.is_symlink():
        raise LibraryError(
            f"{shown(source)}: is a link to {shown(os.path.realpath(source))}; name that file, or link it"
        )


def _one_disk(source: Path, folder: Path) -> bool:
    return source.stat().st_dev == _nearest(folder).stat().st_dev


def _nearest(folder: Path) -> Path:
    """The folder, or of one that is not there yet the first above it that is."""
    return next(each for each in (folder, *folder.parents) if is_folder(each))
