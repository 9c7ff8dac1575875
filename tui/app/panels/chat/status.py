"""The line under the transcript: how full the context is, or how far a load or a long prompt has come."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.reactive import reactive
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.panels.chat.state import Answering, Loading, NoModel, Reading, Ready, Status, Unloading
from tui.app.text import brief, clean, fit, plural, thousands
from tui.chat.budget import will_fit

BAR, MIN_BAR = 20, 6
"""Cells of a bar where there is room, and below which there is none."""


class StatusLine(Drawn):
    """One drawn line. Set `status`, and `note` for a word that fades out of its own accord."""

    status: reactive[Status] = reactive(NoModel(), init=False)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        return self.line([Segment(" ", self.pen()), *self._words(self.status, width - 2)], width)

    def _words(self, status: Status, width: int) -> list[Segment]:
        if isinstance(status, NoModel):
            words = f"writing loads {clean(status.next_model)}" if status.next_model else "no model loaded"
            return [Segment(fit(words, width, self.glyphs.ellipsis), self.pen("muted"))]
        if isinstance(status, Loading):
            percent = f" {status.fraction * 100:.0f} %"
            return self._progress(f"loading {clean(status.name)} ", status.fraction, percent, width)
        if isinstance(status, Unloading):
            return [Segment(fit(f"unloading {clean(status.name)}", width, self.glyphs.ellipsis), self.pen("muted"))]
        if isinstance(status, Reading):
            share = status.done / status.total if status.total else 0.0
            words = f" {thousands(status.done)} of {thousands(status.total)}"
            what = "looking at the image " if status.looking else "reading your prompt "
            return self._progress(what, share, words, width)
        return self._fullness(status, width)

    def _progress(self, before: str, share: float, after: str, width: int) -> list[Segment]:
        room = width - cell_len(before) - cell_len(after)
        if room < MIN_BAR:
            return [Segment(fit(f"{before.strip()}{after}", width, self.glyphs.ellipsis), self.pen("muted"))]
        cells = min(BAR, room)
        full = round(cells * max(0.0, min(1.0, share)))
        return [
            Segment(before, self.pen("muted")),
            Segment(self.glyphs.ours * full, self.pen("accent")),
            Segment(self.glyphs.free * (cells - full), self.pen("meter-free")),
            Segment(after, self.pen("foreground")),
        ]

    def _fullness(self, status: Ready | Answering, width: int) -> list[Segment]:
        prompt = status.used if isinstance(status, Ready) else status.prompt
        answer = status.writing if isinstance(status, Ready) else status.answer
        total = max(1, status.n_ctx)
        used = prompt + answer
        words = f" {_count(status)} of {brief(status.n_ctx)}"
        before = "context "
        left = width - len(before) - cell_len(words) - MIN_BAR
        words += next((more for more in forecasts(status, self.glyphs.dot) if cell_len(more) <= left), "")
        room = width - len(before) - cell_len(words)
        tight = used > total * 0.9
        color = "warning" if tight else "muted"
        if room < MIN_BAR:
            return [Segment(fit(f"context{words}", width, self.glyphs.ellipsis), self.pen(color))]
        cells = min(BAR, room)
        full = min(cells, max(1 if used else 0, round(cells * used / total)))
        fresh = min(full, max(1 if answer else 0, round(cells * answer / total)))
        return [
            Segment(before, self.pen("muted")),
            Segment(self.glyphs.ours * (full - fresh), self.pen("warning" if tight else "meter-used")),
            Segment(self.glyphs.ghost * fresh, self.pen("accent")),
            Segment(self.glyphs.free * (cells - full), self.pen("meter-free")),
            Segment(words, self.pen(color)),
        ]


def _count(status: Ready | Answering) -> str:
    """Tokens in use, with what comes to them now."""
    if isinstance(status, Answering):
        return f"{'~ ' if status.answer else ''}{brief(status.prompt + status.answer)}"
    return f"{brief(status.used)} + {brief(status.writing)}" if status.writing else brief(status.used)


def forecasts(status: Ready | Answering, dot: str) -> tuple[str, ...]:
    """How long that goes on, in words and in fewer."""
    if not isinstance(status, Ready):
        return ()
    if status.writing and not will_fit(status.used + status.writing, status.n_ctx):
        return f" {dot} too much to be sent", f" {dot} too much"
    if status.more_turns is None or not status.used:
        return ()
    if not status.more_turns:
        return f" {dot} full at the next turn", f" {dot} nearly full"
    return f" {dot} about {plural(status.more_turns, 'more turn')}", f" {dot} {plural(status.more_turns, 'more turn')}"
