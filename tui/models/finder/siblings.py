"""What a quantization would take whose own header is not here: caches and buffers by the header of another one of the
same repository, weights by its file's size. By the closed form; values only.

Bytes are the upper end of what is expected, so that what is said to fit does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import msgspec

from tui.fit import closed_form
from tui.fit.from_header import HEADER_SPREAD, TOKEN_BYTES, shape_of_header
from tui.fit.guess import filled
from tui.fit.labels import label_of
from tui.fit.shape import NOTHING, ModelShape
from tui.fit.values import Ask, Machine, Prediction
from tui.hub.files import ModelRow
from tui.hub.header import RemoteStart
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings
from tui.models.headers import KnownHeader


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one quantization tells of all of them."""

    path: str
    """Its file."""
    shape: ModelShape
    header_bytes: int
    """What its file holds besides weights."""
    whole: bool
    """False where only its first bytes are known."""

    def shape_for(self, row: ModelRow) -> ModelShape:
        """The model's shape as a quantization of `row.file_bytes` would have it."""
        if row.path == self.path:
            return self.shape
        data_bytes = max(0, row.file_bytes - self.header_bytes)
        tied = self.shape.tied != NOTHING
        made = filled(self.shape, label_of(row.quant), data_bytes, tied=tied, spread=HEADER_SPREAD)
        return replace(made, file_bytes=row.file_bytes)


def pattern_of_start(row: ModelRow, start: RemoteStart) -> Pattern:
    """What the first bytes of a row's file tell."""
    # Of several shards the first says how long it is itself.
    shape = shape_of_header(replace(start.header, file_bytes=start.file_bytes))
    return Pattern(row.path, shape, start.header.data_offset or shape.n_vocab * TOKEN_BYTES, whole=False)


def pattern_of_header(row: ModelRow, known: KnownHeader) -> Pattern:
    """What a row's whole header tells."""
    shape = replace(known.shape, file_bytes=row.file_bytes)
    return Pattern(row.path, shape, max(0, row.file_bytes - known.stripped.data_bytes), whole=True)


def upper_end(shape: ModelShape, machine: Machine) -> Ask:
    """Answers by formula, each with the most that is to be expected."""

    async def answer(settings: LoadSettings) -> Prediction:
        await asyncio.sleep(
            0
        )  # a repository of thirty files is asked about a hundred times, and the screen comes first
        found = closed_form.predict(shape, settings, machine)
        times = 1 + found.spread
        devices = tuple(_times(device, times) for device in found.devices)
        return msgspec.structs.replace(found, devices=devices, host=_times(found.host, times))

    return answer


def _times(part: DeviceBytes, times: float) -> DeviceBytes:
    return msgspec.structs.replace(
        part,
        weights_bytes=round(part.weights_bytes * times),
        context_bytes=round(part.context_bytes * times),
        compute_bytes=round(part.compute_bytes * times),
    )
