"""What this machine has taught: receipts of loads and measured speeds, kept in the cache folder.

Reads and writes files: a front end with a screen calls it in a thread. What cannot be read counts as nothing, and what
cannot be written is let go: it costs an estimate some certainty.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tui.config.errors import ConfigError
from tui.config.journal import add_to_journal, read_journal
from tui.config.paths import Paths
from tui.fit.measured import Measurement, SpeedStore
from tui.fit.receipts import LoadRecord
from tui.hardware.cpu import machine_identity
from tui.models.machine import Lessons

MOST_LOADS = 200


def learnt(paths: Paths) -> Lessons:
    """Everything known of this machine."""
    return Lessons(read_journal(_loads_file(paths), LoadRecord), speeds(paths).read())


def last_load(loads: Sequence[LoadRecord], identity: str) -> LoadRecord | None:
    """The newest load of a model, of those that are given oldest first."""
    return next((load for load in reversed(loads) if load.model == identity), None)


def speeds(paths: Paths) -> SpeedStore:
    """The measured speeds of this machine."""
    return SpeedStore(paths.cache / "speeds.json", machine_identity(), clock=time.time)


def keep_load(paths: Paths, record: LoadRecord) -> None:
    """Remember what a load took."""
    with suppress(ConfigError):
        add_to_journal(_loads_file(paths), record, keep=MOST_LOADS)


def keep_speed(paths: Paths, measurement: Measurement | None) -> None:
    """Remember how fast an answer was; None was too short to tell."""
    if measurement is not None:
        speeds(paths).record(measurement)


def machine_file(paths: Paths, name: str, suffix: str) -> Path:
    """A file of the cache folder for this machine alone: a home folder may serve many computers."""
    machine = hashlib.sha256(machine_identity().encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return paths.cache / f"{name}-{machine}{suffix}"


def _loads_file(paths: Paths) -> Path:
    return machine_file(paths, "loads", ".json")
