"""The fields of the load panel, drawn: name, value, what a load makes of it, and a hint for the one under the cursor.

It scrolls with the cursor where there are more fields than lines. Digits are typed into numbers; every other key is the
panel's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.load.fields import Limits
from tui.app.panels.load.form import Form
from tui.app.text import fit

ROOMY = 60
"""Cells from which labels and values have all the room they like."""
_LABEL, _VALUE = 18, 22
_NARROW_LABEL = 13
_LEAST_HINT = 12


class LoadFields(Drawn, can_focus=True):
    """The fields."""

    @dataclass
    class Changed(Message):
        """Another value, or another field."""

        form: Form

    def __init__(self, form: Form) -> None:
        super().__init__(id="fields")
        self._form = form
        self._loaded: Mapping[str, Any] = {}
        self._stale = False

    @property
    def form(self) -> Form:
        """The values."""
        return self._form

    @form.setter
    def form(self, form: Form) -> None:
        if form != self._form:
            self._form = form
            self.refresh()
            self.post_message(self.Changed(form))

    def know(self, limits: Limits) -> None:
        """More is known of what can be set; what is set stays."""
        self._form = self._form.within(limits)
        self.refresh()

    def show_loaded(self, loaded: Mapping[str, Any], *, stale: bool = False) -> None:
        """What a load makes of each value, by name; `stale` where that was said of other values."""
        if (loaded, stale) != (self._loaded, self._stale):
            self._loaded, self._stale = loaded, stale
            self.refresh()

    @property
    def loaded(self) -> Mapping[str, Any]:
        """What a load makes of each value."""
        return self._loaded

    def on_resize(self, _event: events.Resize) -> None:
        self.refresh()

    @property
    def _first(self) -> int:
        """The first field on the screen: the cursor stays in sight, in the middle where it can."""
        hidden = max(0, len(self._form.fields) - self.size.height)
        return max(0, min(hidden, self._form.at - self.size.height // 2))

    def render_line(self, y: int) -> Strip:
        at, width, form, glyphs = y + self._first, self.size.width, self._form, self.glyphs
        if at >= len(form.fields):
            return Strip.blank(width, self.pen())
        one, here = form.fields[at], at == form.at
        on = "surface" if here else ""
        value = form.values[one.name]
        label = one.label if width >= ROOMY else one.label.replace("attention", "attn").replace(" cache", "")
        label_cells = _LABEL if width >= ROOMY else _NARROW_LABEL
        value_cells = _VALUE if width >= ROOMY else max(4, width - label_cells - 6)
        shown, becomes = one.shown(value), self._becomes(at)
        left, right = (glyphs.left, glyphs.right) if here else (" ", " ")
        color = "muted" if value == one.automatic else "foreground"
        if cell_len(shown + becomes) > value_cells:
            becomes = ""
        segments = [
            Segment(f"{glyphs.pointer if here else ' '} ", self.pen("accent", on=on)),
            Segment(fit(label, label_cells), self.pen("foreground" if here else "muted", on=on)),
            Segment(f"{left} ", self.pen("accent", on=on)),
            Segment(fit(shown, min(cell_len(shown), value_cells)), self.pen(color, "bold" if here else "", on=on)),
            Segment(fit(becomes, value_cells - min(cell_len(shown), value_cells)), self.pen("faint", on=on)),
            Segment(f" {right}", self.pen("accent", on=on)),
        ]
        room = width - sum(cell_len(segment.text) for segment in segments)
        hint = form.hint() if here and room > _LEAST_HINT else ""
        segments.append(Segment(fit(f"  {hint}", room, glyphs.ellipsis), self.pen("muted", on=on)))
        return self.line(segments, width)

    def _becomes(self, at: int) -> str:
        one = self._form.fields[at]
        if one.name not in self._loaded:
            return ""
        words = one.comes_to(self._form.values[one.name], self._loaded[one.name], self._form.limits)
        sign = self.glyphs.ellipsis if self._stale else self.glyphs.goes_to
        return f" {sign} {words}" if words else ""

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character.isdigit() and event.character.isascii():
            event.stop()
            self.form = self.form.digit(event.character)

    def on_click(self, event: events.Click) -> None:
        at = event.y + self._first
        if at < len(self.form.fields):
            self.form = self.form.move(at - self.form.at)
