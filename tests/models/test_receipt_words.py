"""A load beside its prediction, in words."""

from __future__ import annotations

import pytest

from tui.fit.receipts import LoadRecord, Parts
from tui.fit.values import Source
from tui.llama.receipt import DeviceBytes
from tui.models.receipt_words import last_load_words, loaded_with, signed

GIB, MIB = 1 << 30, 1 << 20


def a_record(
    more: int = 0, *, less_on_host: int = 0, source: Source = "dry-run", mapped: int = 0, exact: bool = True
) -> LoadRecord:
    """A load that took `more` on its card."""
    said, host = DeviceBytes(name="CUDA0", weights_bytes=4 * GIB), DeviceBytes(name="host", weights_bytes=GIB)
    took = DeviceBytes(name="CUDA0", weights_bytes=4 * GIB + more)
    host_took = DeviceBytes(name="host", weights_bytes=GIB - less_on_host)
    return LoadRecord(
        time=0.0,
        model="a",
        settings={"n_ctx": 8192, "n_gpu_layers": 33},
        source=source,
        devices=(Parts(name="CUDA0", card="GPU-a", predicted=said, allocated=took, driver_bytes=412 * MIB),),
        host=Parts(name="host", predicted=host, allocated=host_took),
        mapped_bytes=mapped,
        exact=exact,
    )


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (a_record(), "as predicted, to the byte"),
        (a_record(3 * MIB), "3 MiB more than predicted"),
        (a_record(-512), "512 B less than predicted"),
        (a_record(MIB, less_on_host=MIB), "as predicted, but in other places"),
        (a_record(MIB, source="estimate"), "1 MiB more than estimated"),
        (a_record(mapped=GIB), "as predicted, to the byte, the mapped weights aside"),
        (a_record(exact=False), "llama.cpp did not tell what it allocated"),
    ],
)
def test_the_last_load_in_a_few_words(record: LoadRecord, words: str) -> None:
    assert last_load_words(record) == [f"last load: {words}", "driver 412 MiB on CUDA0"]
    assert last_load_words(record, {"CUDA0": "H100"})[1] == "driver 412 MiB on H100"


def test_what_it_was_loaded_with_and_by_how_much_it_differed() -> None:
    assert loaded_with(a_record()) == "n_gpu_layers 33, n_ctx 8192"
    assert [signed(difference) for difference in (-512, 99_999, 3 * MIB)] == ["-512 B", "+99999 B", "+3 MiB"]
