"""A terminal too small for the workbench: one calm line, and everything as it was once there is room again.

The line covers the panels instead of hiding them, since what is hidden loses the focus.
"""

from __future__ import annotations

from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

LEAST_WIDTH, LEAST_HEIGHT = 40, 10


async def show_small(screen: Screen[object], width: int, height: int, times: str = "×") -> None:
    """Show or take away the line; `times` stands between the two numbers."""
    shown = screen.query("#small")
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        if not shown:
            await screen.mount(Static(Content(f"too small (needs {LEAST_WIDTH}{times}{LEAST_HEIGHT})"), id="small"))
    elif shown:
        await shown.remove()
