"""What this machine has taught: receipts of loads and measured speeds, kept in the cache folder.

Reads and writes files: a front end with a screen calls it in a thread. What cannot be read counts as nothing, and what
cannot be written is let go: it costs an estimate some certainty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tui.config.kept import Kept
from tui.config.paths import Paths
from tui.fit.measured import Measurement, SpeedStore
from tui.fit.receipts import LoadRecord
from tui.hardware.cpu import machine_identity
from tui.models.machine import Lessons

MOST_LOADS = 200


def learnt(paths: Paths) -> Lessons:
    """Everything known of this machine."""
    return Lessons(_loads(paths).read(), speeds(paths).read())


def last_load(loads: Sequence[LoadRecord], identity: str) -> LoadRecord | None:
    """The newest load of a model, of those that are given oldest first."""
    return next((load for load in reversed(loads) if load.model == identity), None)


def speeds(paths: Paths) -> SpeedStore:
    """The measured speeds of this machine."""
    return SpeedStore(machine_file(paths, "speeds", ".json"))


def keep_load(paths: Paths, record: LoadRecord) -> None:
    """Remember what a load took."""
    _loads(paths).change(lambda records: (*records, record)[-MOST_LOADS:])


def keep_speed(paths: Paths, measurement: Measurement | None) -> None:
    """Remember how fast an answer was; None was too short to tell."""
    if measurement is not None:
        speeds(paths).record(measurement)


def machine_file(paths: Paths, name: str, suffix: str) -> Path:
    """A file of the cache folder for this machine alone: a home folder may serve many computers."""
    machine = hashlib.sha256(machine_identity().encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return paths.cache / f"{name}-{machine}{suffix}"


def _loads(paths: Paths) -> Kept[tuple[LoadRecord, ...]]:
    return Kept(machine_file(paths, "loads", ".json"), tuple[LoadRecord, ...], ())
