"""What a person asked for: flags over what is kept for a model, over the defaults of config.toml; "auto" stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from tui.llama.settings import LoadSettings, SamplingSettings, SettingsError

_LOAD_FIELDS = frozenset(field.name for field in msgspec.structs.fields(LoadSettings))
Settings = TypeVar("Settings", LoadSettings, SamplingSettings)


def wished_settings(flags: Mapping[str, Any], kept: Mapping[str, Any], defaults: Mapping[str, Any]) -> LoadSettings:
    """The load settings by precedence. Keys that are no load settings are left out of `kept` and `defaults`.

    Raises SettingsError naming the first value that cannot be.
    """
    merged = {
        **{name: value for name, value in defaults.items() if name in _LOAD_FIELDS},
        **{name: value for name, value in kept.items() if name in _LOAD_FIELDS},
        **{name: value for name, value in flags.items() if value is not None},
    }
    return _converted(merged, LoadSettings)


def sampling(flags: Mapping[str, Any], defaults: Mapping[str, Any]) -> SamplingSettings:
    """Sampling settings: flags over the person's defaults. Raises SettingsError."""
    merged = {**defaults, **{name: value for name, value in flags.items() if value is not None}}
    return _converted(merged, SamplingSettings)


def _converted(values: Mapping[str, Any], kind: type[Settings]) -> Settings:
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, SettingsError):
            raise error.__cause__ from None
        raise _as_settings_error(error) from error


def _as_settings_error(error: msgspec.ValidationError) -> SettingsError:
    """msgspec's "Expected `int`, got `str` - at `$.n_ctx`" as an error that names the setting."""
    what, _, where = str(error).partition(" - at `$.")
    name = where.rstrip("`")
    allowed = _words(get_type_hints(LoadSettings).get(name)) if what.startswith("Invalid enum value") else ()
    if allowed:
        what = f"{what.removeprefix('Invalid enum value ')} is none of {', '.join(allowed)}"
    return SettingsError(name or "settings", what)


def _words(hint: Any) -> tuple[str, ...]:
    """The values of a type of choices; of a number among them, that it is one."""
    if hint is int:
        return ("a whole number",)
    inner = get_args(hint)
    return tuple(word for one in inner for word in _words(one)) if inner else (str(hint),)
