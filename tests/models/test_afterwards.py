"""What a load and an answer leave behind for the next estimate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.config.paths import Paths, paths
from tui.engine.protocol import Timings
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.hardware.snapshot import Gpu, GpuProcess, Snapshot
from tui.library.single import entry_for
from tui.llama.receipt import DeviceBytes, Receipt
from tui.llama.settings import LoadSettings
from tui.models.afterwards import note_load, note_speed
from tui.models.lessons import learnt
from tui.models.machine import Seen
from tui.models.prepare import Prepared
from tui.models.subject import subject_of

MIB, GIB = 1 << 20, 1 << 30
ENGINE = 77
CARD = Gpu(0, "GPU-0", "H100", "nvidia", total_bytes=80 * GIB, free_bytes=70 * GIB)
PREDICTION = Prediction(
    devices=(DeviceBytes(name="CUDA0", weights_bytes=2 * GIB),),
    host=DeviceBytes(name="host", weights_bytes=MIB),
    source="dry-run",
    n_ctx=512,
    n_gpu_layers=3,
)
RECEIPT = Receipt(
    devices=PREDICTION.devices,
    host=PREDICTION.host,
    n_ctx=512,
    n_ctx_train=4096,
    n_layer=2,
    n_gpu_layers=3,
    n_vocab=10,
    n_params=10,
    n_swa=0,
    recurrent=False,
    threads=2,
    load_s=0.1,
    template=None,
    architecture="llama",
    description="",
)
TIMINGS = Timings(
    prompt_tokens=100, prefilled_tokens=90, completion_tokens=40, prefill_tok_s=500.0, decode_tok_s=80.0, n_ctx_used=140
)


@pytest.fixture
def here(tmp_path: Path) -> Paths:
    return paths({"PUNA_HOME": str(tmp_path / "home")})


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    """A load onto a card, as it was planned."""
    subject = subject_of(entry_for(tiny_model(tmp_path / "tiny.gguf")), tmp_path / "headers")
    device = DeviceSpec(name="CUDA0", description="H100", total_bytes=80 * GIB, free_bytes=70 * GIB)
    settings = LoadSettings(n_gpu_layers=3, n_ctx=512)
    seen = Seen(Machine(devices=(device,)), (CARD,))
    return Prepared(settings, settings, prediction=PREDICTION, subject=subject, seen=seen)


def after(*, free: int | None, used: int | None = None) -> Snapshot:
    """The card with the engine on it; `used` is what the driver says of the engine."""
    processes = (GpuProcess(ENGINE, "python", "ann", used, True), GpuProcess(9, "other", None, 5 * GIB, False))
    return Snapshot(time=2.0, gpus=(replace(CARD, free_bytes=free, processes=processes),))


@pytest.mark.parametrize(
    ("snapshot", "driver"),
    [
        (after(free=67 * GIB, used=2 * GIB + 300 * MIB), 300 * MIB),
        (after(free=70 * GIB - 2 * GIB - 400 * MIB), 400 * MIB),
        (after(free=None), None),
        (after(free=20 * GIB), None),
        (after(free=70 * GIB), None),
        (Snapshot(time=2.0), None),
    ],
    ids=["the driver tells", "by what is free", "cannot tell", "another took the rest", "another gave back", "gone"],
)
def test_a_load_teaches_what_the_driver_takes(
    here: Paths, prepared: Prepared, snapshot: Snapshot, driver: int | None
) -> None:
    record = note_load(here, prepared, RECEIPT, ENGINE, snapshot)
    assert record is not None
    assert (record.devices[0].card, record.devices[0].driver_bytes) == ("GPU-0", driver)
    assert (record.devices[0].difference_bytes, record.host.difference_bytes) == (0, 0)
    assert record.settings == {"n_gpu_layers": 3, "n_ctx": 512}
    assert learnt(here).loads == (record,)


def test_a_card_that_got_nothing_teaches_nothing(here: Paths, prepared: Prepared) -> None:
    receipt = msgspec.structs.replace(RECEIPT, devices=())
    record = note_load(here, prepared, receipt, ENGINE, after(free=69 * GIB, used=GIB))
    assert record is not None
    assert record.devices[0].driver_bytes is None


@pytest.mark.parametrize("missing", ["prediction", "subject", "seen"])
def test_nothing_is_kept_where_nothing_was_predicted(here: Paths, prepared: Prepared, missing: str) -> None:
    changed: Any = {missing: None}
    blind = replace(prepared, **changed)
    assert note_load(here, blind, RECEIPT, ENGINE, after(free=1)) is None
    note_speed(here, blind, TIMINGS, "answer")
    found = learnt(here)
    assert (found.loads, found.speeds.measurements) == ((), ())


def test_an_answer_teaches_its_speed(here: Paths, prepared: Prepared) -> None:
    note_speed(here, prepared, TIMINGS, "answer")
    (kept,) = learnt(here).speeds.measurements
    assert prepared.subject is not None
    assert (kept.model, kept.kind, kept.architecture) == (prepared.subject.identity, "answer", "llama")
    assert (kept.decode_tok_s, kept.prefill_tok_s, kept.n_past) == (80.0, 500.0, 120)


@pytest.mark.parametrize(
    ("written", "read", "kept"),
    [(15, 63, None), (16, 63, (80.0, None)), (15, 64, (None, 500.0))],
    ids=["too short", "the answer counts", "the prompt counts"],
)
def test_what_is_too_short_says_little(
    here: Paths, prepared: Prepared, written: int, read: int, kept: tuple[float | None, float | None] | None
) -> None:
    timings = msgspec.structs.replace(TIMINGS, completion_tokens=written, prefilled_tokens=read)
    note_speed(here, prepared, timings, "bench")
    found = [(one.decode_tok_s, one.prefill_tok_s) for one in learnt(here).speeds.measurements]
    assert found == ([] if kept is None else [kept])
