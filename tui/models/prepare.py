"""Gathers what a load plan needs, for both front ends: what is kept for the model, its header, and the machine as it
is now.

Reads files, so a front end with a screen calls it in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.config.model_file import read_models
from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.engine.registry import running
from tui.fit.values import Margins
from tui.gguf.header import GgufError, Header, read_header
from tui.hardware.snapshot import Snapshot
from tui.hardware.watch import FIRST_S, Watch
from tui.library import Model
from tui.llama.settings import LoadSettings
from tui.models.plan import ModelFacts, resolve, wished_settings


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a model is going to be loaded."""

    wished: LoadSettings
    """As asked for, "auto" still in it."""
    settings: LoadSettings
    """With numbers, for this machine as it was a moment ago."""


def wished_for(paths: Paths, model: Model, settings: Settings, flags: Mapping[str, Any] | None = None) -> LoadSettings:
    """What flags, models.toml and config.toml together ask for. Raises SettingsError."""
    kept = read_models(paths)[0].get(model.identity, {})
    return wished_settings(flags or {}, kept, settings.load.values())


def prepare(
    paths: Paths,
    model: Model,
    settings: Settings,
    *,
    flags: Mapping[str, Any] | None = None,
    wished: LoadSettings | None = None,
) -> Prepared:
    """Plan the load of `model` for the machine as it is now; `wished` replaces what is kept for it. Raises
    SettingsError.
    """
    if wished is None:
        wished = wished_for(paths, model, settings, flags)
    facts = ModelFacts(model.file_bytes, header_of(model.path))
    margins = Margins(settings.fit.margin_device_mib << 20, settings.fit.margin_host_mib << 20)
    return Prepared(wished, resolve(wished, facts, look(paths), margins))


def look(paths: Paths) -> Snapshot:
    """The machine now, with this user's engines known as theirs. A driver that hangs is waited for a few seconds, then
    done without.
    """
    watch = Watch()
    try:
        return watch.sample([engine.pid for engine in running(paths.engines_dir)], wait_s=FIRST_S)
    finally:
        watch.close()


def header_of(path: Path) -> Header | None:
    """The file's header, or None where it cannot be read; llama.cpp says why when the file is loaded."""
    try:
        return read_header(path)
    except GgufError:
        return None
