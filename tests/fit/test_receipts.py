"""What loads on this machine took, beside what was predicted for them."""

from __future__ import annotations

from tui.fit.receipts import Correction, LoadRecord, compare, correction_of, overhead_of
from tui.fit.values import Prediction
from tui.llama.receipt import DeviceBytes, Receipt

MIB = 1 << 20


def receipt(device: int, host: int, mapped: int = 0) -> Receipt:
    return Receipt(
        devices=(DeviceBytes(name="CUDA0", weights_bytes=device, context_bytes=MIB),) if device else (),
        host=DeviceBytes(name="host", weights_bytes=host, context_bytes=2 * MIB, compute_bytes=MIB),
        mapped_bytes=mapped,
        n_ctx=4096,
        n_ctx_train=8192,
        n_layer=30,
        n_gpu_layers=31,
        n_vocab=1000,
        n_params=10,
        n_swa=0,
        recurrent=False,
        threads=2,
        load_s=1.0,
        template=None,
        architecture="llama",
        description="",
    )


def prediction(device: int, host: int) -> Prediction:
    return Prediction(
        devices=(DeviceBytes(name="CUDA0", description="H100", weights_bytes=device, context_bytes=MIB),)
        if device
        else (),
        host=DeviceBytes(name="host", weights_bytes=host, context_bytes=2 * MIB, compute_bytes=MIB),
        source="dry-run",
        n_ctx=4096,
        n_gpu_layers=31,
    )


def record(
    device: tuple[int, int], host: tuple[int, int] = (MIB, MIB), *, driver: int | None = None, mapped: int = 0
) -> LoadRecord:
    """A load by (predicted, allocated) bytes of weights."""
    return compare(
        prediction(device[0], host[0]),
        receipt(device[1], host[1], mapped),
        time=1.0,
        model="org/model",
        settings={},
        cards={"CUDA0": "GPU-1"},
        driver_bytes={"CUDA0": driver},
    )


def test_a_load_as_predicted_differs_by_nothing() -> None:
    made = record((100 * MIB, 100 * MIB))
    assert made.devices[0].difference_bytes == 0
    assert made.host.difference_bytes == 0
    assert made.devices[0].card == "GPU-1"


def test_a_device_that_got_nothing_counts_as_zero() -> None:
    made = record((100 * MIB, 0))
    assert made.devices[0].allocated.sum_bytes == 0
    assert made.devices[0].difference_bytes == -101 * MIB


def test_the_weights_of_a_mapped_load_are_not_compared() -> None:
    made = record((100 * MIB, 100 * MIB), (300 * MIB, 450 * MIB), mapped=450 * MIB)
    assert made.host.difference_bytes == 0
    assert made.host.allocated.context_bytes == 2 * MIB


def test_the_overhead_of_a_card_is_the_largest_of_its_recent_loads() -> None:
    loads = [record((MIB, MIB), driver=size * MIB) for size in (900, 400, 480, 450, 450, 450, 450, 450, 450)]
    assert overhead_of("GPU-1", loads) == 480 * MIB, "the first is too long ago"
    assert overhead_of("GPU-2", loads) is None
    assert overhead_of("GPU-1", []) is None


def test_what_cannot_be_the_drivers_is_not_taken_for_it() -> None:
    loads = [record((MIB, MIB), driver=size) for size in (-5, 3 * MIB, 20 << 30, None)]
    assert overhead_of("GPU-1", loads) is None


def test_loads_that_all_take_more_correct_the_next_prediction() -> None:
    loads = [record((100 * MIB, 110 * MIB)), record((100 * MIB, 112 * MIB)), record((100 * MIB, 114 * MIB))]
    assert correction_of("GPU-1", loads) == Correction(12 * MIB, 3)
    assert correction_of("", loads) is None, "the host was as predicted"


def test_loads_that_all_take_less_correct_it_too() -> None:
    loads = [record((MIB, MIB), (100 * MIB, 90 * MIB)), record((MIB, MIB), (50 * MIB, 40 * MIB))]
    assert correction_of("", loads) == Correction(-10 * MIB, 2)


def test_one_load_or_loads_that_disagree_correct_nothing() -> None:
    more, less = record((100 * MIB, 110 * MIB)), record((100 * MIB, 90 * MIB))
    assert correction_of("GPU-1", [more]) is None
    assert correction_of("GPU-1", [more, less, more]) is None
    assert correction_of("GPU-1", [more, record((MIB, MIB)), more]) is None
