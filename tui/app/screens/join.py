"""Two copies of a model made one: which, how far the comparing is, and undone until a person agrees to the end.

It ends with the bytes that came free, or with None where everything is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from tui.app.keys import Keymap
from tui.app.panels.library.row import homely, in_short, short_path
from tui.app.screens.rows import Choice, RowsScreen
from tui.app.screens.work import Progress, WorkEnded, WorkProgressed, begin, told
from tui.app.text import size
from tui.library.copies import CopyPlan, Pair, join_all, undo_all
from tui.library.digests import DigestStore
from tui.library.joining import Joined, confirm
from tui.library.model import SOURCES, LibraryError

if TYPE_CHECKING:
    from tui.library import Model

_PERHAPS = "same size"
Stage = Literal["plan", "choose", "compare", "joined", "end"]


class JoinScreen(RowsScreen[int]):
    """The question, the work, and the question whether it shall stay. `plan` blocks."""

    def __init__(self, model: Model, plan: Callable[[], Sequence[CopyPlan]], keymap: Keymap) -> None:
        super().__init__(f"Copies of {model.name}", keymap, "choice", ticks=True)
        self._model, self._plan = model, plan
        self.stage: Stage = "plan"
        self._joined: list[Joined] = []
        self._differ: list[str] = []
        self._total = 0

    def on_mount(self) -> None:
        self.show_rows([])
        self.say([("Looking for copies", "muted")])
        begin(self, f"look for copies of {self._model.name}", lambda _: self._plan())

    # ---- what the work tells

    def on_work_progressed(self, event: WorkProgressed) -> None:
        if self.stage == "compare":
            bar = told(event.done_bytes, self._total, event.bytes_s, self.app_glyphs)
            self._say_comparing(bar)

    def on_work_ended(self, event: WorkEnded) -> None:
        if event.error is not None:
            self.stage = "end"
            self.say([(homely(str(event.error)), "error")], self._closes())
        elif self.stage == "plan":
            self._planned(event.result)
        elif self.stage == "compare":
            self._joined, self._differ = event.result
            self._ask_to_keep()
        else:
            self.dismiss(event.result)

    def _planned(self, plans: Sequence[CopyPlan]) -> None:
        self._joined = list(dict.fromkeys(joined for plan in plans for joined in plan.work.unconfirmed))
        if self._joined:
            self._ask_to_keep()
            return
        self.stage = "choose"
        rows = [_row(plan) for plan in plans]
        self.show_rows(rows)
        possible = [at for at, row in enumerate(rows) if row.possible]
        known = [at for at in possible if rows[at].value.known]
        self.rows.set_ticks(known or possible if len(possible) == 1 else known)
        self.rows.focus()
        self._tell()

    # ---- what is asked

    @property
    def chosen(self) -> tuple[CopyPlan, ...]:
        """The places that are ticked."""
        return tuple(row.value for row in self.rows.ticked)

    def action_tick(self) -> None:
        if self.stage == "choose":
            self.rows.tick()
            self._tell()

    def action_choose(self) -> None:
        self.action_tick()

    def action_agree(self) -> None:
        """Compare, then give the space back."""
        if self.stage == "choose" and self.chosen:
            self._compare([plan.work.pairs for plan in self.chosen])
        elif self.stage == "joined":
            self._end("give the space back", lambda _: _confirmed(self._joined))

    def action_close(self) -> None:
        """Stop, and let everything be as it was."""
        if self.stage == "joined":
            self._end("put the copies back", lambda _: undo_all(self._joined))
        else:
            self.dismiss(None)

    def _compare(self, work: Sequence[Sequence[Pair]]) -> None:
        self.stage = "compare"
        reads = [plan.work.read_bytes for plan in self.chosen]
        self._total = (sum(reads) + max(reads)) // 2  # the model itself is read once
        self._say_comparing("")
        begin(self, f"compare copies of {self._model.name}", lambda progress: _joined(work, progress), undo=_undone)

    def _end(self, description: str, work: Callable[[Progress], object]) -> None:
        self.stage = "end"
        begin(self, description, work, LibraryError)

    def _tell(self) -> None:
        if not self.rows.rows:
            self.say([("No other model here has as many bytes: there is no copy.", "foreground")], self._closes())
            return
        lines: list[tuple[str, str]] = [(line, "muted") for line in _notes(self.rows.rows)]
        lines += [("Each program keeps its file, and the space is taken once.", "foreground")]
        read = sum(plan.work.read_bytes for plan in self.chosen)
        agree = [("agree", f"reads {size(read)} to compare them")] if self.chosen else [("tick", "chooses a copy")]
        self.say([("", "muted"), *lines], self.hint(*agree, ("close", "closes this")))

    def _say_comparing(self, bar: str) -> None:
        words = [("", "muted"), ("Comparing them by their sha256", "foreground"), (bar, "accent")]
        self.say(words, self.hint(("close", "stops it: all is as it was then")))

    def _ask_to_keep(self) -> None:
        lines: list[tuple[str, str]] = [(f"{self.app_glyphs.problem} {homely(one)}", "warning") for one in self._differ]
        if not self._joined:
            self.stage = "end"
            self.say([("", "muted"), *lines], self._closes())
            return
        self.stage = "joined"
        freed = sum(joined.freed_bytes for joined in self._joined)
        names = [short_path(joined.other) for joined in self._joined]
        lines += [(f"One file now, by its sha256: {name}", "foreground") for name in names]
        hint = self.hint(("agree", f"gives {size(freed)} back"), ("close", "lets it be as it was"))
        self.say([("", "muted"), *lines], hint)

    def _closes(self) -> str:
        return self.hint(("close", "closes this"))


def _joined(work: Sequence[Sequence[Pair]], progress: Progress) -> tuple[list[Joined], list[str]]:
    """All pairs of every place that is the same, and what is to be told of the others."""
    done: list[Joined] = []
    differ: list[str] = []
    sums = DigestStore()
    try:
        for pairs in work:
            try:
                done += join_all(pairs, progress, sums)
            except LibraryError as error:
                differ.append(str(error))
    except BaseException:
        undo_all(done)
        raise
    return done, differ


def _undone(result: tuple[list[Joined], list[str]]) -> None:
    undo_all(result[0])


def _confirmed(done: Sequence[Joined]) -> int:
    for joined in done:
        confirm(joined)
    return sum(joined.freed_bytes for joined in done)


def _row(plan: CopyPlan) -> Choice:
    place, work = plan.place, plan.work
    if work.apart:
        right = "on another disk"
    elif not work.pairs:
        right = "one file already"
    else:
        right = "the same" if plan.known else _PERHAPS
    possible = bool(work.pairs) and not work.apart
    return Choice(plan, SOURCES[place.source], in_short(place.path), right, possible)


def _notes(rows: Sequence[Choice]) -> list[str]:
    if any(row.right == _PERHAPS for row in rows):
        return ["Those of the same size are read to know whether they are copies."]
    return []
