"""Rows whose files are known: what a repository really holds in place of the usual quantizations. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui.hub.files import ModelRow
from tui.hub.listing import Listing
from tui.models.finder.best import with_best
from tui.models.finder.pricing import Pricer
from tui.models.finder.values import FinderRow


def rows_of_files(
    pricer: Pricer, listing: Listing, models: Iterable[ModelRow], *, installed: Mapping[str, str] | None = None
) -> tuple[FinderRow, ...]:
    """A row for each whole model of a repository that says its quantization, the largest first, with the recommended
    one marked. `installed` names models of the library by the path of their file.
    """
    here = installed or {}
    rows = [
        pricer.row(
            listing, model.quant, file=model.path, file_bytes=model.file_bytes, installed=here.get(model.path, "")
        )
        for model in models
        if model.quant is not None and model.problem is None
    ]
    return with_best(sorted(rows, key=lambda row: (-(row.file_bytes or 0), row.file)))
