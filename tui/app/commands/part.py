"""What the parts of the commands have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.app.commands import Commands
    from tui.app.desk import Desk


class Part:
    """Some of the actions: a method for each, called as it is, and `can_<action>` where it is not always possible."""

    def __init__(self, desk: Desk, commands: Commands) -> None:
        self._desk, self._commands = desk, commands
