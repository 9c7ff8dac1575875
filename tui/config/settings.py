"""The person's settings as typed values, and the way in and out of `config.toml`.

Each field's docstring is what the example file says about it. Only types and the limits of puna's own numbers are
checked here; what llama.cpp can take is known, and checked, above. Reading never raises and never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tui.config.document import Document, read_document
from tui.config.errors import ConfigError, ConfigUsageError, nearest_of
from tui.config.fields import Field, Unparsable, WrongValue, convert, known_keys, parse_text, sections_of
from tui.config.files import locked, write_atomic
from tui.config.paths import Paths
from tui.config.reading import flat, read_struct


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of `config.toml`."""

    def values(self) -> dict[str, Any]:
        """Every key of this table with its value."""
        return msgspec.structs.asdict(self)


class UiSettings(_Section, frozen=True):
    """The screen."""

    theme: str = "puna"
    """Name of the theme, shipped or in the themes folder beside this file."""
    mouse: bool = True
    """Whether clicks and the wheel are taken; without, the terminal's own selection works as usual."""
    ascii: bool = False
    """Whether everything is drawn with ASCII characters only, for terminals that lack the others."""
    title: bool = True
    """Whether the terminal's title tells how far downloads are; afterwards it is as it was."""
    refresh: Annotated[int, Meta(ge=1, le=60)] = 25
    """How many times a second a growing answer is redrawn; lower it on a slow connection."""
    pictures: Literal["auto", "kitty", "blocks", "off"] = "auto"
    """Where there is 24-bit colour, auto shows images as true pictures in kitty and Ghostty, and kitty does so in any
    terminal (tmux needs allow-passthrough on); blocks, and auto elsewhere, are half blocks, off is names alone."""


class LoadDefaults(_Section, frozen=True):
    """How models are loaded, unless a model has its own settings in models.toml.

    The names are those of `tui.llama.settings.LoadSettings`.
    """

    n_gpu_layers: Literal["auto", "all"] | int = "auto"
    """Layers kept on GPUs, the output layer counted as one; auto takes as many as fit."""
    n_ctx: Literal["auto"] | int = "auto"
    """Context of one pane, in tokens; auto takes what fits, up to 8192 or what the model was trained with."""
    type_k: Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"] = "f16"
    """Type of the KV cache's keys; q8_0 takes about half the memory of f16."""
    type_v: Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"] = "f16"
    """Type of the KV cache's values; a quantized type needs flash attention."""
    flash_attn: Literal["auto", "on", "off"] = "auto"
    """Flash attention; auto lets llama.cpp decide for the device."""
    threads: Literal["auto"] | int = "auto"
    """Threads that compute; auto is the physical cores within this process's CPU quota."""
    devices: tuple[str, ...] = ()
    """llama.cpp's names of the devices to use, such as "CUDA0"; an empty list is all of them, "none" the CPU alone."""
    load_mode: Literal["none", "mmap"] = "none"
    """none reads the file into memory of its own; mmap maps it: a sooner start, and pages that can be dropped."""
    mlock: bool = False
    """Whether the weights are pinned in RAM, so that they are never swapped out."""
    mmproj: Literal["auto", "none"] = "auto"
    """auto lets a model see images where its projector lies beside it and memory allows; none leaves it out."""


class ChatDefaults(_Section, frozen=True):
    """Conversations: what a new one starts with, and how the next token is chosen."""

    system: str = ""
    """System prompt of a new conversation; empty is none."""
    max_tokens: Annotated[int, Meta(ge=0)] = 0
    """Longest answer, in tokens; 0 ends an answer only where the model or its context does."""
    temperature: float = 0.8
    """0 always takes the likeliest token; higher values wander more."""
    top_k: int = 40
    """Only the k likeliest tokens are considered; 0 is off."""
    top_p: float = 0.95
    """Only the likeliest tokens up to this probability, together, are considered; 1 is off."""
    min_p: float = 0.05
    """Tokens less likely than this share of the likeliest are dropped; 0 is off."""
    repeat_penalty: float = 1.0
    """Penalty on tokens already seen; 1 is off."""

    def sampling(self) -> dict[str, Any]:
        """The values that are sampling settings, under the names of `tui.llama.settings.SamplingSettings`."""
        return {name: value for name, value in self.values().items() if name not in ("system", "max_tokens")}


