"""The meter on top of the screen: for every GPU and for RAM what others use, what we use, the ghost of the selected
model, and what is free. One drawn widget; it repaints only when a number that it shows has changed.
"""

from __future__ import annotations

import math
from itertools import zip_longest

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.meter.gauges import RAM, Gauge, Meter
from tui.app.text import GIB, fit, gib

NAME = 7
"""Cells of a card's name where there is room."""
NO_BAR = 16
"""Below so many cells a gauge is only its numbers."""
RAM_SHARE = 0.36
"""Part of the line that RAM gets beside GPUs."""


class MeterStrip(Drawn):
    """The strip. Give it a Meter with `show`."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(id="meter")
        self._meter = meter
        self._lines: list[Strip] = []
        self._text: list[str] = []

    @property
    def meter(self) -> Meter:
        """What is shown."""
        return self._meter

    def show(self, meter: Meter) -> None:
        """Show other numbers."""
        if meter == self._meter:
            return
        self._meter, self._lines = meter, []
        self._arrange()
        before = self._text
        self._drawn()
        if self._text != before:
            self.refresh()

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self, _event: events.Resize) -> None:
        self._lines = []
        self._arrange()

    def notify_style_update(self) -> None:
        self._lines = []
        super().notify_style_update()

    def _arrange(self) -> None:
        height = self._height()
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height

    def _height(self) -> int:
        """Lines that the strip takes: one in a small terminal, else one a GPU up to a sixth of the screen."""
        width, height = self.app.size
        cards = len(self._meter.gauges) - 1
        return 1 if height < 16 or width < 60 else max(1, min(cards, height // 6))

    def render_line(self, y: int) -> Strip:
        lines = self._drawn()
        return lines[y] if y < len(lines) else Strip.blank(self.size.width, self.pen())

    def _drawn(self) -> list[Strip]:
        if not self._lines and self.size.width:
            self._lines = self._draw()
            self._text = [strip.text for strip in self._lines]
        return self._lines

    def _draw(self) -> list[Strip]:
        width, lines = self.size.width, self._height()
        cards = [gauge for gauge in self._meter.gauges if gauge.key != RAM]
        ram = next((gauge for gauge in self._meter.gauges if gauge.key == RAM), None)
        brand = [Segment(" puna ", self.pen("accent", "bold")), Segment("  ", self.pen())] if width >= 100 else []
        margin = sum(cell_len(segment.text) for segment in brand) or 1
        busy = self._busy(width)
        inner = width - margin - (cell_len(busy) + 1)
        per_line = math.ceil(len(cards) / lines) if cards else 0
        if lines == 1:  # everything side by side
            ram_width = inner if not cards else max(inner // (per_line + 1), 0)
        else:
            ram_width = round(inner * RAM_SHARE)
        card_width = (inner - ram_width) // per_line if per_line else 0
        rows = [cards[at * per_line : (at + 1) * per_line] for at in range(lines)]
        words = self._aligned(rows, card_width - 2)
        strips = []
        for at, row in enumerate(rows):
            line = list(brand) if at == 0 and brand else [Segment(" " * margin, self.pen())]
            for gauge in row:
                line += [*self._gauge(gauge, card_width - 2, words[gauge.key]), Segment("  ", self.pen())]
            if at == 0 and ram is not None:
                used = sum(cell_len(segment.text) for segment in line)
                room = width - used - cell_len(busy) - 1
                line += self._gauge(ram, room, self._words(ram, room - len(RAM)))
                line += [Segment(f"{busy} ", self.pen("muted"))]
            strips.append(self.line(line, width))
        return strips

    def _aligned(self, rows: list[list[Gauge]], width: int) -> dict[str, str]:
        """The words of each card, those below one another of one width, so that their bars line up."""
        words = {gauge.key: self._words(gauge, width - NAME) for row in rows for gauge in row}
        for column in zip_longest(*rows):
            gauges = [gauge for gauge in column if gauge is not None]
            widest = max(cell_len(words[gauge.key]) for gauge in gauges)
            for gauge in gauges:
                words[gauge.key] = words[gauge.key].ljust(widest)
        return words

    def _busy(self, width: int) -> str:
        return f"   cpu {self._meter.cpu:>3} %" if width >= 100 and self._meter.cpu is not None else ""

    def _gauge(self, gauge: Gauge, width: int, words: str) -> list[Segment]:
        """One gauge in exactly `width` cells: name, bar, words."""
        if gauge.error or not gauge.total:
            text = fit(f"{gauge.name} {gauge.error or self.glyphs.ellipsis}", width, self.glyphs.ellipsis)
            return [Segment(text, self.pen("warning" if gauge.error else "faint"))]
        if width < NO_BAR:
            text = f"{gauge.name[:4].strip()} {gauge.used / GIB:.0f}/{gauge.total / GIB:.0f}"
            return [Segment(fit(text, width, self.glyphs.ellipsis), self.pen("foreground"))]
        room = NAME if width >= 24 and gauge.key != RAM else min(cell_len(gauge.name), max(3, width // 3))
        name = fit(gauge.name, room, self.glyphs.ellipsis)
        bar = width - cell_len(name) - cell_len(words) - 2
        if bar < 4:
            words, bar = "", width - cell_len(name) - 1
        tight = gauge.ghost > 0 and gauge.left < 0
        return [
            Segment(f"{name} ", self.pen("muted")),
            *self.bar(gauge, max(0, bar)),
            Segment(f" {words}" if words else "", self.pen("error" if tight else "foreground")),
        ]

    def _words(self, gauge: Gauge, width: int) -> str:
        """Numbers for `width` cells. The ghost is an estimate, and marked as one."""
        used, total = gib(gauge.used), gib(gauge.total)
        if width < 34:
            return f"{gauge.used / GIB:.0f}/{gauge.total / GIB:.0f}"
        extra = f"  {gauge.utilization:>3} %" if gauge.utilization is not None else ""
        if gauge.ghost:
            left = f"{'-' if gauge.left < 0 else ''}{gib(abs(gauge.left))}"
            if width < 60:
                return f"{used}+~{gib(gauge.ghost)}{self.glyphs.goes_to}{left} GiB{extra}"
            words = f"{used} + ~{gib(gauge.ghost)} {self.glyphs.goes_to} {left} free GiB{extra}"
        elif width < 60:
            return f"{used} of {total} GiB{extra}"
        else:
            words = f"{used} of {total} GiB, {gib(gauge.free)} free{extra}"
        degrees = "C" if self.glyphs.ascii else "°"
        return words + (f"  {gauge.temperature_c}{degrees}" if gauge.temperature_c is not None else "")

    def bar(self, gauge: Gauge, width: int) -> list[Segment]:
        """Used by others, ours, the ghost, free: in this order, with a cell for whatever is there at all."""
        parts = [
            (gauge.used - gauge.ours, self.glyphs.used, "meter-used"),
            (gauge.ours, self.glyphs.ours, "meter-ours"),
            (min(gauge.ghost, max(0, gauge.free)), self.glyphs.ghost, "meter-ghost" if gauge.left >= 0 else "error"),
        ]
        segments, done = [], 0
        for amount, sign, color in parts:
            if amount <= 0:
                continue
            cells = min(width - done, max(1, round(width * amount / gauge.total)))
            segments.append(Segment(sign * cells, self.pen(color)))
            done += cells
        segments.append(Segment(self.glyphs.free * (width - done), self.pen("meter-free")))
        return segments
