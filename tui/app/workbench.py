"""Where the panels stand: side by side from 160 columns on, one at a time below; the prompt is always there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.reactive import reactive

from tui.app.panels.chat.panel import ChatPanel
from tui.app.panels.library.panel import LibraryPanel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app.panels.load.panel import LoadPanel
    from tui.library import Model

View = Literal["library", "chat", "load"]


class Workbench(Container):
    """The panels under the meter."""

    view: reactive[View] = reactive("library")
    """The main panel where there is room for one only."""

    def __init__(self, models: Sequence[Model], view: View) -> None:
        super().__init__(id="panels")
        self._models = models
        self.set_reactive(Workbench.view, view)
        self._before: View = view

    def compose(self) -> ComposeResult:
        yield LibraryPanel(self._models)
        with Vertical(id="right"):
            yield ChatPanel()

    def on_mount(self) -> None:
        self.add_class(f"-{self.view}")

    def watch_view(self, old: View, new: View) -> None:
        self.remove_class(f"-{old}")
        self.add_class(f"-{new}")

    @property
    def library(self) -> LibraryPanel:
        """The list of models."""
        return self.query_one(LibraryPanel)

    @property
    def chat(self) -> ChatPanel:
        """The conversation."""
        return self.query_one(ChatPanel)

    @property
    def load(self) -> LoadPanel | None:
        """The load panel, while it is open."""
        found = self.query("#load")
        return found.first() if found else None  # type: ignore[return-value]

    async def open_load(self, panel: LoadPanel) -> None:
        """Show a load panel, in place of one that is open."""
        if self.load is not None:
            await self.load.remove()
        else:
            self._before = self.view
        await self.query_one("#right").mount(panel, before="#chat")
        self.view = "load"
        panel.fields.focus()

    async def close_load(self, then: View | None = None) -> None:
        """Take the load panel away and go to `then`, or to where the person was before."""
        panel = self.load
        if panel is None:
            return
        await panel.remove()
        self.go(then or self._before)

    def go(self, view: View) -> None:
        """Show a panel and put the focus into it."""
        if view == "load" and self.load is None:
            view = "library"
        self.view = view
        if view == "library":
            self.library.list.focus()
        elif view == "chat":
            self.chat.go()
        elif self.load is not None:
            self.load.fields.focus()