class LibrarySettings(_Section, frozen=True):
    """Models on this disk."""

    folders: tuple[str, ...] = ()
    """Folders that are searched for GGUF files, besides the Hugging Face cache and other programs' models; read in
    place, ~ is the home folder. The first is where imported models go."""


class DownloadSettings(_Section, frozen=True):
    """Models from the Hugging Face Hub."""

    parallel: Annotated[int, Meta(ge=1, le=8)] = 2
    """How many models are fetched at once."""
    limit_mib_s: Annotated[float, Meta(ge=0)] = 0.0
    """The most that all downloads together may take of the network, in MiB a second; 0 is no limit."""
    folder: str = ""
    """Folder for what is fetched, as org/name/file in it; empty is the Hugging Face cache, shared with other tools."""


class FinderSettings(_Section, frozen=True):
    """Models to be found."""

    patience_s: Annotated[float, Meta(ge=0)] = 120.0
    """Seconds that an answer of 300 words may take: models that are slower here are listed after those that are not,
    however large they are; 0 lists the largest first. A key in the finder (clear) takes it away for the time being."""


class FitSettings(_Section, frozen=True):
    """What automatic settings leave free."""

    margin_device_mib: Annotated[int, Meta(ge=0)] = 512
    """Kept free on each GPU, in MiB."""
    margin_host_mib: Annotated[int, Meta(ge=0)] = 1024
    """Kept free in RAM, in MiB."""
    min_n_ctx: Annotated[int, Meta(ge=0, le=4194304)] = 0
    """Context that automatic settings keep, in tokens, if need be with fewer layers on the GPU; 0 is 4096."""


class EngineSettings(_Section, frozen=True):
    """The process that runs llama.cpp."""

    nice: Annotated[int, Meta(ge=0, le=19)] = 10
    """How far it stands back for other programs, the screen among them; 0 is not at all."""
    saved_state_mib: Annotated[int, Meta(ge=0)] = 4096
    """Disk for what contexts hold of conversations that are not shown, in MiB, so that reopening one reads nothing
    again; the least recently used go first, 0 keeps none."""
    unload_after_min: Annotated[float, Meta(ge=0)] = 0.0
    """Minutes without a word after which a model leaves memory; 0 is never."""
    keep_warm: tuple[str, ...] = ()
    """Names of models that stay in memory all the same."""


