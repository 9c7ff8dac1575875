"""Turns llama.cpp's memory breakdown into a Receipt. Child processes only."""

from __future__ import annotations

from tui.llama.breakdown import BufferBytes, memory_breakdown
from tui.llama.devices import gpu_devices
from tui.llama.model import LoadedModel
from tui.llama.receipt import DeviceBytes, Receipt

_FLOAT_BYTES = 4


def take_receipt(model: LoadedModel, *, template: str | None) -> Receipt:
    """What `model` occupies now, by device and part; `template` says where its chat template comes from."""
    facts = model.facts()
    rows = memory_breakdown(model.context)
    devices = gpu_devices()
    n_layer = facts["n_layer"]
    wanted = model.settings.n_gpu_layers
    on_gpu = min(n_layer + 1, n_layer + 1 if isinstance(wanted, str) else wanted) if devices else 0
    return Receipt(
        devices=tuple(
            _sum(device.name, device.description, [row for row in rows or () if row.device == device.name])
            for device in devices
        ),
        host=_sum("host", "", [row for row in rows or () if row.device is None]),
        output_bytes=_FLOAT_BYTES * facts["n_vocab"] * model.settings.panes,
        mapped_bytes=sum(row.weights_bytes for row in rows or () if row.buffer.endswith("_Mapped")),
        exact=rows is not None,
        n_gpu_layers=on_gpu,
        template=template,
        **facts,
    )


def _sum(name: str, description: str, rows: list[BufferBytes]) -> DeviceBytes:
    return DeviceBytes(
        name=name,
        description=description,
        weights_bytes=sum(row.weights_bytes for row in rows),
        context_bytes=sum(row.context_bytes for row in rows),
        compute_bytes=sum(row.compute_bytes for row in rows),
    )
