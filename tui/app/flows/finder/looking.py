"""One model of the finder in detail: what the Hub has of it, what a header tells exactly, its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.app.panels.finder.about import About
from tui.app.text import clean, size
from tui.models.finder.detail import Detail, Here
from tui.models.finder.details import Details
from tui.models.finder.sources import Sources
from tui.models.finder.values import with_installed

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.hub.listing import Listing
    from tui.models.finder.values import FinderRow
    from tui.models.machine import Seen

MOST_KEPT = 16
"""Models whose details are shown at once when one comes back to them."""
ESTIMATED = "Estimated from what its card says."


@dataclass
class DetailTold(Message):
    """More is known of a model."""

    detail: Detail
    n_ctx: int
    """The context that it was priced for."""


class Looking:
    """Fetches details of one model at a time, and keeps those of the last few."""

    def __init__(self, desk: Desk, sources: Sources) -> None:
        self._desk = desk
        self._details = Details(sources, desk.paths, desk.fit.fitting)
        self._open: tuple[str, int] | None = None
        """Repository and context of what is being looked at."""
        self._focused = ""
        self._known: dict[tuple[str, int], Detail] = {}
        self._outdated = False
        """What is being looked at is priced for memory as it was."""

    def look(self, listing: Listing, file: str, n_ctx: int, seen: Seen | None, *, again: bool = False) -> None:
        """All is to be known of a file of a model, of the best one there where it is empty; where the Hub could not be
        asked for it, it is asked `again` only.
        """
        repo = listing.repo
        if self._open == (repo, n_ctx) and not (again and self._failed):
            if file and file != self._focused:
                self._focused = file
                self._details.focus(file)
            return
        settings, snapshot = self._desk.settings, self._desk.machine
        if settings is None:
            return
        self._leave()
        self._open, self._focused = (repo, n_ctx), file
        self._run(listing, Here(settings=settings, seen=seen, snapshot=snapshot, n_ctx=n_ctx), file)

    def _leave(self) -> None:
        """Nothing more comes of what is being looked at."""
        left = self._open
        self._open, self._outdated = None, False
        if left is not None and (detail := self._known.get(left)) is not None:
            self._known[left] = replace(detail, asking=frozenset(), header=None)

    def _run(self, listing: Listing, here: Here, file: str) -> None:
        async def work() -> None:
            async for detail in self._details.open(listing, here, focus=file):
                self._desk.app.post_message(DetailTold(detail, here.n_ctx or 0))

        run: Any = work  # Textual's types do not tell a coroutine function from any other
        self._desk.app.run_worker(
            run,
            group="finder-detail",
            description=f"look at {listing.name}",
            exclusive=True,
            exit_on_error=False,
        )

    def told(self, event: DetailTold) -> bool:
        """Keep what is known of a model; False where it comes too late to count."""
        detail = event.detail
        key = detail.listing.repo, event.n_ctx
        if key != self._open:
            return False
        self._known.pop(key, None)
        while len(self._known) >= MOST_KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[key] = detail
        if self._outdated and not detail.asking:
            self._outdated = False
            if detail.rows:
                self.forget()
        return True

    def known(self, listing: Listing, n_ctx: int) -> Detail | None:
        """What the Hub told of a model; None where it was not asked."""
        return self._known.get((listing.repo, n_ctx))

    @property
    def _failed(self) -> bool:
        detail = self._known.get(self._open) if self._open is not None else None
        return detail is not None and not detail.asking and bool(detail.problem)

    def exact(self, n_ctx: int) -> dict[str, tuple[FinderRow, ...]]:
        """Rows of the models whose files are known at a context, by repository."""
        return {repo: detail.rows for (repo, at), detail in self._known.items() if at == n_ctx and detail.rows}

    def forget(self) -> None:
        """This machine's memory is another now. A header that is on its way is waited for: where memory never rests,
        none would ever come.
        """
        detail = self._known.get(self._open) if self._open is not None else None
        self._known.clear()
        if self._open is not None and detail is not None and "header" in detail.asking:
            self._known[self._open], self._outdated = detail, True
            return
        self._details.close()
        self._leave()

    def about(
        self, listing: Listing, n_ctx: int, estimated: tuple[FinderRow, ...], installed: Mapping[str, str]
    ) -> About:
        """What there is to show of a model now; `estimated` are its rows where the Hub has told of none, `installed`
        what the library has of it.
        """
        detail = self.known(listing, n_ctx)
        if detail is None:
            return About(listing, estimated, note=ESTIMATED if estimated else "")
        return about_of(replace(detail, rows=with_installed(detail.rows or estimated, installed)))


def about_of(detail: Detail) -> About:
    """A model as the pane shows it."""
    row, report = detail.row, detail.report
    wrong = detail.problems.get(detail.focused, "")
    problems = [detail.problem, f"{row.quant if row is not None else 'It'} {wrong}" if wrong else ""]
    fixes = tuple(clean(fix.words) for fix in report.fixes or ()) if report is not None else ()
    return About(
        detail.listing,
        detail.rows,
        note=" ".join(part for part in (_note(detail), *(report.said if report is not None else ())) if part),
        problem=" ".join(clean(problem) for problem in problems if problem),
        fixes=fixes,
        page=detail.page,
        card=_card(detail),
    )


def _note(detail: Detail) -> str:
    """Where the figures come from, or what is being fetched for better ones."""
    row = detail.row
    if detail.header is not None:
        fetched, needed = detail.header
        return f"Reading the header: {size(fetched)} of {size(max(fetched, needed))}."
    if "files" in detail.asking:
        return ESTIMATED if detail.problem else f"{ESTIMATED} The Hub is being asked for its files."
    if row is not None and row.exact:
        return "Exact: a dry run of the file's header."
    if "header" in detail.asking:
        return "Estimated from what its card says; its header is being read."
    return ESTIMATED


def _card(detail: Detail) -> str | None:
    if detail.card is not None:
        return detail.card.text + ("\n\n(It goes on at its page.)" if detail.card.is_cut else "")
    if detail.card_problem:
        return f"Its card cannot be read: {detail.card_problem}"
    return None if "card" in detail.asking else ""
