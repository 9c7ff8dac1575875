"""The last line of the screen: the keys that work right now, most wanted first, as many as there is room for.

It is empty in the first frame, which is drawn before the action table is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip

from tui.app.look import Drawn

if TYPE_CHECKING:
    from tui.config.actions import Action

_ALWAYS = "palette"


class KeyBar(Drawn):
    """The footer. It asks Textual which bindings are active, so it never shows a key that does nothing."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self.ready = False
        """True once the keys are installed."""
        self._note = ""
        self._places: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.refresh())
        self.app.screen_change_signal.subscribe(self, lambda _screen: self.refresh())

    @property
    def note(self) -> str:
        """What is said at the right end, wherever one is: how far downloads are."""
        return self._note

    @note.setter
    def note(self, note: str) -> None:
        if note != self._note:
            self._note = note
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if not self.ready:
            return Strip.blank(width, self.pen())
        room = width - cell_len(self._note) - 1 if self._note else width
        segments = self._keys(room)
        if not self._note:
            return self.line(segments, width)
        self._places.append((room, width, "downloads"))
        return Strip([*self.line(segments, room), Segment(f"{self._note} ", self.pen("accent"))])

    def _keys(self, width: int) -> list[Segment]:
        """The keys, and where they stand."""
        shown = self._choose(width)
        segments, self._places, x = [Segment(" ", self.pen())], [], 1
        for key, action in shown:
            end = x + cell_len(key) + 1 + cell_len(action.title)
            self._places.append((x, end, action.id))
            segments += [
                Segment(key, self.pen("accent")),
                Segment(f" {action.title}", self.pen("muted")),
                Segment("  ", self.pen()),
            ]
            x = end + 2
        return segments

    def _choose(self, width: int) -> list[tuple[str, Action]]:
        """(key, action) in order, as many as fit; the palette, where the rest is found, always among them."""
        from tui.config.actions import BY_ID, FOOTER

        keys = self._active_keys()
        left = width - 1 - (self._cost(keys[_ALWAYS], BY_ID[_ALWAYS]) if _ALWAYS in keys else 0)
        shown = []
        for action in FOOTER:
            if action.id not in keys or action.id == _ALWAYS:
                continue
            left -= self._cost(keys[action.id], action)
            if left < 0:
                break
            shown.append((keys[action.id], action))
        if _ALWAYS in keys:
            shown.append((keys[_ALWAYS], BY_ID[_ALWAYS]))
        return shown

    def _active_keys(self) -> dict[str, str]:
        """The first key of each action that would do something now."""
        from tui.app.keys import show_key

        ascii_only = self.glyphs.ascii
        keys: dict[str, str] = {}
        for key, active in self.app.screen.active_bindings.items():
            if active.enabled and active.binding.id and active.binding.id not in keys:
                keys[active.binding.id] = show_key(key, ascii_only)
        return keys

    @staticmethod
    def _cost(key: str, action: Action) -> int:
        return cell_len(key) + 1 + cell_len(action.title) + 2

    async def on_click(self, event: events.Click) -> None:
        for start, end, action_id in self._places:
            if start <= event.x < end:
                for active in self.app.screen.active_bindings.values():
                    if active.binding.id == action_id:
                        await self.app.run_action(active.binding.action, active.node)
                        return
