"""What was measured on this machine, kept between runs: speeds of models, and how fast its memories are read.

One file in the cache folder, read whole in about a millisecond, written under its lock and merged with what other
running copies wrote. A home folder may serve many computers, so everything is kept by machine. Deleting the file loses
speed only: a damaged one is empty, one that cannot be written stays as it was, and nothing here raises for either.
Reading and writing block; on an event loop they belong in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from tui.config.errors import ConfigError
from tui.config.files import locked, read_text, write_atomic

VERSION = 1
MOST_MACHINES = 16
MOST_MEASUREMENTS = 300
"""On one machine; some 150 KB."""
MOST_ALIKE = 5
"""Measurements kept of one model with one set of settings, the newest."""
_LOCK_S = 2.0

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
    time: float = 0.0
    """When something was last added, in Unix seconds."""


class _File(msgspec.Struct, frozen=True):
    version: int
    machines: dict[str, Known] = {}


class SpeedStore:
    """The measurements of one machine in one file."""

    def __init__(self, file: Path, machine: str, *, clock: Callable[[], float]) -> None:
        """`machine` is the identity of this computer; `clock` tells Unix seconds."""
        self._file, self._machine, self._clock = file, machine, clock

    def read(self) -> Known:
        """Everything known of this machine; empty where nothing is, or the file is damaged."""
        return _read(self._file).machines.get(self._machine, Known())

    def record(self, measurement: Measurement) -> None:
        """Add one measurement. Called after an answer, a bench or a phantom run."""
        self._change(lambda known: msgspec.structs.replace(known, measurements=_added(known.measurements, measurement)))

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

        self._change(change)

    def _change(self, change: Callable[[Known], Known]) -> None:
        try:
            with locked(self._file, _LOCK_S):
                machines = dict(_read(self._file).machines)
                changed = change(machines.get(self._machine, Known()))
                machines[self._machine] = msgspec.structs.replace(changed, time=self._clock())
                newest = sorted(machines.items(), key=lambda item: item[1].time)[-MOST_MACHINES:]
                write_atomic(self._file, msgspec.json.encode(_File(VERSION, dict(newest))))
        except ConfigError:
            pass  # a full disk or a read-only home costs an estimate some certainty, and nothing else


def _added(kept: tuple[Measurement, ...], new: Measurement) -> tuple[Measurement, ...]:
    alike = [one for one in kept if _same(one, new)]
    dropped = set(map(id, alike[: max(0, len(alike) + 1 - MOST_ALIKE)]))
    return (*(one for one in kept if id(one) not in dropped), new)[-MOST_MEASUREMENTS:]


def _same(one: Measurement, other: Measurement) -> bool:
    return (one.model, one.settings, one.kind) == (other.model, other.settings, other.kind)


def _read(file: Path) -> _File:
    try:
        found = msgspec.json.decode(read_text(file) or "null", type=_File | None)
    except (ConfigError, msgspec.ValidationError, msgspec.DecodeError, RecursionError):
        found = None
    return found if found is not None and found.version == VERSION else _File(VERSION)
