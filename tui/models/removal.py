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
from tui.library.model import SOURCES, Model, owner_name, shown
from tui.library.places import hub_cache
from tui.library.remembered import forget
from tui.library.removal import delete, freed_bytes, plan_removal
from tui.library.walking import absolute
from tui.models.resolve import resolve


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting a model would do."""

    model: Model
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
    """What deleting the model that `text` means would do. Of a model in several places a path names the one to delete,
    a name the first.

    Raises ModelNotFound, LibraryError, HubError.
    """
    environ = os.environ if environ is None else environ
    model = resolve(text, models)
    path = _named_place(text, model)
    removal = plan_removal(path, model.source if path == model.path else "added", environ, system)
    files, freed, in_cache = removal.files, removal.freed_bytes, None
    if removal.source == "hf-cache":
        in_cache = plan_cache_deletion(hub_cache(environ), files)
        files, freed = in_cache.files, freed_bytes(in_cache.blobs)
    uses = [*_engines(paths, model), *_links(path, model, in_cache), *_settings(paths, path)]
    if len(removal.called) > 1:
        uses.append(f"Ollama has it under {len(removal.called)} names, which all go: {', '.join(removal.called)}")
    return Deletion(model, owner_name(removal.source), files, freed, tuple(uses), in_cache)


def carry_out(paths: Paths, deletion: Deletion) -> None:
    """Delete it. Raises LibraryError, HubError."""
    if deletion.in_cache is not None:
        execute(deletion.in_cache)
    else:
        delete(deletion.files)
    forget(paths, deletion.files)


def _named_place(text: str, model: Model) -> Path:
    """The model's file, or the other name of it that a person wrote."""
    path = absolute(text.strip())
    others = [place.path for place in model.also]
    return path if path in others else model.path


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
