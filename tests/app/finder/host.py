"""An app of nothing but the finder panel, with the real keys and looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from textual.app import ComposeResult
from textual.message import Message
from textual.pilot import Pilot

from tests.rigs.screen import screen_lines
from tui.app.footer import KeyBar
from tui.app.keys import default_keymap, install
from tui.app.look import LookApp
from tui.app.panels.finder.panel import FinderPanel
from tui.app.themes import ThemeBook
from tui.config.paths import share

Kind = TypeVar("Kind", bound=Message)
STYLES = Path(__file__).parents[3] / "tui" / "app"


class Host(LookApp):
    """The app. `told` is what the panel asks for, in order."""

    CSS_PATH = [str(STYLES / "workbench.tcss"), str(STYLES / "after.tcss")]  # noqa: RUF012 - Textual's own type
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (16, "-usual"), (30, "-high")]  # noqa: RUF012

    def __init__(self, *, ascii_only: bool = False) -> None:
        super().__init__(ThemeBook(share("themes")), ascii_only=ascii_only)
        self.panel = FinderPanel()
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.panel
        yield KeyBar()

    def on_mount(self) -> None:
        self.panel.display = True
        keymap = default_keymap()
        install(self.panel, keymap, "finder", "list")
        install(self.panel.found, keymap, "list")
        install(self.panel.pane, keymap, "list")
        self.query_one(KeyBar).ready = True
        self.panel.go()

    async def _on_message(self, message: Message) -> None:
        """Keep what the panel asks for."""
        if type(message).__module__.startswith("tui.app.panels.finder"):
            self.told.append(message)
        await super()._on_message(message)

    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(screen_lines(self))


@asynccontextmanager
async def shown(size: tuple[int, int], *, ascii_only: bool = False) -> AsyncIterator[tuple[Host, Pilot[int]]]:
    """The panel in a terminal of this size."""
    app = Host(ascii_only=ascii_only)
    async with app.run_test(size=size) as pilot:
        yield app, pilot


def asked(app: Host, kind: type[Kind]) -> list[Kind]:
    """What the panel has asked for of one kind."""
    return [message for message in app.told if isinstance(message, kind)]
