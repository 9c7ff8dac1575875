"""What a load took beside what was said of it, in words: one line for the load panel, a table for its details. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.app.glyphs import Glyphs
from tui.app.panels.load.price import Lines, Word, brief_size, device_names
from tui.app.text import fit, fit_right, thousands
from tui.fit.receipts import LoadRecord, Parts
from tui.fit.values import Machine

_COLUMN = 11
_PARTS = ("weights", "context", "compute")


def receipt_line(record: LoadRecord, machine: Machine, glyphs: Glyphs) -> str:
    """The last load in one line: as predicted or by how much not, and what the driver took besides."""
    parts = [f"last load: {_verdict(record)}"]
    names = dict(zip((device.name for device in machine.devices), device_names(machine), strict=True))
    drivers = [
        f"{brief_size(device.driver_bytes)} on {names.get(device.name, device.name)}"
        for device in record.devices
        if device.driver_bytes is not None and device.allocated.sum_bytes
    ]
    if drivers:
        parts.append(f"driver {', '.join(drivers)}")
    return f" {glyphs.dot} ".join(parts)


def receipt_table(record: LoadRecord, machine: Machine, glyphs: Glyphs) -> Lines:
    """Predicted and allocated bytes of each device and part, and what the meter saw besides."""
    names = dict(zip((device.name for device in machine.devices), device_names(machine), strict=True))
    pools: Sequence[Parts] = [pool for pool in (*record.devices, record.host) if _bytes_there(pool)]
    name_cells = max(len(names.get(pool.name, pool.name)) for pool in pools) + 1 if pools else 0
    titles = ("predicted", "allocated", "difference")
    head = " " * (name_cells + 8) + "".join(fit_right(title, _COLUMN) for title in titles)
    return (
        (Word(f"The last load of this model{_how(record)}: {_verdict(record)}"),),
        (Word(head, "faint"),),
        *(row for pool in pools for row in _rows(names.get(pool.name, pool.name), pool, name_cells, glyphs)),
    )


def _rows(name: str, pool: Parts, name_cells: int, glyphs: Glyphs) -> Iterator[tuple[Word, ...]]:
    label = name
    for part in _PARTS:
        predicted, allocated = (getattr(side, f"{part}_bytes") for side in (pool.predicted, pool.allocated))
        if predicted or allocated:
            difference = allocated - predicted
            figures = (brief_size(predicted), brief_size(allocated), exact(difference) if difference else glyphs.rule)
            cells = "".join(fit_right(figure, _COLUMN) for figure in figures)
            color = "warning" if difference else "muted"
            yield Word(fit(label, name_cells), "foreground"), Word(fit(part, 8), "muted"), Word(cells, color)
            label = ""
    if pool.driver_bytes is not None and pool.allocated.sum_bytes:
        cells = fit_right(brief_size(pool.driver_bytes), 2 * _COLUMN)
        yield Word(fit(label, name_cells)), Word(fit("driver", 8), "muted"), Word(f"{cells}  by the meter", "muted")


def exact(difference_bytes: int) -> str:
    """A difference, to the byte where it is small: +3.0 M, -512 B."""
    sign = "-" if difference_bytes < 0 else "+"
    size = abs(difference_bytes)
    return f"{sign}{thousands(size)} B" if size < 100_000 else f"{sign}{brief_size(size)}"


def _verdict(record: LoadRecord) -> str:
    if not record.exact:
        return "llama.cpp did not tell what it allocated"
    said = "predicted" if record.source == "dry-run" else "estimated"
    beside = ", the mapped weights aside" if record.mapped_bytes else ""
    difference = sum(pool.difference_bytes for pool in (*record.devices, record.host))
    if not any(pool.difference_bytes for pool in (*record.devices, record.host)):
        return f"as {said}, to the byte{beside}"
    if not difference:
        return f"as {said}, but in other places{beside}"
    return f"{exact(abs(difference))[1:]} {'more' if difference > 0 else 'less'} than {said}{beside}"


def _how(record: LoadRecord) -> str:
    layers, n_ctx = (record.settings.get(name) for name in ("n_gpu_layers", "n_ctx"))
    told = [f"n_gpu_layers {layers}"] if layers is not None else []
    told += [f"n_ctx {thousands(n_ctx)}"] if isinstance(n_ctx, int) else []
    return f" ({', '.join(told)})" if told else ""


def _bytes_there(pool: Parts) -> bool:
    return bool(pool.predicted.sum_bytes or pool.allocated.sum_bytes)
