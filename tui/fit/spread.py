"""How many layers each of several GPUs gets, so that none is filled beyond its room. llama.cpp's own split goes by free
memory alone: it knows neither margin nor driver, and a small GPU beside a large one overflows first.

A tensor_split of whole layer counts is followed to the layer: layer j of n goes to the first device whose cumulated
share is above j / n, the output being the last (llama.cpp `load_tensors`). Pure arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tui.fit.verdict import DeviceFit

Counts = tuple[int, ...]
"""Layers on each device, in order, the output counted as one on the last device that has any."""
_SHARES = 256
"""Steps in which the share of its room that every device is filled to is looked for."""


def by_room(rooms: Sequence[int], n_layers: int) -> Counts:
    """`n_layers` layers spread in proportion to `rooms`, in bytes; what is left over goes to the largest remainders.
    Nothing goes where there is no room.
    """
    shares = [max(0, room) for room in rooms]
    total = sum(shares)
    if not total:
        return (n_layers, *(0 for _ in rooms[1:]))
    counts = [n_layers * share // total for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda index: -(n_layers * shares[index] % total))
    for index in by_remainder[: n_layers - sum(counts)]:
        counts[index] += 1
    return tuple(counts)


@dataclass(frozen=True)
class Layers:
    """The layers that go to devices, in order, the output last."""

    n_layers: int
    """All of them, the output counted as one; at least 1."""
    n_light: int
    """Those among the first whose experts stay on the host."""
    output_bytes: int
    expert_bytes: int
    """The experts of one layer."""

    def sizes(self, light_bytes: int) -> list[int]:
        """Bytes of each, where a layer without its experts takes `light_bytes`."""
        n_heavy = self.n_layers - 1 - self.n_light
        return [light_bytes] * self.n_light + [light_bytes + self.expert_bytes] * n_heavy + [self.output_bytes]


@dataclass(frozen=True)
class Learned:
    """What one answer says about a device's layers and all that comes on top of them."""

    light_bytes: int
    """A layer without its experts: weights and context."""
    besides_bytes: tuple[int, ...]
    """By device, what does not depend on how many layers it has."""
    rooms_bytes: tuple[int, ...]

    def counts(self, layers: Layers) -> Counts | None:
        """A spread that fills all devices to about the same share; None where they do not hold so much."""
        rooms = [room - besides for room, besides in zip(self.rooms_bytes, self.besides_bytes, strict=True)]
        sizes = layers.sizes(self.light_bytes)
        low, high, best = 0, _SHARES, _filled(sizes, rooms)
        while best is not None and high - low > 1:
            share = (low + high) // 2
            found = _filled(sizes, [room * share // _SHARES for room in rooms])
            low, high, best = (share, high, best) if found is None else (low, share, found)
        return best


def learn(counts: Counts, devices: Sequence[DeviceFit], layers: Layers) -> Learned:
    """Read sizes from what `counts` would take. Layers are taken to be alike; where they differ, the difference counts
    as what comes on top.
    """
    held = sum(device.weights_bytes + device.context_bytes for device in devices)
    n_heavy = layers.n_layers - 1 - layers.n_light
    light_bytes = (held - layers.output_bytes - layers.expert_bytes * n_heavy) // max(1, layers.n_layers - 1)
    sizes = layers.sizes(light_bytes)
    ends = list(accumulate(counts))
    besides = [
        device.need_bytes - sum(sizes[end - count : end])
        for device, count, end in zip(devices, counts, ends, strict=True)
    ]
    most = max(besides)
    return Learned(
        light_bytes=light_bytes,
        besides_bytes=tuple(own if count else most for own, count in zip(besides, counts, strict=True)),
        rooms_bytes=tuple(device.room_bytes for device in devices),
    )


def _filled(sizes: Sequence[int], rooms: Sequence[int]) -> Counts | None:
    """Layers in order, each device taking as many as it holds; None where some are left over."""
    counts: list[int] = []
    done = 0
    for room in rooms:
        begin = done
        while done < len(sizes) and sizes[done] <= room:
            room -= sizes[done]
            done += 1
        counts.append(done - begin)
    return tuple(counts) if done == len(sizes) else None
