"""How one ends: the program, or what runs."""

from __future__ import annotations

import asyncio

from tui.app import clipboard
from tui.app.commands.part import Part

ONCE_MORE_S = 2.0
"""Two presses of ctrl+c within this time end the program."""


class End(Part):
    """Quitting, and ctrl+c."""

    _interrupted_at = float("-inf")

    async def quit(self) -> None:
        await self._desk.app.leave(0)

    async def interrupt(self) -> None:
        desk = self._desk
        selected = desk.app.screen.get_selected_text()
        if selected:
            desk.app.to_terminal(clipboard.sequence(selected))
            desk.app.screen.clear_selection()
            desk.app.notify("The selection was sent to the terminal's clipboard.", markup=False)
            return
        if self._commands.can("stop"):
            await self._commands.run("stop")
            return
        now = asyncio.get_running_loop().time()
        if now - self._interrupted_at < ONCE_MORE_S:
            await desk.app.leave(0)
            return
        self._interrupted_at = now
        desk.app.notify("Press ^c once more to end puna.", timeout=ONCE_MORE_S, markup=False)
