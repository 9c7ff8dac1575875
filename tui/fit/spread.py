"""How many layers each of several GPUs gets, so that none is filled beyond its room. llama.cpp's own split goes by free
memory alone: it knows neither margin nor driver, and a small GPU beside a large one overflows first.

A tensor_split of whole layer counts is followed to the layer: layer j of n goes to the first device whose cumulated
share is above j / n, the output being the last (llama.cpp `load_tensors`). Pure arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence

from tui.fit.verdict import DeviceFit

Counts = tuple[int, ...]
"""Layers on each device, in order, the output layer counted as one on the last device that has any."""


def by_room(rooms: Sequence[int], n_layers: int) -> Counts:
    """`n_layers` layers spread in proportion to `rooms`, in bytes or in layers; what is left over goes to the largest
    remainders. Nothing goes where there is no room.
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


def rebalanced(counts: Counts, devices: Sequence[DeviceFit], n_layers: int, output_bytes: int) -> Counts | None:
    """Another spread, learned from what `counts` would take; None where the devices together hold fewer layers.

    `output_bytes` are the weights of the output layer. Layers are taken to be as large as those that a device has on
    average, so the answer wants asking again where they differ.
    """
    caps = layers_held(counts, devices, output_bytes)
    return by_room(caps, n_layers) if sum(caps) >= n_layers else None


def layers_held(counts: Counts, devices: Sequence[DeviceFit], output_bytes: int) -> Counts:
    """Layers that each device could hold, by what the ones it has take on average; the output counts as one where it is
    now.
    """
    last = max((index for index, count in enumerate(counts) if count), default=0)
    layers = [count - (index == last) for index, count in enumerate(counts)]
    held = [device.weights_bytes + device.context_bytes for device in devices]
    held[last] -= output_bytes
    usual = sum(held) // max(1, sum(layers))
    besides = [device.compute_bytes + device.overhead_bytes for device in devices]
    caps = []
    for index, device in enumerate(devices):
        each = held[index] // layers[index] if layers[index] > 0 else usual
        fixed = (besides[index] if counts[index] else max(besides)) + (output_bytes if index == last else 0)
        caps.append(max(0, (device.room_bytes - fixed) // max(1, each) + (index == last)))
    return tuple(caps)
