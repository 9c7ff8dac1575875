"""Rows whose files are known: what a repository really holds in place of the usual quantizations. Values only."""

from __future__ import annotations

from collections.abc import Iterable

from tui.hub.files import ModelRow
from tui.hub.listing import Listing
from tui.models.finder.best import with_best
from tui.models.finder.pricing import Pricer
from tui.models.finder.values import FinderRow


def rows_of_files(pricer: Pricer, listing: Listing, models: Iterable[ModelRow]) -> tuple[FinderRow, ...]:
    """A row for each whole model of a repository that says its quantization, the largest first, with the recommended
    one marked.
    """
    rows = [
        pricer.row(listing, model.quant, file=model.path, file_bytes=model.file_bytes)
        for model in models
        if model.quant is not None and model.problem is None
    ]
    return with_best(sorted(rows, key=lambda row: (-(row.file_bytes or 0), row.file)))
