"""Deleting what a person calls MODEL: whose it is, what else uses it, what comes free; and then the deed itself.

A model may lie in several places; each can be deleted alone, and some of them together. Files of the Hugging Face cache
go through its own client. Blocks; meant for a thread, `uses_of` and `freed_by_all` excepted, which only count.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tui.config.folders import absolute, hub_cache
from tui.config.model_file import read_models
from tui.config.paths import Paths
from tui.config.plain import one_line
from tui.engine.registry import running
from tui.hub.cache import CacheDeletion, execute, plan_cache_deletion
from tui.hub.errors import HubError
from tui.library.model import SOURCES, LibraryError, Model, Place, Source, owner_name, shown
from tui.library.remembered import forget
from tui.library.removal import Holding, delete, freed_by, holdings, plan_removal
from tui.models.resolve import resolve


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another place of the model, and what becomes of it."""

    path: Path
    source: Source
    becomes: str


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting a model from one place would do."""

    name: str
    """What it is called there."""
    path: Path
    """Its file there."""
    source: Source
    owner: str | None
    """The program whose files these are; None for the person's own."""
    files: tuple[Path, ...]
    engines: tuple[int, ...]
    """Processes that have it in memory."""
    used_by: tuple[str, ...]
    """What else uses it, in sentences."""
    elsewhere: tuple[Elsewhere, ...]
    held: tuple[Holding, ...]
    in_cache: CacheDeletion | None = None
    """Set where the Hub's client has to do it."""

    @property
    def freed_bytes(self) -> int:
        """What comes free."""
        return freed_by(self.held)

    @property
    def uses(self) -> tuple[str, ...]:
        """What else uses it, and what becomes of its other places, in sentences."""
        return uses_of([self])


@dataclass(frozen=True, slots=True)
class Kept:
    """A place that a model cannot be deleted from, and why."""

    path: Path
    source: Source
    reason: str


def plan_deletion(
    paths: Paths,
    text: str,
    models: Sequence[Model],
    environ: Mapping[str, str] | None = None,
    system: Path = Path("/"),
) -> Deletion:
    """What deleting the model that `text` means would do. Of a model in several places it is the one of this path or
    name.

    Raises ModelNotFound, LibraryError, HubError.
    """
    environ = os.environ if environ is None else environ
    model = resolve(text, models)
    return _plan(paths, model, _named_place(text, model), environ, system)


def plan_deletions(
    paths: Paths, model: Model, environ: Mapping[str, str] | None = None, system: Path = Path("/")
) -> tuple[Deletion | Kept, ...]:
    """The same for every place of a model, its first one first. What cannot be deleted says why."""
    environ = os.environ if environ is None else environ
    planned: list[Deletion | Kept] = []
    # Several names that an owner has for one file are one place.
    places = {place.path: place for place in reversed((_first(model), *model.also))}
    for place in reversed(places.values()):
        try:
            planned.append(_plan(paths, model, place, environ, system))
        except (LibraryError, HubError) as error:
            planned.append(Kept(place.path, place.source, str(error)))
    return tuple(planned)


def uses_of(chosen: Sequence[Deletion], show: Callable[[Path], str] = shown) -> tuple[str, ...]:
    """What else uses the model, in sentences, when it goes from all these places; `show` writes a path."""
    going = {deletion.path for deletion in chosen}
    told: list[str] = []
    for deletion in chosen:
        if deletion.engines:
            pids = ", ".join(map(str, deletion.engines))
            told.append(f"it is loaded (engine {pids}), and stays in memory until that ends")
        told += deletion.used_by
        left = (other for other in deletion.elsewhere if other.path not in going)
        told += [f"{show(other.path)} ({SOURCES[other.source]}) {other.becomes}" for other in left]
    return tuple(dict.fromkeys(told))


def owned_by(chosen: Sequence[Deletion]) -> tuple[str, ...]:
    """Whose files these are, in sentences; none for the person's own."""
    programs = [deletion.owner for deletion in chosen if deletion.owner and deletion.source != "hf-cache"]
    told = [f"it belongs to {owner}, which will miss it" for owner in dict.fromkeys(programs)]
    if any(deletion.source == "hf-cache" for deletion in chosen):
        told.append("it is in the Hugging Face cache, which other programs use too")
    return tuple(told)


