"""Deleting a model: where it lies, whose it is, what else uses it, what comes free. Deletes nothing itself.

It ends with the places that a person has agreed to delete it from, or with None. What another program would miss, and
what is in use, has to be agreed to twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.app.keys import Keymap
from tui.app.panels.library.row import homely, in_short
from tui.app.screens.rows import Choice, RowsScreen
from tui.app.screens.work import WorkEnded, begin
from tui.app.text import size
from tui.library.model import SOURCES
from tui.models.removal import Deletion, Kept, freed_by_all, owned_by, uses_of

if TYPE_CHECKING:
    from tui.library import Model

Plans = Sequence[Deletion | Kept]


class DeleteScreen(RowsScreen[tuple[Deletion, ...]]):
    """The question. `plan` says what would be done, and blocks; `loaded` is True when the model is in memory here."""

    def __init__(self, model: Model, plan: Callable[[], Plans], keymap: Keymap, *, loaded: bool) -> None:
        super().__init__(f"Delete {model.name}", keymap, "choice", ticks=True)
        self._model, self._plan, self._loaded = model, plan, loaded
        self._warned = False
        """True once a person has agreed to what has to be agreed to twice."""

    def on_mount(self) -> None:
        self.show_rows([])
        self.say([("Looking at what else uses it", "muted")])
        begin(self, f"see what deleting {self._model.name} would do", lambda _: self._plan())

    def on_work_ended(self, event: WorkEnded) -> None:
        """The plans are there."""
        rows = [_row(plan) for plan in event.result]
        self.show_rows(rows)
        # The model's own place is the first one; another of its files is deleted only where a person says so.
        self.rows.set_ticks([0] if rows and rows[0].possible else [])
        self.rows.focus()
        self._tell()

    @property
    def chosen(self) -> tuple[Deletion, ...]:
        """The places that are ticked."""
        return tuple(row.value for row in self.rows.ticked)

    def action_tick(self) -> None:
        self.rows.tick()
        self._warned = False
        self._tell()

    def action_choose(self) -> None:
        self.action_tick()

    def action_agree(self) -> None:
        """Delete it; where it is somebody's or in use, after a second word."""
        if not self.chosen:
            return
        if self._serious() and not self._warned:
            self._warned = True
            self._tell()
        else:
            self.dismiss(self.chosen)

    def _serious(self) -> bool:
        """True where more is at stake than the person's own file."""
        others = any(each.owner is not None and each.source != "hf-cache" for each in self.chosen)
        return others or self._in_memory() or any(each.used_by for each in self.chosen)

    def _in_memory(self) -> bool:
        return self._loaded or any(each.engines for each in self.chosen)

    def _tell(self) -> None:
        chosen = self.chosen
        kept = [row.value for row in self.rows.rows if not row.possible]
        notes: list[tuple[str, str]] = [(f"{SOURCES[each.source]}: {homely(each.reason)}", "muted") for each in kept]
        if not chosen:
            tick = [("tick", "chooses a place")] if any(row.possible for row in self.rows.rows) else []
            self.say(notes, self.hint(*tick, ("close", "closes this")))
            return
        sign, freed = self.app_glyphs.problem, freed_by_all(chosen)
        lines = [("", "muted"), (f"{size(freed)} come free." if freed else self._no_space(), "foreground")]
        lines += [(f"{sign} {homely(one)}", "warning") for one in self._warnings()]
        lines += notes
        doing = "once more: delete it all the same" if self._warned else "deletes it"
        self.say(lines, self.hint(("agree", doing), ("close", "keeps it")), "error" if self._warned else "muted")

    def _warnings(self) -> list[str]:
        """The gravest first: what others would miss, what is in memory, what else uses it."""
        chosen = self.chosen
        here = self._loaded and not any(each.engines for each in chosen)
        loaded = ["it is loaded here, and stays in memory until it is unloaded"] if here else []
        return [*owned_by(chosen), *loaded, *uses_of(chosen, in_short)]

    def _no_space(self) -> str:
        everywhere = freed_by_all([row.value for row in self.rows.rows if row.possible])
        more = f" Its file has other names: together they hold {size(everywhere)}." if everywhere else ""
        return f"No space comes free.{more}"


def _row(plan: Deletion | Kept) -> Choice:
    if isinstance(plan, Kept):
        return Choice(plan, SOURCES[plan.source], in_short(plan.path), possible=False)
    files = f"{len(plan.files)} files" if len(plan.files) > 1 else ""
    return Choice(plan, SOURCES[plan.source], in_short(plan.path), files)
