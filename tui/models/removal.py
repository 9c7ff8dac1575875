"""Deleting what a person calls MODEL: whose it is, what else uses it, what comes free; and then the deed itself.

Files of the Hugging Face cache go through its own client. Blocks; meant for a thread.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui.config.model_file import read_models
from tui.config.paths import Paths
from tui.engine.registry import running
from tui.hub.cache import CacheDeletion, execute, plan_cache_deletion
from tui.library.model import SOURCES, Model, Place, Source, owner_name, shown
from tui.library.places import hub_cache
from tui.library.remembered import forget
from tui.library.removal import delete, freed_bytes, plan_removal
from tui.library.walking import absolute
from tui.models.resolve import resolve


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting a model would do."""

    name: str
    """What it is called there."""
    source: Source
    owner: str | None
    """The program whose files these are; None for the person's own."""
    files: tuple[Path, ...]
    freed_bytes: int
    uses: tuple[str, ...]
    """What else uses it, in sentences."""
    in_cache: CacheDeletion | None = None
    """Set where the Hub's client has to do it."""


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
    place = _named_place(text, model)
    removal = plan_removal(place.path, place.source, environ, system)
    files, freed, in_cache = removal.files, removal.freed_bytes, None
    if removal.source == "hf-cache":
        in_cache = plan_cache_deletion(hub_cache(environ), files)
        files, freed = in_cache.files, freed_bytes(in_cache.blobs)
    uses = [*_engines(paths, model), *_links(place.path, model, in_cache), *_settings(paths, place.path)]
    if len(removal.called) > 1:
        uses.append(f"Ollama has it under {len(removal.called)} names, which all go: {', '.join(removal.called)}")
    owner = owner_name(removal.source)
    return Deletion(place.name, removal.source, owner, files, freed, tuple(uses), in_cache)


def carry_out(paths: Paths, deletion: Deletion) -> None:
    """Delete it. Raises LibraryError, HubError."""
    if deletion.in_cache is not None:
        execute(deletion.in_cache)
    else:
        delete(deletion.files)
    forget(paths, deletion.files)


def _named_place(text: str, model: Model) -> Place:
    """Where the model lies, or the other place of it whose path or name a person wrote."""
    wanted = text.strip()
    first = Place(model.path, model.source, model.name)
    if wanted.casefold() == model.name.casefold():
        return first
    path = absolute(wanted)
    meant = (place for place in model.also if place.path == path or place.name.casefold() == wanted.casefold())
    return next(meant, first)


def _engines(paths: Paths, model: Model) -> list[str]:
    pids = [str(engine.pid) for engine in running(paths.engines_dir) if engine.model == model.name]
    return [f"it is loaded (engine {', '.join(pids)}), and stays in memory until that ends"] if pids else []


def _links(path: Path, model: Model, in_cache: CacheDeletion | None) -> list[str]:
    """The model's other places, and what becomes of them."""
    going = in_cache.blobs if in_cache is not None else () if path.is_symlink() else (path,)
    gone = {os.path.realpath(file) for file in going}
    told: list[str] = []
    places = [(place.path, place.source) for place in model.also]
    for other, source in [(model.path, model.source), *places]:
        if other == path:
            continue
        whose = SOURCES[source]
        if other.is_symlink() and os.path.realpath(other) in gone:
            told.append(f"{shown(other)} ({whose}) is a link to it, and will lead nowhere")
        else:
            told.append(f"{shown(other)} ({whose}) has the same bytes, and stays")
    return told


def _settings(paths: Paths, path: Path) -> list[str]:
    """Models whose kept settings name this file, as a draft or an adapter."""
    names = {str(path), os.path.realpath(path)}
    told: list[str] = []
    for identity, table in read_models(paths)[0].items():
        adapters = table.get("lora", ())
        listed = [each.get("path") for each in adapters if isinstance(each, dict)] if isinstance(adapters, list) else []
        if names.intersection(each for each in (table.get("draft_model"), *listed) if isinstance(each, str)):
            told.append(f"the settings of {identity} name it (models.toml)")
    return told
