"""The few settings that the first frame needs, read without msgspec, which would cost that frame 20 ms.

Says nothing about problems and never raises: a value that cannot be used is its default here, and `load_config`, after
the first frame, tells what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.config.errors import ConfigError
from tui.config.files import read_text
from tui.config.paths import Paths


@dataclass(frozen=True, slots=True)
class Glance:
    """The fields of these names in `tui.config.settings.UiSettings`, and the table of keys."""

    theme: str = "puna"
    mouse: bool = True
    ascii: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)


def glance(paths: Paths) -> Glance:
    """Theme, mouse, ASCII and keys as `load_config` will find them."""
    try:
        text = read_text(paths.config_file)
    except ConfigError:
        return Glance()
    if text is None:
        return Glance()
    import tomllib  # 7 ms that a person without a settings file does not wait for

    try:
        table = tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return Glance()
    ui = table.get("ui")
    known = {"theme": str, "mouse": bool, "ascii": bool}
    chosen = {name: ui[name] for name, kind in known.items() if isinstance(ui, dict) and type(ui.get(name)) is kind}
    return Glance(**chosen, keys=_texts(table.get("keys"), ""))


def _texts(table: Any, prefix: str) -> dict[str, str]:
    """The texts of a table by name; the name `chat.stop` without quotes is a table in a table."""
    found: dict[str, str] = {}
    for name, value in table.items() if isinstance(table, dict) else ():
        if isinstance(value, dict):
            found |= _texts(value, f"{prefix}{name}.")
        elif isinstance(value, str):
            found[prefix + name] = value
    return found
