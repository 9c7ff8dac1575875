"""Where the panels stand: side by side from 160 columns on, one at a time below; the prompt is always there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.reactive import reactive

from tui.app.panels.chat.panel import ChatPanel
from tui.app.panels.library.panel import LibraryPanel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.widget import Widget

    from tui.app.panels.load.panel import LoadPanel
    from tui.app.panels.meter.panel import MeterPanel
    from tui.library import Model

View = Literal["library", "finder", "chat", "load", "meter", "downloads"]
"""What can be looked at. Each has a style class on `#panels`, from which the style sheets say what is shown."""


class Workbench(Container):
    """The panels under the meter."""

    view: reactive[View] = reactive("library", init=False)
    """The main panel where there is room for one only; the meter takes the place of all of them."""

    def __init__(self, models: Sequence[Model], view: View, meter: MeterPanel, prefer: str = "") -> None:
        super().__init__(id="panels", classes=f"-{view}")
        self.set_reactive(Workbench.view, view)
        self.library = LibraryPanel(models, prefer)
        """The list of models."""
        self.chat = ChatPanel()
        """The conversation."""
        self.load: LoadPanel | None = None
        """The load panel, while it is open."""
        self._meter = meter
        self._enter: dict[View, Callable[[], object]] = {
            "library": self.library.focus,
            "chat": self.chat.go,
            "meter": meter.focus,
        }
        self._before: View = view
        self._under_meter: View = view
        self._focus_under_meter: Widget | None = None

    def compose(self) -> ComposeResult:
        yield self.library
        yield self.chat

    def watch_view(self, old: View, new: View) -> None:
        self.remove_class(f"-{old}")
        self.add_class(f"-{new}")
        if new in ("library", "finder"):
            self.set_class(new == "finder", "-found")  # beside the chat there is the one that was looked at last
        if "meter" in (old, new):
            self._meter.full = new == "meter"
            if self._meter.has_focus and new != "meter":
                self.go(new)  # whoever showed that panel meant what a person looks at, not where the keys go

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """Something under the meter wants to be looked at, such as an engine that has stopped."""
        if self.view == "meter":
            self.view = self._under_meter

    def join(self, view: View, enter: Callable[[], object]) -> None:
        """A panel that is made after the first frame can be gone to from now on: `enter` puts the focus into it."""
        self._enter[view] = enter

    async def open_load(self, panel: LoadPanel) -> None:
        """Show a load panel, in place of one that is open."""
        if self.load is not None:
            await self.load.remove()
        else:
            self._before = self.view
        self.load = panel
        await self.chat.mount(panel, before="#talk")
        self.join("load", panel.fields.focus)
        self.view = "load"
        panel.fields.focus()

    async def close_load(self, then: View | None = None) -> None:
        """Take the load panel away and go to `then`, or to where the person was before."""
        panel, self.load = self.load, None
        if panel is not None:
            del self._enter["load"]
            await panel.remove()
            self.go(then or self._before)

    def go(self, view: View) -> None:
        """Show a panel and put the focus into it."""
        if view not in self._enter:
            view = "library"
        if view == "meter" != self.view:
            self._under_meter, self._focus_under_meter = self.view, self.screen.focused
        self.view = view
        self._enter[view]()

    def leave_meter(self) -> None:
        """Make room again for what the meter has covered, and go to where the keys went before."""
        if self.view == "meter":
            self.go(self._under_meter)
            before, self._focus_under_meter = self._focus_under_meter, None
            if before is not None and before.is_attached and before is not self._meter:
                before.focus()
