"""What keys do in lists, and in what opens over the screen."""

from __future__ import annotations

from typing import Final

from tui.config.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action("cursor_up", "up", "Move up.", ("up", "k"), "list", palette=False),
    Action("cursor_down", "down", "Move down.", ("down", "j"), "list", palette=False),
    Action("page_up", "page up", "Move a page up.", ("pageup",), "list", palette=False),
    Action("page_down", "page down", "Move a page down.", ("pagedown",), "list", palette=False),
    Action("first", "first", "Move to the first row.", ("home", "g"), "list", palette=False),
    Action("last", "last", "Move to the last row.", ("end", "G"), "list", palette=False),
    Action("choose", "choose", "Take the selected row.", ("enter",), "list", footer=3, palette=False),
    Action("close", "close", "Close it.", ("escape",), "dialog", footer=3, palette=False),
)
