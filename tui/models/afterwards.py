"""What a load and an answer teach: the receipt beside its prediction, the driver's share, the speed. Kept for the next
estimate.
"""

from __future__ import annotations

import time

import msgspec

from tui.config.paths import Paths
from tui.engine.protocol import Timings
from tui.fit.measured import Kind
from tui.fit.receipts import LoadRecord, compare
from tui.fit.speed import LEAST_DECODED, LEAST_PREFILLED, measurement
from tui.hardware.snapshot import Gpu, Snapshot
from tui.llama.receipt import Receipt
from tui.models.lessons import keep_load, keep_speed
from tui.models.prepare import Prepared


def note_load(paths: Paths, prepared: Prepared, receipt: Receipt, pid: int, after: Snapshot) -> LoadRecord | None:
    """Set a load's receipt beside its prediction and keep both; None where nothing was predicted.

    `pid` is the engine's, `after` a snapshot taken since. Writes a file.
    """
    if prepared.prediction is None or prepared.subject is None or prepared.seen is None:
        return None
    seen = prepared.seen
    allocated = {device.name: device.sum_bytes for device in receipt.devices}
    record = compare(
        prepared.prediction,
        receipt,
        time=time.time(),
        model=prepared.subject.identity,
        settings=msgspec.to_builtins(prepared.settings),
        cards={device.name: seen.card_of(device.name) for device in seen.machine.devices},
        driver_bytes={
            device.name: _driver_bytes(row, after, pid, allocated.get(device.name, 0))
            for device, row in zip(seen.machine.devices, seen.rows, strict=True)
        },
    )
    keep_load(paths, record)
    return record


def note_speed(paths: Paths, prepared: Prepared, timings: Timings, kind: Kind) -> None:
    """Keep how fast an answer was, unless it was too short to tell. Writes a file."""
    if prepared.prediction is None or prepared.subject is None or prepared.seen is None:
        return
    decoded = timings.completion_tokens >= LEAST_DECODED
    prefilled = timings.prefilled_tokens >= LEAST_PREFILLED
    if not (decoded or prefilled):
        return
    keep_speed(
        paths,
        measurement(
            prepared.subject.shape,
            prepared.settings,
            prepared.prediction,
            prepared.seen.machine,
            model=prepared.subject.identity,
            kind=kind,
            time=time.time(),
            n_past=max(0, timings.n_ctx_used - timings.completion_tokens // 2),
            decode_tok_s=timings.decode_tok_s if decoded else None,
            prefill_tok_s=timings.prefill_tok_s if prefilled else None,
        ),
    )


def _driver_bytes(row: Gpu | None, after: Snapshot, pid: int, allocated: int) -> int | None:
    """What the driver took on a card besides llama.cpp's buffers: the engine's own figure where the driver tells it,
    else what is less free than before the load.
    """
    now = next((gpu for gpu in after.gpus if row is not None and gpu.key == row.key), None)
    if row is None or now is None or not allocated:
        return None
    for process in now.processes:
        if process.pid == pid and process.used_bytes is not None:
            return process.used_bytes - allocated
    if row.free_bytes is None or now.free_bytes is None:
        return None
    return row.free_bytes - now.free_bytes - allocated
