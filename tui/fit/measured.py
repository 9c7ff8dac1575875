"""What was measured on this machine, kept between runs: speeds of models, and how fast its memories are read.

One file for each machine, as `tui.config.kept` keeps it. Reading and writing block.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from tui.config.kept import Kept

MOST_MEASUREMENTS = 300
"""Some 150 KB."""
MOST_ALIKE = 5
"""Measurements kept of one model with one set of settings, the newest."""

Kind = Literal["answer", "bench", "phantom"]
"""`answer`: seen while a person was answered; `bench`: on purpose; `phantom`: of a file whose weights are all zero."""


class MeasuredPart(msgspec.Struct, frozen=True):
    """What one place did for each token."""

    place: str
    """"host", or the card as llama.cpp describes it."""
    read_bytes: float
    """Bytes of weights and context that it read for one token."""
    layers: float
    """Layers that it computed."""


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """How fast one model was once. Made by `tui.fit.speed.measurement`."""

    model: str
    """Identity of the file: repo and file, or name and size."""
    settings: str
    """What of the settings matters for speed: `tui.fit.speed.settings_key`."""
    architecture: str
    parameters: int
    active_parameters: int
    parts: tuple[MeasuredPart, ...]
    kind: Kind
    time: float
    """Unix seconds."""
    n_past: int = 0
    """Tokens in the context while it decoded, in the middle of the answer."""
    decode_tok_s: float | None = None
    prefill_tok_s: float | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured on one machine."""

    ram_bytes_s: float | None = None
    """Bytes that all cores together read from RAM in a second."""
    device_bytes_s: dict[str, float] = {}
    """The same of each GPU, by its description."""
    unmeasured: frozenset[str] = frozenset()
    """Descriptions of GPUs that could not be measured; they are not tried again."""
    measurements: tuple[Measurement, ...] = ()
    """Oldest first."""


class SpeedStore:
    """The measurements of one machine in its file."""

    def __init__(self, file: Path) -> None:
        """Nothing is read yet."""
        self._kept = Kept(file, Known, Known())

    def read(self) -> Known:
        """Everything known of this machine."""
        return self._kept.read()

    def record(self, measurement: Measurement) -> None:
        """Add one measurement. Called after an answer, a bench or a phantom run."""
        self._kept.change(
            lambda known: msgspec.structs.replace(known, measurements=_added(known.measurements, measurement))
        )

    def keep_bandwidth(
        self,
        *,
        ram_bytes_s: float | None = None,
        device_bytes_s: Mapping[str, float] = {},
        unmeasured: Collection[str] = (),
    ) -> None:
        """Keep what was measured. Of two measurements the higher stays: something else was busy during the lower."""
        devices = {name: value for name, value in device_bytes_s.items() if value > 0}

        def change(known: Known) -> Known:
            before = known.device_bytes_s
            measured = {**before, **{name: max(value, before.get(name, 0.0)) for name, value in devices.items()}}
            return msgspec.structs.replace(
                known,
                ram_bytes_s=max(ram_bytes_s or 0.0, known.ram_bytes_s or 0.0) or None,
                device_bytes_s=measured,
                unmeasured=known.unmeasured.union(unmeasured).difference(measured),
            )

        self._kept.change(change)


def _added(kept: tuple[Measurement, ...], new: Measurement) -> tuple[Measurement, ...]:
    alike = [one for one in kept if _same(one, new)]
    dropped = set(map(id, alike[: max(0, len(alike) + 1 - MOST_ALIKE)]))
    return (*(one for one in kept if id(one) not in dropped), new)[-MOST_MEASUREMENTS:]


def _same(one: Measurement, other: Measurement) -> bool:
    return (one.model, one.settings, one.kind) == (other.model, other.settings, other.kind)
