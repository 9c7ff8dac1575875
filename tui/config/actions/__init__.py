"""Everything that a key can do, in one table: what [keys] in config.toml may name, with the default keys. The key
bindings, the footer, the palette and the help of the workbench all follow from it.

A plain key works wherever letters are not being typed; each action that is wanted while typing has a control or
function key too. Not used: ctrl+a and ctrl+b (screen and tmux), ctrl+h, ctrl+i, ctrl+j, ctrl+m (backspace, tab,
newline, enter) and combinations that only some terminals can tell apart (shift+enter, ctrl+enter, ctrl+tab). It is
data alone, and imports nothing.
"""

from __future__ import annotations

from typing import Final

from tui.config.actions import (
    chat,
    conversations,
    downloads,
    everywhere,
    finder,
    library,
    lists,
    load,
    meter,
    split,
)
from tui.config.actions.action import COMMANDS, GROUP_TITLES, TOGETHER, Action, Group

__all__ = ["ACTIONS", "BY_ID", "COMMANDS", "FOOTER", "GROUP_TITLES", "TOGETHER", "Action", "Group"]

ACTIONS: Final[tuple[Action, ...]] = (
    *everywhere.ACTIONS,
    *chat.ACTIONS,
    *split.ACTIONS,
    *lists.ACTIONS,
    *library.ACTIONS,
    *finder.ACTIONS,
    *load.ACTIONS,
    *downloads.ACTIONS,
    *meter.ACTIONS,
    *conversations.ACTIONS,
)

BY_ID: Final[dict[str, Action]] = {action.id: action for action in ACTIONS}
FOOTER: Final = tuple(sorted((action for action in ACTIONS if action.footer), key=lambda action: action.footer))
"""The actions that the footer may show, the most wanted first."""
