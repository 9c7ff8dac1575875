"""What a load took beside what was said of it, as a table for the details of the load panel. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.app.glyphs import Glyphs
from tui.app.panels.load.price import Lines, Word, brief_size, device_names
from tui.app.text import fit, fit_right
from tui.fit.receipts import LoadRecord, Parts
from tui.fit.values import Machine
from tui.models.receipt_words import loaded_with, outcome, signed

_COLUMN = 11
_PARTS = ("weights", "context", "compute")


def receipt_table(record: LoadRecord, machine: Machine, glyphs: Glyphs) -> Lines:
    """Predicted and allocated bytes of each device and part, and what the meter saw besides."""
    names = device_names(machine)
    pools: Sequence[Parts] = [pool for pool in (*record.devices, record.host) if _bytes_there(pool)]
    name_cells = max(len(names.get(pool.name, pool.name)) for pool in pools) + 1 if pools else 0
    how, titles = loaded_with(record), ("predicted", "allocated", "difference")
    head = " " * (name_cells + 8) + "".join(fit_right(title, _COLUMN) for title in titles)
    return (
        (Word(f"The last load of this model{f' ({how})' if how else ''}: {outcome(record)}"),),
        (Word(head, "faint"),),
        *(row for pool in pools for row in _rows(names.get(pool.name, pool.name), pool, name_cells, glyphs)),
    )


def _rows(name: str, pool: Parts, name_cells: int, glyphs: Glyphs) -> Iterator[tuple[Word, ...]]:
    label = name
    for part in _PARTS:
        predicted, allocated = (getattr(side, f"{part}_bytes") for side in (pool.predicted, pool.allocated))
        if predicted or allocated:
            difference = allocated - predicted
            figures = (brief_size(predicted), brief_size(allocated), signed(difference) if difference else glyphs.rule)
            cells = "".join(fit_right(figure, _COLUMN) for figure in figures)
            color = "warning" if difference else "muted"
            yield Word(fit(label, name_cells), "foreground"), Word(fit(part, 8), "muted"), Word(cells, color)
            label = ""
    if pool.driver_bytes is not None and pool.allocated.sum_bytes:
        cells = fit_right(brief_size(pool.driver_bytes), 2 * _COLUMN)
        yield Word(fit(label, name_cells)), Word(fit("driver", 8), "muted"), Word(f"{cells}  by the meter", "muted")


def _bytes_there(pool: Parts) -> bool:
    return bool(pool.predicted.sum_bytes or pool.allocated.sum_bytes)
