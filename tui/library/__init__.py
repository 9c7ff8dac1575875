"""Models on this disk, wherever another program put them. Files are read in place; they are copied,
moved, linked or deleted only where that is what a person asked for.

The names below are loaded when they are first used: the list for the first frame needs none of the scanner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.library.index import cached
    from tui.library.model import LibraryError, Model
    from tui.library.remembered import add
    from tui.library.scanner import look, scan
    from tui.library.single import entry_for
    from tui.library.watching import changed

__all__ = ["LibraryError", "Model", "add", "cached", "changed", "entry_for", "look", "scan"]

_HOMES = {
    "LibraryError": "model",
    "Model": "model",
    "add": "remembered",
    "cached": "index",
    "entry_for": "single",
    "look": "scanner",
    "changed": "watching",
    "scan": "scanner",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
