"""How a model comes into the library: read where it is, or copied, moved or linked into the library folder.

What each way would do is shown before it is done. Ends with the files that are in the library now, or with None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from tui.app.keys import Keymap
from tui.app.panels.library.row import homely, short_path
from tui.app.rows import RowList
from tui.app.screens.rows import Choice, RowsScreen
from tui.app.screens.work import Progress, WorkEnded, WorkProgressed, begin, told
from tui.app.text import clean, plural, size
from tui.config.paths import Paths
from tui.library.importing import How, Import, plan_every_import
from tui.library.model import LibraryError, Model
from tui.library.remembered import models_at, remember
from tui.library.transfer import bring_in

Way = How | Literal["place"]

TITLES: Mapping[Way, str] = {
    "place": "where it is",
    "copy": "copy",
    "move": "move",
    "link": "hard link",
    "symlink": "symbolic link",
}
MOST_STEPS = 5
NO_FOLDER = "there is no library folder yet; `puna config set library.folders PATH` names one"


@dataclass(frozen=True)
class Ways:
    """What each way would do, or what is against it."""

    models: tuple[Model, ...]
    imports: Mapping[How, Import | LibraryError] = field(default_factory=dict)
    against: str = ""
    """What is against every way that writes something."""


class WaysScreen(RowsScreen[tuple[Path, ...]]):
    """The choice, and the work."""

    def __init__(self, path: str, paths: Paths, folders: Sequence[str], keymap: Keymap) -> None:
        super().__init__(f"Add {path}", keymap)
        self._path, self._paths, self._folder = path, paths, folders[0] if folders else ""
        self._ways: Ways | None = None
        self._total = 0
        self.working = False
        """True from when a person has chosen until it is done."""

    def on_mount(self) -> None:
        self.show_rows([])
        self.say([("Looking at what is there", "muted")])
        begin(self, f"look at {self._path}", lambda _: _ways(self._path, self._folder), LibraryError)

    def on_work_ended(self, event: WorkEnded) -> None:
        if event.error is not None:
            self.working = False
            self.show_rows([])
            self.say([(homely(str(event.error)), "error")], self.hint(("close", "closes this")))
        elif self._ways is None:
            self._ways = event.result
            self.show_rows(_rows(event.result))
            self.rows.focus()
            self._tell()
        else:
            self.dismiss(event.result)

    def on_work_progressed(self, event: WorkProgressed) -> None:
        if self.working:
            bar = told(event.done_bytes, self._total, event.bytes_s, self.app_glyphs)
            hint = self.hint(("close", "stops it: nothing has changed then"))
            self.say([("", "muted"), ("Copying", "foreground"), (bar, "accent")], hint)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        if not self.working:
            self._tell()

    def action_choose(self) -> None:
        """Do it."""
        row, ways = self.rows.selected, self._ways
        if self.working or ways is None or row is None or not row.possible:
            return
        self.working = True
        plan = ways.imports.get(row.value)

        def work(progress: Progress) -> tuple[Path, ...]:
            if isinstance(plan, Import):
                return bring_in(self._paths, plan, progress)
            return tuple(model.path for model in remember(self._paths, self._path))

        self._total = plan.needed_bytes if isinstance(plan, Import) else 0
        begin(self, f"add {self._path}", work, LibraryError)

    def _tell(self) -> None:
        row, ways = self.rows.selected, self._ways
        if row is None or ways is None:
            return
        plan = ways.imports.get(row.value)
        hint = self.hint(("choose", "does it"), ("close", "closes this"))
        if isinstance(plan, Import):
            lines = [*_steps(plan, self.app_glyphs.goes_to), _cost(plan)]
        elif row.value == "place":
            names = [model.name for model in ways.models]
            lines = [f"It is remembered where it is, and nothing is written: {_listed(names)}"]
        else:
            lines, hint = [str(plan or ways.against)], self.hint(("close", "closes this"))
        self.say([("", "muted"), *((homely(line), "foreground") for line in lines)], hint)


def _ways(path: str, folder: str) -> Ways:
    """Look at what is there. Raises LibraryError where it is no model."""
    from tui.config.folders import absolute

    models = models_at(absolute(path))
    if not folder:
        return Ways(models, {}, NO_FOLDER)
    try:
        return Ways(models, plan_every_import(path, folder))
    except LibraryError as error:
        return Ways(models, {}, str(error))


def _rows(ways: Ways) -> list[Choice]:
    rows = [Choice("place", TITLES["place"], "read in place, as it is", plural(len(ways.models), "model"))]
    for way in get_args(How):
        plan = ways.imports.get(way)
        if isinstance(plan, Import):
            written = size(plan.needed_bytes) if plan.needed_bytes else ""
            rows.append(Choice(way, TITLES[way], f"into {short_path(plan.steps[0].target.parent)}", written))
        else:
            rows.append(Choice(way, TITLES[way], homely(str(plan or ways.against)), possible=False))
    return rows


def _steps(plan: Import, arrow: str) -> list[str]:
    """The folders, and the first names."""
    first = plan.steps[0]
    told = [f"{short_path(first.source.parent)} {arrow} {short_path(first.target.parent)}"]
    for step in plan.steps[:MOST_STEPS]:
        renamed = step.source.name != step.target.name
        told.append(clean(f"{step.source.name} {arrow} {step.target.name}" if renamed else step.target.name))
    more = len(plan.steps) - MOST_STEPS
    return [*told, f"and {plural(more, 'more file', 'more files')}"] if more > 0 else told


def _cost(plan: Import) -> str:
    if plan.needed_bytes:
        return f"{size(plan.needed_bytes)} are written; {size(plan.free_bytes)} are free."
    return "No space is taken."


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_STEPS])
    return f"{shown} and {len(names) - MOST_STEPS} more" if len(names) > MOST_STEPS else shown
