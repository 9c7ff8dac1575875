"""What the dialogs with rows have in common: a box, a list in it, and words below that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from tui.app.glyphs import Glyphs
from tui.app.keys import Keymap, install, show_key
from tui.app.look import LookApp
from tui.app.panels.library.row import fit_tail
from tui.app.rows import RowList
from tui.app.text import clean, fit
from tui.config.actions import Group

Result = TypeVar("Result")
Words = Sequence[tuple[str, str]]
"""Lines, each with the colour of the theme that it has."""

FRAME = 4
"""Lines that the box's frame and what is left free around it take."""


@dataclass(frozen=True)
class Choice:
    """One row: what it stands for, and what is told of it."""

    value: Any
    title: str
    detail: str = ""
    """A path, or a sentence with one: its end stays where there is little room."""
    right: str = ""
    possible: bool = True
    """False for one that cannot be chosen; `detail` says why."""


class Choices(RowList[Choice]):
    """The rows. With `ticks`, each has a box that is ticked or not."""

    def __init__(self, *, ticks: bool) -> None:
        super().__init__(id="options")
        self._ticks = ticks
        self._ticked: frozenset[int] = frozenset()

    @property
    def ticked(self) -> list[Choice]:
        """The rows that are ticked, in their order."""
        return [row for at, row in enumerate(self.rows) if at in self._ticked]

    def set_ticks(self, ticked: Iterable[int]) -> None:
        """Tick the rows at these places, and no others."""
        self._ticked = frozenset(ticked)
        self.refresh()

    def tick(self) -> None:
        """Tick the selected row, or take its tick away, where it can have one."""
        if self.selected is not None and self.selected.possible:
            self.set_ticks(self._ticked ^ {self.index})

    def draw_row(self, row: Choice, width: int, selected: bool) -> Sequence[Segment]:
        on, glyphs = ("surface" if selected else ""), self.glyphs
        title, right = clean(row.title), clean(row.right)
        box, color = self._box(row), "muted" if row.possible else "faint"
        titles = min(max((cell_len(each.title) for each in self.rows), default=0), width // 2)
        left = max(0, width - 2 - len(box) - titles - 2 - (cell_len(right) + 2 if right else 0) - 1)
        detail = fit_tail(clean(row.detail), left, glyphs.ellipsis)
        return [
            Segment(f"{glyphs.pointer if selected else ' '} ", self.pen("accent", on=on)),
            Segment(box, self.pen("accent" if "x" in box else "muted", on=on)),
            Segment(fit(title, titles, glyphs.ellipsis), self.pen("foreground" if row.possible else "faint", on=on)),
            Segment("  " + fit(detail, left), self.pen(color, on=on)),
            Segment(f"  {right}" if right else "", self.pen("foreground", on=on)),
            Segment(" ", self.pen(on=on)),
        ]

    def _box(self, row: Choice) -> str:
        if not self._ticks:
            return ""
        if not row.possible:
            return "    "
        return "[x] " if row in self.ticked else "[ ] "


class RowsScreen(ModalScreen[Result | None]):
    """A box with rows and words. A subclass says what it is about and what its keys do."""

    AUTO_FOCUS = "Choices"

    def __init__(self, title: str, keymap: Keymap, *groups: Group, ticks: bool = False) -> None:
        super().__init__()
        self.title, self._ticks = title, ticks
        install(self, keymap, "dialog", *groups)
        self.keymap = keymap

    def compose(self) -> ComposeResult:
        rows = Choices(ticks=self._ticks)
        install(rows, self.keymap, "list")
        box = Vertical(*self.above(), rows, Static(id="words"), id="dialog")
        box.border_title = Content(clean(self.title or ""))
        yield box

    def above(self) -> Iterable[Widget]:
        """What stands above the list."""
        return ()

    @property
    def rows(self) -> Choices:
        """The list."""
        return self.query_one(Choices)

    def show_rows(self, rows: Sequence[Choice], at: int = 0) -> None:
        """List these."""
        self.rows.styles.height = max(1, len(rows))
        self.rows.display = bool(rows)
        self.rows.set_rows(rows, at)
        self._fit()

    def say(self, words: Words, hint: str = "", color: str = "muted") -> None:
        """Show lines below the list, and in the frame what the keys do now, which stays in sight."""
        lines = [Content(line).stylize(f"${color}") for line, color in words]
        self.query_one("#words", Static).update(Content("\n").join(lines))
        self.query_one("#dialog").border_subtitle = Content(hint).stylize(f"${color}")
        self.call_after_refresh(self._fit)

    def hint(self, *doings: tuple[str, str]) -> str:
        """What actions do, each behind its key."""
        return f" {self.app_glyphs.dot} ".join(f"{self.key(action)} {what}" for action, what in doings)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        """What is done with the selected row."""
        raise NotImplementedError

    def on_resize(self, _event: events.Resize) -> None:
        self._fit()

    def _fit(self) -> None:
        """The list is as high as the words below it let it be."""
        below = self.query_one("#words").size.height
        self.rows.styles.max_height = max(2, self.size.height - FRAME - below)

    def action_close(self) -> None:
        self.dismiss(None)

    # ---- what subclasses speak with

    def key(self, action_id: str) -> str:
        """The first key of an action, as it is shown."""
        keys = self.keymap.keys[action_id]
        return show_key(keys[0], self.app_glyphs.ascii) if keys else "no key"

    @property
    def app_glyphs(self) -> Glyphs:
        """The app's set of signs."""
        return cast("LookApp", self.app).glyphs
