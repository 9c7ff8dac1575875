"""Presets: a system prompt and how tokens are chosen, as TOML files that can be shared.

Four are shipped beside this module; a file of a person's own hides a shipped one of the same name. A broken file is
told of, with the line, and left out; nothing here ever writes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from tui.chat.values import PresetChoice
from tui.config.document import Document, read_document
from tui.config.errors import ConfigError
from tui.config.reading import read_struct
from tui.llama.settings import SamplingSettings, SettingsError

SHIPPED: Final = Path(__file__).parent
_ORDER: Final = ("chat", "writing", "code", "reasoning")
"""The shipped ones, as they are listed; a person's own follow by name."""
_LEFT_OUT: Final = "Correct it; until then this preset is left out."


class _About(msgspec.Struct, frozen=True):
    """The table [preset]."""

    about: str = ""
    system: str = ""


class _Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """The table [sampling]. The names are those of `tui.llama.settings.SamplingSettings`, which knows their limits."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 0.0
    min_p: float = 0.0
    repeat_penalty: float = 0.0
    repeat_last_n: int = 0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 0.0
    dry_allowed_length: int = 0
    dry_penalty_last_n: int = 0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.0
    seed: int = 0


class _File(msgspec.Struct, frozen=True):
    """What a preset's file may hold."""

    preset: _About = msgspec.field(default_factory=_About)
    sampling: _Sampling = msgspec.field(default_factory=_Sampling)


@dataclass(frozen=True, slots=True)
class Preset:
    """One preset."""

    name: str
    """The file's name without its ending."""
    about: str = ""
    """What it is for, in a few words."""
    system: str = ""
    """System prompt; empty is none."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """The sampling settings that the file names; the others are the person's usual ones."""

    @property
    def choice(self) -> PresetChoice:
        """What a conversation keeps of it."""
        return PresetChoice(self.name, self.sampling)


def read_presets(own: Path | None, shipped: Path = SHIPPED) -> tuple[tuple[Preset, ...], tuple[ConfigError, ...]]:
    """All presets that can be used, and what is wrong with the others. `own` is the person's folder, which need not
    exist. Never raises."""
    files = {path.stem: path for folder in (shipped, own) if folder is not None for path in _files(folder)}
    names = [*(name for name in _ORDER if name in files), *sorted(set(files) - set(_ORDER))]
    presets: list[Preset] = []
    problems: list[ConfigError] = []
    for name in names:
        try:
            presets.append(read_preset(files[name]))
        except ConfigError as error:
            problems.append(error)
    return tuple(presets), tuple(problems)


def read_preset(file: Path) -> Preset:
    """One preset. Raises ConfigError for the first thing that is wrong with it."""
    document = read_document(file)
    read, problems = read_struct(_File, document)
    if problems:
        problems[0].hint = _LEFT_OUT
        raise problems[0]
    given = {name: getattr(read.sampling, name) for name in document.table.get("sampling", {})}
    try:
        SamplingSettings(**given)
    except SettingsError as error:
        raise _out_of_limits(document, error) from error
    return Preset(file.stem, read.preset.about, read.preset.system.strip(), given)


def _out_of_limits(document: Document, error: SettingsError) -> ConfigError:
    return ConfigError(
        str(error).removeprefix(f"{error.setting}: "),
        file=document.file,
        line=document.line_of("sampling", error.setting),
        key=f"sampling.{error.setting}",
        hint=_LEFT_OUT,
    )


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml" and not path.name.startswith("."))
    except OSError:
        return []
