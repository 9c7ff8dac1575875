"""What a load took beside what was said of it, in words, the same from `puna fit` as on the screen. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tui.config.sizes import size
from tui.fit.receipts import LoadRecord, Parts

_SMALL_BYTES = 100_000
"""A difference below this is told to the byte."""


def last_load_words(record: LoadRecord, names: Mapping[str, str] | None = None) -> list[str]:
    """The last load in a few words each: as predicted or by how much not, and what the driver took besides. `names` are
    what devices are called where that is not llama.cpp's name.
    """
    drivers = [
        f"{size(device.driver_bytes)} on {(names or {}).get(device.name, device.name)}"
        for device in record.devices
        if device.driver_bytes is not None and device.allocated.sum_bytes
    ]
    return [f"last load: {outcome(record)}", *([f"driver {', '.join(drivers)}"] if drivers else [])]


def outcome(record: LoadRecord) -> str:
    """How it compared with what had been said of it."""
    if not record.exact:
        return "llama.cpp did not tell what it allocated"
    said = "predicted" if record.source == "dry-run" else "estimated"
    beside = ", the mapped weights aside" if record.mapped_bytes else ""
    pools: tuple[Parts, ...] = (*record.devices, record.host)
    difference = sum(pool.difference_bytes for pool in pools)
    if not any(pool.difference_bytes for pool in pools):
        return f"as {said}, to the byte{beside}"
    if not difference:
        return f"as {said}, but in other places{beside}"
    return f"{exact(abs(difference))} {'more' if difference > 0 else 'less'} than {said}{beside}"


def loaded_with(record: LoadRecord) -> str:
    """The settings that memory depends on most, as far as they were not the defaults; empty where all were."""
    layers, n_ctx = (record.settings.get(name) for name in ("n_gpu_layers", "n_ctx"))
    told = [f"n_gpu_layers {layers}"] if layers is not None else []
    return ", ".join([*told, *([f"n_ctx {n_ctx}"] if n_ctx is not None else [])])


def signed(difference_bytes: int) -> str:
    """A difference with its sign: +3 MiB, -512 B."""
    return f"{'-' if difference_bytes < 0 else '+'}{exact(abs(difference_bytes))}"


def exact(size_bytes: int) -> str:
    """Bytes, to the byte where they are few."""
    return f"{size_bytes} B" if size_bytes < _SMALL_BYTES else size(size_bytes)
