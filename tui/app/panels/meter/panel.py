"""The meter: one widget that draws itself, in the form that its space allows. On top of the screen it is one line or a
strip; a key opens it to the full picture, with histories, processes and engines.

It repaints only the lines that have changed, and measures nothing: `sampled` brings what was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.meter.strip import Shown, shown, strip_height, strip_lines
from tui.hardware.history import History
from tui.hardware.meter.gauges import Gauge
from tui.hardware.meter.marks import ASCII, UNICODE, Line, Marks

if TYPE_CHECKING:
    from tui.hardware.meter.frame import Scene
    from tui.hardware.meter.holders import RunningEngine
    from tui.hardware.snapshot import Snapshot

FEW = 4
"""Rows of processes, the one that counts the rest among them, until somebody wants to see all."""
_PENS: Mapping[str, tuple[str, str]] = {
    "": ("foreground", ""),
    "name": ("foreground", "bold"),
    "brand": ("accent", "bold"),
    "head": ("faint", ""),
    "dim": ("muted", ""),
    "others": ("meter-used", ""),
    "ours": ("meter-ours", ""),
    "ghost": ("meter-ghost", ""),
    "free": ("meter-free", ""),
    "graph": ("meter-used", ""),
    "mine": ("meter-ours", ""),
    "warn": ("warning", ""),
    "bad": ("error", ""),
}
"""Colour of the theme, and attributes, of every role."""


class MeterPanel(Drawn):
    """The meter. `first` are the gauges of the first frame, RAM last."""

    @dataclass
    class Closed(Message):
        """The full form is to close."""

    @dataclass
    class Paced(Message):
        """Another time from one look to the next is wanted."""

        interval_s: float

    def __init__(self, first: Sequence[Gauge] = ()) -> None:
        super().__init__(id="meter")
        self._shown = Shown((first[:-1],), first[-1]) if first else Shown()
        self._history = History()
        self._scene: Scene | None = None
        self._latest: tuple[Snapshot, tuple[RunningEngine, ...]] | None = None
        self._ghost: Mapping[str, int] = {}
        self._lines: list[Line] | None = None
        self._strips: list[Strip] = []
        self._full = self._paused = self._expanded = False
        self.interval_s = 1.0
        """Seconds from one look to the next, as it is told."""

    # ---- what is shown

    def sampled(
        self,
        snapshot: Snapshot,
        engines: Sequence[RunningEngine] = (),
        ghost: Mapping[str, int] | None = None,
    ) -> None:
        """Memory was measured. `ghost` is bytes that the selected model would add, by the key of a GPU or RAM."""
        self._history.note(snapshot)
        self._latest = snapshot, tuple(engines)
        self.show_ghost(ghost or {})

    def show_ghost(self, ghost: Mapping[str, int]) -> None:
        """Another model is selected, or its settings have changed."""
        self._ghost = ghost
        if self._latest is None:
            return
        if self._scene is None:
            from tui.hardware.meter.frame import Scene  # not needed for the first frame

            self._scene = Scene(self._latest[0], history=self._history)
        scene = self._scene
        if self._paused:
            return
        scene.snapshot, scene.engines = self._latest
        scene.ghost = ghost
        self._shown = shown(scene.snapshot, ghost, self._marks)
        self._arrange()
        self._draw()

    @property
    def full(self) -> bool:
        """Whether it has the screen for itself, and shows everything."""
        return self._full

    @full.setter
    def full(self, full: bool) -> None:
        self._full = self.can_focus = full
        self._lines = None
        if not full and self._paused:
            self.action_meter_pause()  # a strip that stands still would be taken for the truth
        self._arrange()
        self.refresh()

    # ---- size

    def on_mount(self) -> None:
        self._arrange()

    def on_resize(self, _event: events.Resize) -> None:
        self._lines = None
        self._arrange()

    def notify_style_update(self) -> None:
        self._lines = None
        super().notify_style_update()

    def _arrange(self) -> None:
        """Take the height that the form wants."""
        wanted = "1fr" if self._full else strip_height(len(self._shown.gpus[0]), *self.app.size)
        if self.styles.height is None or str(self.styles.height) != str(wanted):
            self.styles.height = wanted

    # ---- drawing

    @property
    def _marks(self) -> Marks:
        return ASCII if self.glyphs.ascii else UNICODE

    def render_line(self, y: int) -> Strip:
        if self._lines is None:
            self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.pen())

    def _draw(self) -> None:
        """Draw anew what is different, and ask for just that to be painted."""
        width, height = self.size
        if not width or not height:
            return
        before, lines = self._lines, self._picture(width, height)
        self._lines = lines
        if before is None or len(before) != len(lines):
            self._strips = [self._strip(line) for line in lines]
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, lines, strict=True)) if old != new]
        for y in changed:
            self._strips[y] = self._strip(lines[y])
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def _picture(self, width: int, height: int) -> list[Line]:
        if not self._full or self._scene is None:
            return strip_lines(self._shown, width, height if not self._full else 1, self._marks, self._history)
        from tui.hardware.meter.frame import frame

        scene, marks = self._scene, self._marks
        pace = f"by {scene.order} {marks.dot} every {self.interval_s:g} s"
        scene.processes = None if self._expanded else FEW
        scene.state = f"paused {marks.dot} {pace}" if self._paused else pace
        return frame(scene, width, height, marks)

    def _strip(self, line: Line) -> Strip:
        return self.line([Segment(text, self.pen(*_PENS[role])) for text, role in line if text])

    # ---- keys

    async def on_click(self) -> None:
        if not self._full:
            await self.app.run_action("app.do('meter')")

    def action_close_meter(self) -> None:
        self.post_message(self.Closed())

    def action_meter_pause(self) -> None:
        self._paused = not self._paused
        if self._scene is not None:
            self._scene.history = self._history.copy() if self._paused else self._history
        self.show_ghost(self._ghost)
        self._draw()

    def action_meter_sort(self) -> None:
        from tui.hardware.meter.holders import ORDERS

        if self._scene is not None and self._lists_processes():
            self._scene.order = ORDERS[(ORDERS.index(self._scene.order) + 1) % len(ORDERS)]
            self._draw()

    def action_meter_expand(self) -> None:
        if not self._lists_processes():
            return
        self._expanded = not self._expanded
        if self._scene is not None:
            self._scene.above = 0
        self._draw()

    def _lists_processes(self) -> bool:
        """Whether there is a GPU whose processes can be listed; says so where there is none."""
        listed = self._scene is not None and bool(self._scene.snapshot.gpus)
        if not listed:
            self.app.notify("Only GPU memory is listed by process, and there is no GPU here.", markup=False)
        return listed

    def action_meter_slower(self) -> None:
        from tui.hardware.meter.pace import slower

        self._pace(slower(self.interval_s))

    def action_meter_faster(self) -> None:
        from tui.hardware.meter.pace import faster

        self._pace(faster(self.interval_s))

    def action_meter_up(self) -> None:
        self._scroll(-1)

    def action_meter_down(self) -> None:
        self._scroll(1)

    def _pace(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self.post_message(self.Paced(interval_s))
        self._draw()

    def _scroll(self, rows: int) -> None:
        if self._scene is not None:
            self._scene.above += rows  # the picture takes back what is too much
            self._draw()
