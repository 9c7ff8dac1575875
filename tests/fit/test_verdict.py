"""One word for what fits: pool by pool, with margins, drivers and memory that is shared."""

from __future__ import annotations

import msgspec
import pytest

from tests.fit.rig import GIB, MIB, gpu
from tui.fit.values import Machine, Prediction
from tui.fit.verdict import assess
from tui.llama.receipt import DeviceBytes

LAYERS = 32


def _held(name: str, weights_gib: float = 0, context_gib: float = 0, compute_gib: float = 0) -> DeviceBytes:
    return DeviceBytes(
        name=name,
        weights_bytes=int(weights_gib * GIB),
        context_bytes=int(context_gib * GIB),
        compute_bytes=int(compute_gib * GIB),
    )


def _prediction(host_gib: float, *devices: DeviceBytes, layers: int = LAYERS + 1, output_bytes: int = 0) -> Prediction:
    return Prediction(
        devices=devices,
        host=_held("host", host_gib),
        output_bytes=output_bytes,
        source="dry-run",
        n_ctx=4096,
        n_gpu_layers=layers,
    )


def _machine(*free_gib: float, ram_gib: float = 16, shares_host: bool = False) -> Machine:
    devices = (gpu(index, int(free * GIB), shares_host=shares_host) for index, free in enumerate(free_gib))
    return Machine(devices=tuple(devices), host_available_bytes=int(ram_gib * GIB))


def test_a_device_fits_to_the_byte_with_its_driver_and_the_margin() -> None:
    machine = _machine(6)  # 512 MiB margin and 512 MiB for the driver leave 5 GiB
    exact = assess(_prediction(1, _held("CUDA0", 4, 0.5, 0.5)), machine, LAYERS)
    assert exact.verdict == "gpu"
    assert exact.devices[0].over_bytes == 0
    one_more = msgspec.structs.replace(_held("CUDA0", 4, 0.5, 0.5), compute_bytes=GIB // 2 + 1)
    over = assess(_prediction(1, one_more), machine, LAYERS)
    assert (over.verdict, over.devices[0].fits, over.missing_bytes) == ("no", False, 1)


def test_the_output_buffer_counts_on_the_host() -> None:
    machine = _machine(ram_gib=4)
    assert assess(_prediction(3, layers=0), machine, LAYERS).verdict == "ram"
    assert assess(_prediction(3, layers=0, output_bytes=1), machine, LAYERS).verdict == "no"


def test_what_loads_took_beyond_predictions_is_needed_on_the_host() -> None:
    machine = msgspec.structs.replace(_machine(ram_gib=4), host_overhead_bytes=GIB)
    host = assess(_prediction(2, layers=0), machine, LAYERS).host
    assert (host.fits, host.need_bytes, host.over_bytes, host.available_bytes) == (True, 3 * GIB, 0, 4 * GIB)
    assert not assess(_prediction(2, layers=0, output_bytes=1), machine, LAYERS).host.fits


@pytest.mark.parametrize(("layers", "verdict"), [(0, "ram"), (1, "partial"), (LAYERS, "partial"), (LAYERS + 1, "gpu")])
def test_every_layer_and_the_output_make_it_gpu(layers: int, verdict: str) -> None:
    assert assess(_prediction(1, _held("CUDA0", 1), layers=layers), _machine(8), LAYERS).verdict == verdict


def test_experts_on_the_host_make_it_partial() -> None:
    prediction = _prediction(4, _held("CUDA0", 1))
    assert assess(prediction, _machine(8), LAYERS, n_cpu_moe=1).verdict == "partial"


def test_a_full_device_that_would_hold_nothing_is_in_nobodys_way() -> None:
    full = _machine(8, 0.1)
    assessment = assess(_prediction(1, _held("CUDA0", 4), _held("CUDA1")), full, LAYERS)
    assert assessment.verdict == "gpu"
    assert assessment.devices[1].overhead_bytes == 0
    assert assessment.devices[1].fits


def test_without_devices_all_in_ram_is_ram() -> None:
    assert assess(_prediction(1), _machine(), LAYERS).verdict == "ram"


def test_shared_memory_is_one_pool() -> None:
    prediction = _prediction(1, _held("Metal", 6))
    apart = assess(prediction, _machine(12, ram_gib=4), LAYERS)
    together = assess(prediction, _machine(12, ram_gib=4, shares_host=True), LAYERS)
    assert (apart.verdict, together.verdict) == ("gpu", "no")
    assert together.devices[0].fits
    assert together.host.shared_bytes == 6 * GIB + 512 * MIB
    assert assess(prediction, _machine(12, ram_gib=9, shares_host=True), LAYERS).verdict == "gpu"


def test_what_is_missing_of_a_shared_pool_is_missing_once() -> None:
    prediction = _prediction(1, _held("Metal", 16))
    together = assess(prediction, _machine(12, ram_gib=12, shares_host=True), LAYERS)
    assert not together.devices[0].fits
    assert not together.host.fits
    assert together.missing_bytes == max(together.devices[0].over_bytes, together.host.over_bytes)


def test_all_that_is_held_is_counted_once() -> None:
    prediction = _prediction(1, _held("Metal", 6))
    assert assess(prediction, _machine(12, shares_host=True), LAYERS).need_bytes == 7 * GIB + 512 * MIB
    assert assess(prediction, _machine(12), LAYERS).need_bytes == 7 * GIB + 512 * MIB


def test_a_prediction_for_another_machine_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        assess(_prediction(1, _held("CUDA0", 1)), _machine(8, 8), LAYERS)
