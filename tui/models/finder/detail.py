"""What the finder's detail pane shows of one repository. Values, and how rows are made of them; it asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tui.config.settings import Settings
from tui.fit.speed import Speed
from tui.fit.values import Prediction
from tui.fit.verdict import Assessment
from tui.hardware.snapshot import Snapshot
from tui.hub.card import Card
from tui.hub.choice import recommended
from tui.hub.files import ModelRow, RepoFiles
from tui.hub.listing import Listing
from tui.models.finder.best import with_best
from tui.models.finder.values import FinderRow
from tui.models.fit_report import FitReport
from tui.models.machine import Seen

Part = Literal["files", "header", "card"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """What a repository is looked at for."""

    settings: Settings
    seen: Seen | None = None
    """The machine that counts; None while its memory is not known: then nothing has a price."""
    snapshot: Snapshot | None = None
    """What `seen` was made of: names whose processes hold memory that would help."""
    n_ctx: int | None = None
    """Context in tokens, less for a model that was trained on less; None for what a load would take by itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Detail:
    """One repository, as far as it is known by now."""

    listing: Listing
    page: str = ""
    """Its address in the web; empty while the hub is not known."""
    files: RepoFiles | None = None
    """Projectors and drafts are in it, and how access is granted."""
    rows: tuple[FinderRow, ...] = ()
    """One for each of `files.rows`, in their order; a row of no use has no price. One is marked as the best."""
    focused: str = ""
    """The file of the row of which all is to be known."""
    header: tuple[int, int] | None = None
    """Bytes of its header that came, and those that are needed at least; None where nothing travels."""
    report: FitReport | None = None
    """All that its settings take here, and what would help; None until that is known."""
    card: Card | None = None
    """None while it is not here, and where there is none: `asking` tells them apart."""
    asking: frozenset[Part] = frozenset({"files"})
    """What is still to come."""
    problem: str = ""
    """Why there are no files, or no exact numbers, and what to do."""
    card_problem: str = ""

    @property
    def row(self) -> FinderRow | None:
        """The one in focus."""
        return next((row for row in self.rows if row.file == self.focused), None)

    @property
    def problems(self) -> Mapping[str, str]:
        """Why a file is of no use, by its path; only of those that are of none."""
        rows = self.files.rows if self.files is not None else ()
        return {row.path: row.problem for row in rows if row.problem is not None}


def plain_row(listing: Listing, file: ModelRow) -> FinderRow:
    """A row without a price."""
    return FinderRow(listing=listing, quant=file.quant or file.path, file=file.path, file_bytes=file.file_bytes)


def priced_row(row: FinderRow, prediction: Prediction, assessment: Assessment, speed: Speed | None) -> FinderRow:
    """The row with its price."""
    return replace(
        row,
        need_bytes=assessment.need_bytes,
        verdict=assessment.verdict,
        decode_tok_s=speed.decode_tok_s if speed is not None else None,
        speed_source=speed.source if speed is not None else None,
        exact=prediction.source == "dry-run",
    )


def marked(rows: Sequence[FinderRow], files: RepoFiles) -> tuple[FinderRow, ...]:
    """The rows with the best one for this machine marked; without prices the one that is usually good."""
    found = with_best(rows)
    if any(row.best for row in found):
        return found
    usual, reason = recommended(files.rows)
    return tuple(
        replace(row, best=True, reason=reason) if usual is not None and row.file == usual.path else row for row in found
    )
