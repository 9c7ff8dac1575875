"""When a model was used last, how often, and how fast."""

from __future__ import annotations

from pathlib import Path

from tui.fit.measured import Kind, Known, Measurement
from tui.fit.receipts import LoadRecord, Parts
from tui.library import Model
from tui.llama.receipt import DeviceBytes
from tui.models.machine import NOTHING_LEARNT, Lessons
from tui.models.usage import Usage, last_used, usage_of

MODEL = Model("m", Path("/m/m.gguf"), "org/m", "m.gguf", None, "llama", 7, 1, "hf-cache")


def load(time: float, model: str = "org/m/m.gguf") -> LoadRecord:
    nothing = DeviceBytes(name="host")
    parts = Parts(name="host", predicted=nothing, allocated=nothing)
    return LoadRecord(time=time, model=model, settings={}, source="dry-run", host=parts)


def speed(time: float, decode: float | None, prefill: float | None, kind: Kind = "answer") -> Measurement:
    return Measurement(
        model="org/m/m.gguf",
        settings="",
        architecture="llama",
        parameters=1,
        active_parameters=1,
        parts=(),
        kind=kind,
        time=time,
        decode_tok_s=decode,
        prefill_tok_s=prefill,
    )


def test_a_model_that_was_never_used() -> None:
    assert usage_of(MODEL, NOTHING_LEARNT) == Usage(0, None, None, None)
    assert usage_of(MODEL, Lessons(loads=(load(5, "other"),))) == Usage(0, None, None, None)


def test_the_newest_counts_and_phantoms_do_not() -> None:
    measured = (speed(30, 12.0, None), speed(20, 11.0, 90.0), speed(99, 70.0, 700.0, kind="phantom"))
    lessons = Lessons(loads=(load(10), load(40)), speeds=Known(measurements=measured))
    assert usage_of(MODEL, lessons) == Usage(2, 40, 12.0, 90.0)


def test_when_each_was_used_last_is_known_of_all_at_once() -> None:
    lessons = Lessons(
        (load(5, "a"), load(9, "b")), Known(measurements=(speed(7, 1.0, 1.0), speed(8, 1.0, 1.0, "phantom")))
    )
    assert last_used(lessons) == {"a": 5, "b": 9, "org/m/m.gguf": 7}
