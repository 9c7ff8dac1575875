"""Folders as people write them, and the one where fetched models go. Cheap enough for a program that starts at once.

Nothing here is created or looked into.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tui.config.errors import ConfigError
from tui.config.files import read_text
from tui.config.paths import Paths


def absolute(text: str) -> Path:
    """A path as a person writes it, made absolute; links in it are kept."""
    # Path.expanduser raises for a user who does not exist.
    return Path(os.path.abspath(os.path.expanduser(text)))  # noqa: PTH100, PTH111


def hub_cache(environ: Mapping[str, str]) -> Path:
    """The Hugging Face cache, by the same variables as its own client."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name):
            return absolute(environ[name])
    if environ.get("HF_HOME"):
        return absolute(environ["HF_HOME"]) / "hub"
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return absolute(cache) / "huggingface" / "hub"


def model_folder(chosen: str, environ: Mapping[str, str]) -> Path:
    """Where fetched models go: the folder that the person chose (`downloads.folder`), else the Hugging Face cache."""
    return absolute(chosen) if chosen else hub_cache(environ)


def chosen_folder(paths: Paths) -> str:
    """`downloads.folder` as `load_config` will find it, read without msgspec; empty where it cannot be told."""
    try:
        text = read_text(paths.config_file)
    except ConfigError:
        return ""
    if text is None or "folder" not in text:
        return ""
    import tomllib  # a megabyte and some milliseconds, which most people's settings do not need

    try:
        section = tomllib.loads(text.removeprefix("\ufeff")).get("downloads")
    except (ValueError, RecursionError):
        return ""
    folder = section.get("folder") if isinstance(section, dict) else None
    return folder if isinstance(folder, str) else ""