def freed_by_all(chosen: Sequence[Deletion]) -> int:
    """Bytes that come free when the model goes from all these places: hard links give theirs back only together."""
    return freed_by(holding for deletion in chosen for holding in deletion.held)


def carry_out(paths: Paths, deletion: Deletion) -> None:
    """Delete it. Raises LibraryError, HubError."""
    if deletion.in_cache is not None:
        execute(deletion.in_cache)
    else:
        delete(deletion.files)
    forget(paths, deletion.files)


def _plan(paths: Paths, model: Model, place: Place, environ: Mapping[str, str], system: Path) -> Deletion:
    removal = plan_removal(place.path, place.source, environ, system)
    files, going, in_cache = removal.files, removal.files, None
    if removal.source == "hf-cache":
        in_cache = plan_cache_deletion(hub_cache(environ), files)
        files, going = in_cache.files, in_cache.blobs
    used_by = _settings(paths, place.path)
    if len(removal.called) > 1:
        used_by.append(f"Ollama has it under {len(removal.called)} names, which all go: {', '.join(removal.called)}")
    return Deletion(
        name=place.name,
        path=place.path,
        source=removal.source,
        owner=owner_name(removal.source),
        files=files,
        engines=_engines(paths, model),
        used_by=tuple(used_by),
        elsewhere=tuple(_elsewhere(place.path, model, in_cache)),
        held=holdings(going),
        in_cache=in_cache,
    )


def _first(model: Model) -> Place:
    return Place(model.path, model.source, model.name)


def at_named_place(text: str, model: Model) -> Model:
    """A model with the place that `text` names as its own, and the others beside it."""
    named = _named_place(text, model)
    others = tuple(place for place in (_first(model), *model.also) if place.path != named.path)
    return replace(model, name=named.name, path=named.path, source=named.source, also=others)


def _named_place(text: str, model: Model) -> Place:
    """Where the model lies, or the other place of it whose path or name a person wrote."""
    wanted = text.strip()
    if wanted.casefold() == model.name.casefold():
        return _first(model)
    path = absolute(wanted)
    meant = (place for place in model.also if place.path == path or place.name.casefold() == wanted.casefold())
    return next(meant, _first(model))


def _engines(paths: Paths, model: Model) -> tuple[int, ...]:
    """Engines tell the name that the model was loaded by, which may be that of any of its places."""
    names = {one_line(name) for name in (model.name, *(place.name for place in model.also))}
    return tuple(engine.pid for engine in running(paths.engines_dir) if engine.model in names)


def _elsewhere(path: Path, model: Model, in_cache: CacheDeletion | None) -> list[Elsewhere]:
    """The model's other places, and what becomes of them."""
    going = in_cache.blobs if in_cache is not None else () if path.is_symlink() else (path,)
    gone = {os.path.realpath(file) for file in going}
    others: list[Elsewhere] = []
    for place in (_first(model), *model.also):
        if place.path == path:
            continue
        becomes = "has the same bytes, and stays"
        if os.path.realpath(place.path) in gone:
            link = place.path.is_symlink()
            becomes = "is a link to it, and will lead nowhere" if link else "is the same file, and goes with it"
        others.append(Elsewhere(place.path, place.source, becomes))
    return others


def _settings(paths: Paths, path: Path) -> list[str]:
    """Models whose kept settings name this file, as a draft, an adapter or a projector."""
    names = {str(path), os.path.realpath(path)}
    told: list[str] = []
    for identity, table in read_models(paths)[0].items():
        adapters = table.get("lora", ())
        listed = [each.get("path") for each in adapters if isinstance(each, dict)] if isinstance(adapters, list) else []
        if names.intersection(
            each for each in (table.get("draft_model"), table.get("mmproj"), *listed) if isinstance(each, str)
        ):
            told.append(f"the settings of {identity} name it (models.toml)")
    return told
