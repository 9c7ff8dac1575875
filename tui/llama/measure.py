"""Turns llama.cpp's memory breakdown into a Receipt. Child processes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from tui.llama.breakdown import BufferBytes, memory_breakdown
from tui.llama.devices import gpu_devices
from tui.llama.receipt import DeviceBytes, Receipt
from tui.llama.settings import NO_DEVICES, LoadSettings

if TYPE_CHECKING:
    from tui.llama.model import LoadedModel  # the dry run has none

_FLOAT_BYTES = 4


def take_receipt(model: LoadedModel, *, template: str | None) -> Receipt:
    """What `model` occupies now, by device and part; `template` says where its chat template comes from."""
    facts = model.facts()
    rows = memory_breakdown(model.context)
    beside = model.projector.memory() if model.projector is not None else {}
    devices = gpu_devices()
    return Receipt(
        devices=tuple(
            _with(sum_of(device.name, device.description, rows or ()), beside.get(device.name)) for device in devices
        ),
        host=_with(sum_of(None, "", rows or ()), beside.get(None)),
        output_bytes=output_bytes(facts["n_vocab"], model.settings),
        projector=model.projector.path.name if model.projector is not None else "",
        mapped_bytes=sum(row.weights_bytes for row in rows or () if row.buffer.endswith("_Mapped")),
        exact=rows is not None,
        n_gpu_layers=layers_on_devices(facts["n_layer"], model.settings) if devices else 0,
        template=template,
        **facts,
    )


def _with(part: DeviceBytes, projector: tuple[int, int] | None) -> DeviceBytes:
    """`part` and what a projector has there: bytes of its weights, and of what it computes with."""
    weights, compute = projector or (0, 0)
    return msgspec.structs.replace(
        part, weights_bytes=part.weights_bytes + weights, compute_bytes=part.compute_bytes + compute
    )


def sum_of(device: str | None, description: str, rows: Sequence[BufferBytes]) -> DeviceBytes:
    """All buffers on one device; None is the host."""
    there = [row for row in rows if row.device == device]
    return DeviceBytes(
        name=device or "host",
        description=description,
        weights_bytes=sum(row.weights_bytes for row in there),
        context_bytes=sum(row.context_bytes for row in there),
        compute_bytes=sum(row.compute_bytes for row in there),
    )


def output_bytes(n_vocab: int, settings: LoadSettings) -> int:
    """Bytes of the host's output buffer: the logits of one token a pane (`llama_context::output_reserve`)."""
    return _FLOAT_BYTES * n_vocab * settings.panes


def layers_on_devices(n_layer: int, settings: LoadSettings) -> int:
    """Layers that are on devices where there are any, the output layer counted as one."""
    wanted = 0 if settings.devices == NO_DEVICES else settings.n_gpu_layers
    return n_layer + 1 if isinstance(wanted, str) else min(n_layer + 1, wanted)
