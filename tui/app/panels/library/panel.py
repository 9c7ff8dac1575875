"""The models on this machine: one row each, narrowed by typing and sorted, and what to do where there are none.

The rows come from a cached list before the first frame and from scans after it; all arrive through `show`. It is one
drawn widget, frame included, and what only a person's keys need is imported when they press them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from tui.app.panels.library.row import about, columns, fit_tail, from_where
from tui.app.rows import RowList
from tui.app.text import clean, fit
from tui.app.typed import is_typed

if TYPE_CHECKING:
    from tui.app.panels.library.listing import Order
    from tui.library import Model

LEFT, RIGHT = 5, 1
"""Cells of pointer and sign before the name; the last cell of a row."""


class LibraryPanel(RowList["Model"]):
    """The panel. Rows show name, quantization, where the model is from and its size; a problem in words takes the place
    of all but the name."""

    loaded: reactive[str] = reactive("")
    """Identity of the model that is in memory."""

    class Wanted(Message):
        """A model that can be loaded was chosen."""

        def __init__(self, model: Model) -> None:
            super().__init__()
            self.model = model

    class Asked(Message):
        """A model that cannot be loaded was chosen: a person wants to know why."""

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
        self._all = tuple(models)
        self._prefer = prefer
        self.set_reactive(LibraryPanel.index, self._first_choice(models))
        self._keys: Mapping[str, str] = {}
        self.known = bool(models)
        """False until somebody has looked for models."""
        self.words = ""
        """What the list is narrowed to."""
        self.typing = False
        """True while letters narrow the list."""
        self.order: Order = "name"
        self._last_used: Mapping[str, float] = {}

    @property
    def models(self) -> tuple[Model, ...]:
        """All of them, listed at the moment or not."""
        return self._all

    def on_mount(self) -> None:
        self._draw_frame()

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """The key of each action, as it is shown."""
        self._keys = keys
        if not self.rows:
            self.refresh()

    # ---- what is listed

    def show(self, models: Sequence[Model]) -> None:
        """List these models; the cursor stays on the same one."""
        self.known, self._all = True, tuple(models)
        self._arrange()

    def set_last_used(self, last_used: Mapping[str, float]) -> None:
        """When models were last used, in Unix seconds by identity."""
        self._last_used = last_used
        if self.order == "last use":
            self._arrange()

    def select(self, identity: str) -> bool:
        """Move to that model, and list it if it is not; False when there is none."""
        if self.words and all(model.identity != identity for model in self.rows):
            self.narrow("")
        for at, model in enumerate(self.rows):
            if model.identity == identity:
                self.index = at
                return True
        return False

    def narrow(self, words: str) -> None:
        """List only the models in which each of these words occurs."""
        self.words = words
        self._arrange()

    def sort_next(self) -> None:
        """List them in the next order."""
        from tui.app.panels.library.listing import ORDERS

        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self._arrange()

    def _arrange(self) -> None:
        before, rows = self.selected, self._all
        if self.words or self.order != "name":
            from tui.app.panels.library.listing import arranged

            rows = arranged(self._all, self.words, self.order, self._last_used)
        self.set_rows(rows, self._place_of(before, rows))
        self._draw_frame()
        if not rows:
            self.post_message(self.Selected(None))

    def _place_of(self, before: Model | None, rows: Sequence[Model]) -> int:
        """Where that model is now: by its file, else by its identity; of one that is gone, where it was."""
        if before is None:
            return self._first_choice(rows)
        by_path = (at for at, model in enumerate(rows) if model.path == before.path)
        by_identity = (at for at, model in enumerate(rows) if model.identity == before.identity)
        return next(by_path, next(by_identity, self.index))

    def _first_choice(self, models: Sequence[Model]) -> int:
        """The model used last, else the smallest: a question typed at once loads it."""
        sound = [at for at, model in enumerate(models) if not model.problem]
        used = [at for at in sound if models[at].identity == self._prefer]
        return used[0] if used else min(sound, key=lambda at: models[at].file_bytes, default=0)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._draw_frame()
        self.post_message(self.Selected(self.selected))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        if self.selected is not None:
            told = self.Asked if self.selected.problem else self.Wanted
            self.post_message(told(self.selected))

    # ---- narrowing by typing

    def start_typing(self) -> None:
        """From now on letters narrow the list."""
        self.typing = True
        self._draw_frame()

    def stop_typing(self) -> None:
        """Letters are keys again; the list stays as it is."""
        if self.typing:
            self.typing = False
            self._draw_frame()
            self.screen.refresh_bindings()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Textual's question: does this key type something?"""
        return self.typing and is_typed(key, character)

    def on_key(self, event: events.Key) -> None:
        """Letters, and what takes them back, while letters narrow the list."""
        if not self.typing:
            return
        if event.character and is_typed(event.key, event.character):
            self.narrow(self.words + event.character)
        elif event.key in ("backspace", "ctrl+h"):
            self.narrow(self.words[:-1])
        elif event.key == "ctrl+u":
            self.narrow("")
        elif event.key == "enter":
            self.stop_typing()
        elif event.key == "escape":
            self.narrow("")
            self.stop_typing()
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self.typing:
            self.narrow(self.words + clean(event.text))
            event.stop()

    def on_blur(self) -> None:
        self.stop_typing()

    # ---- drawing

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._draw_frame()

    def _draw_frame(self) -> None:
        """Count, filter and order in the upper border, the selected file in the lower one."""
        self.border_title = self._title()
        width, model = max(0, self.size.width - 4), self.selected
        if model is None:
            self.border_subtitle = Content("")
        elif model.problem:
            from tui.app.panels.library.listing import advice

            told = advice(model)
            told = fit(told, min(cell_len(told), width), self.glyphs.ellipsis)
            self.border_subtitle = Content(told).stylize("$warning")
        else:
            told = about(model, self.scrollable_content_region.width - LEFT - RIGHT, self.glyphs.dot)
            self.border_subtitle = Content(fit_tail(told, width, self.glyphs.ellipsis))

    def _title(self) -> Content:
        dot = self.glyphs.dot
        parts: list[str | tuple[str, str]] = ["Library"]
        if self._all:
            listed = f"{len(self.rows)} of " if self.words else ""
            parts.append(f" {dot} {listed}{len(self._all)}")
        if self.order != "name":
            parts.append(f" {dot} by {self.order}")
        if self.typing or self.words:
            parts += [f" {dot} ", (clean(self.words), "$accent"), (self.glyphs.caret if self.typing else "", "$accent")]
        return Content.assemble(*parts)

    def render_line(self, y: int) -> Strip:
        return super().render_line(y) if self.rows else self._nothing_line(y)

    def _nothing_line(self, y: int) -> Strip:
        """The panel without rows."""
        from tui.app.panels.library import empty

        width = self.size.width
        if self._all:
            lines = empty.no_match(clean(self.words), width - 6, self._keys)
        else:
            lines = empty.nothing(width - 6, self._keys) if self.known else empty.looking()
        above = 1 if self.size.height > len(lines) else 0
        if not above <= y < above + len(lines):
            return Strip.blank(width, self.pen())
        words = [Segment(text, self.pen(color)) for text, color in lines[y - above]]
        return self.line([Segment("   ", self.pen()), *words], width)

    def draw_row(self, row: Model, width: int, selected: bool) -> Sequence[Segment]:
        glyphs, on = self.glyphs, "surface" if selected else ""
        name, room = clean(row.name), max(0, width - LEFT - RIGHT)
        cells = columns(row, self._third(row), width, room - cell_len(name), glyphs.ellipsis)
        room -= sum(cell_len(text) for text, _ in cells)
        pen = self.pen("faint" if row.problem else "foreground", "bold" if selected and self.has_focus else "", on)
        sign, color = (glyphs.problem, "warning") if row.problem else (glyphs.loaded, "success")
        marked = bool(row.problem) or row.identity == self.loaded
        return [
            Segment(f" {glyphs.pointer if selected else ' '} ", self.pen("accent", on=on)),
            Segment(f"{sign if marked else ' '} ", self.pen(color, on=on)),
            Segment(fit(name, room, glyphs.ellipsis), pen),
            *(Segment(text, self.pen(color, on=on)) for text, color in cells),
            Segment(" " * RIGHT, pen),
        ]

    def _third(self, row: Model) -> str:
        """Where it is from; when it was used, where that is the order."""
        if self.order != "last use":
            return from_where(row)
        from tui.app.panels.library.listing import ago

        used = self._last_used.get(row.identity)
        return ago(time.time() - used if used is not None else None)