class MonitorSettings(_Section, frozen=True):
    """The memory meter."""

    interval_s: Annotated[float, Meta(ge=0.2, le=10)] = 1.0
    """Seconds from one reading to the next in the workbench."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in `config.toml`."""

    ui: UiSettings = UiSettings()
    load: LoadDefaults = LoadDefaults()
    chat: ChatDefaults = ChatDefaults()
    library: LibrarySettings = LibrarySettings()
    downloads: DownloadSettings = DownloadSettings()
    finder: FinderSettings = FinderSettings()
    fit: FitSettings = FitSettings()
    engine: EngineSettings = EngineSettings()
    monitor: MonitorSettings = MonitorSettings()
    keys: dict[str, str] = {}
    """Keys of your own: the name of an action, and the key that does it (or several, divided by commas).

    The help (`?`) lists the actions. As in: quit = "ctrl+q"
    """


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """What counts now, and everything that is wrong in the file."""

    settings: Settings = field(default_factory=Settings)
    problems: tuple[ConfigError, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One key that was set: its value before (from the file or the default) and after."""

    key: str
    before: Any
    after: Any


def load_config(paths: Paths) -> LoadedConfig:
    """The person's settings. Never raises: a file that cannot be read gives the defaults and one problem, a wrong key
    its own default and one problem; no file gives the defaults."""
    try:
        document = _read(paths)
    except ConfigError as error:
        return LoadedConfig(problems=(error,))
    settings, problems = read_struct(Settings, document)
    return LoadedConfig(settings, problems)


def set_value(
    paths: Paths,
    dotted_key: str,
    text_value: str,
    *,
    check: Callable[[Settings, Settings], None] | None = None,
) -> Change:
    """Write one value, typed as text, into `config.toml`; comments, order and what another copy of puna wrote stay.

    `check` is called with the settings as they are and as they would become, and may raise to refuse. Raises
    ConfigUsageError for an unknown key and a text of the wrong type, ConfigError for a value outside its limits, a
    broken file (which is never written to) and a failed write.
    """
    target = _field(paths, dotted_key)
    value = _parse(paths, target, text_value)
    # Imported here because only a change needs the editor library.
    from tui.config.editing import with_value

    with locked(paths.config_file):
        document = _read(paths)
        before, _ = read_struct(Settings, document)
        path = _place(document, target)
        edited = with_value(document, path, list(value) if isinstance(value, tuple) else value)
        after = _with(before, target, value)
        if check is not None:
            check(before, after)
        if edited != document.mark + document.text:
            write_atomic(paths.config_file, edited.encode())
    return Change(dotted_key, _get(before, target), value)


def problem_at(paths: Paths, key: str, message: str, *, nearest: str = "", hint: str = "") -> ConfigError:
    """A problem that only an upper floor can see (a theme that is not there, a limit of llama.cpp's), with the line of
    that key in `config.toml`."""
    section, _, name = key.partition(".")
    found = sections_of(Settings)[section].field(name)
    try:
        document = read_document(paths.config_file)
        line = document.line_of(*(_place(document, found) if found else (section,)))
    except ConfigError:
        line = None
    return ConfigError(message, file=paths.config_file, line=line, key=key, nearest=nearest, hint=hint)


def _read(paths: Paths) -> Document:
    """The settings file; a break in an unknown key says which key was probably meant."""
    try:
        return read_document(paths.config_file)
    except ConfigError as error:
        known = known_keys(Settings)
        if error.key and error.key not in known:
            error.nearest = nearest_of(error.key, known)
        raise


def _field(paths: Paths, dotted_key: str) -> Field:
    section_name, _, name = dotted_key.partition(".")
    section = sections_of(Settings).get(section_name)
    found = section.field(name) if section else None
    if found is None:
        raise ConfigUsageError(
            "there is no such setting",
            file=paths.config_file,
            key=dotted_key,
            nearest=nearest_of(dotted_key, known_keys(Settings)),
            hint="`puna config show` lists them all.",
        )
    return found


def _parse(paths: Paths, target: Field, text: str) -> Any:
    kind: type[ConfigError] = ConfigUsageError
    try:
        (target.key + text).encode()
        return convert(target.annotation, parse_text(target.annotation, text))
    except UnicodeEncodeError:
        message = "expects UTF-8 text"
    except Unparsable as error:
        message = str(error)
    except WrongValue as error:
        kind, message = ConfigError, str(error)
    raise kind(message, file=paths.config_file, key=target.key, hint="Nothing was changed.")


def _place(document: Document, target: Field) -> tuple[str, ...]:
    """Where the key is written in the file: a free key with a dot in its name may stand there as a table in a table."""
    table = document.table.get(target.section)
    if isinstance(table, dict):
        for path, _ in flat(table):
            if ".".join(path) == target.name:
                return (target.section, *path)
    return (target.section, target.name)


def _get(settings: Settings, target: Field) -> Any:
    part = getattr(settings, target.section)
    return part.get(target.name) if isinstance(part, Mapping) else getattr(part, target.name)


def _with(settings: Settings, target: Field, value: Any) -> Settings:
    part = getattr(settings, target.section)
    changed = (
        {**part, target.name: value}
        if isinstance(part, Mapping)
        else msgspec.structs.replace(part, **{target.name: value})
    )
    return msgspec.structs.replace(settings, **{target.section: changed})
