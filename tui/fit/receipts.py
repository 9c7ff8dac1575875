"""Prediction beside fact: what a load was expected to take, what llama.cpp allocated, what the driver took besides.

From these come the driver's overhead on each device of this machine and, where loads differ from their predictions in
the same way again and again, a correction of the next one. Values only; `tui.models.lessons` keeps them.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

from tui.fit.values import Prediction, Source
from tui.llama.receipt import DeviceBytes, Receipt

RECENT = 8
"""Loads that the overhead and a correction are taken from: a driver that was updated is soon forgotten."""
SYSTEMATIC = 2
"""Loads that must differ in the same direction before the next prediction is corrected."""
LEAST_OVERHEAD_BYTES, MOST_OVERHEAD_BYTES = 64 << 20, 8 << 30
"""A difference of the meter beyond these is another process's doing: one that came, or one that went, such as the dry
run itself. No driver takes less for a process that computes.
"""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one device or the host, predicted and allocated."""

    name: str
    """llama.cpp's device name; "host" is everything that lies on no device."""
    card: str = ""
    """What stays the same from one start to the next: the card's UUID, or its description."""
    predicted: DeviceBytes
    allocated: DeviceBytes
    driver_bytes: int | None = None
    """What the meter saw besides llama.cpp's buffers; None where it could not tell."""

    @property
    def difference_bytes(self) -> int:
        """Allocated less predicted."""
        return self.allocated.sum_bytes - self.predicted.sum_bytes


class LoadRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One load."""

    time: float
    """Unix seconds."""
    model: str
    """Identity of the model, as in models.toml."""
    settings: dict[str, object]
    """The resolved LoadSettings, defaults left out."""
    source: Source
    devices: tuple[Parts, ...] = ()
    host: Parts
    mapped_bytes: int = 0
    """Above 0 for a mapped load, whose weights cannot be compared."""
    exact: bool = True
    """False where llama.cpp's allocation could not be read: then nothing is compared."""


class Correction(msgspec.Struct, frozen=True):
    """What loads on this machine took beyond their predictions."""

    bytes: int
    loads: int
    """How many loads say so."""


def compare(
    prediction: Prediction,
    receipt: Receipt,
    *,
    time: float,
    model: str,
    settings: dict[str, object],
    cards: dict[str, str],
    driver_bytes: dict[str, int | None],
) -> LoadRecord:
    """Set a prediction beside the receipt of its load; `cards` and `driver_bytes` are by llama.cpp's device name.

    Of a mapped load only context and compute are compared: its weights are pages of the file.
    """
    mapped = receipt.mapped_bytes > 0
    there = {device.name: device for device in receipt.devices}
    nothing = DeviceBytes(name="")
    return LoadRecord(
        time=time,
        model=model,
        settings=settings,
        source=prediction.source,
        devices=tuple(
            Parts(
                name=expected.name,
                card=cards.get(expected.name, expected.description),
                predicted=_comparable(expected, mapped),
                allocated=_comparable(there.get(expected.name, nothing), mapped),
                driver_bytes=_plausible(driver_bytes.get(expected.name)),
            )
            for expected in prediction.devices
        ),
        host=Parts(
            name="host",
            predicted=_comparable(prediction.host, mapped),
            allocated=_comparable(receipt.host, mapped),
        ),
        mapped_bytes=receipt.mapped_bytes,
        exact=receipt.exact,
    )


def overhead_of(card: str, records: Sequence[LoadRecord]) -> int | None:
    """Bytes that the driver takes on a card for a process that runs a model: the largest of the recent loads, since
    too little would be a crash. None before the first measurement.
    """
    seen = [
        parts.driver_bytes
        for record in records
        for parts in record.devices
        if parts.card == card and parts.driver_bytes is not None and parts.allocated.sum_bytes
    ]
    return max(seen[-RECENT:], default=None)


def correction_of(card: str, records: Sequence[LoadRecord]) -> Correction | None:
    """What to add to a dry run on a card ("" is the host), when recent loads all differ from theirs in one direction.

    The median of the differences. None when they agree, or differ now this way and now that.
    """
    differences = [
        parts.difference_bytes
        for record in records
        if record.exact and record.source == "dry-run" and not record.mapped_bytes
        for parts in (*record.devices, record.host)
        if parts.card == card and parts.allocated.sum_bytes
    ][-RECENT:]
    if len(differences) < SYSTEMATIC or not (min(differences) > 0 or max(differences) < 0):
        return None
    return Correction(round(statistics.median(differences)), len(differences))


def _comparable(parts: DeviceBytes, mapped: bool) -> DeviceBytes:
    return msgspec.structs.replace(parts, weights_bytes=0) if mapped else parts


def _plausible(driver_bytes: int | None) -> int | None:
    return (
        driver_bytes
        if driver_bytes is not None and LEAST_OVERHEAD_BYTES <= driver_bytes <= MOST_OVERHEAD_BYTES
        else None
    )
