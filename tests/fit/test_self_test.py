"""A dry run whose llama.cpp gives other numbers than it should believes none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.fit.asking import NO_GPU, estimate, settings
from tui.fit import self_test
from tui.fit.oracle import DryRun
from tui.fit.values import Prediction
from tui.gguf.stripped import StrippedHeader
from tui.llama.receipt import DeviceBytes
from tui.process.spawn import Child, spawn


@pytest.mark.parametrize(
    ("rig", "said"),
    [
        ("other_breakdown", "its self-test gave"),
        ("broken_rules", "a rule of its stand-in devices failed: KeyError('soft')"),
    ],
)
async def test_other_numbers_make_everything_an_estimate(tiny_header: StrippedHeader, rig: str, said: str) -> None:
    async def start(module: str, arguments: Sequence[str], *, incoming: Any) -> Child:
        return await spawn(f"tests.rigs.{rig}", arguments, incoming=incoming)

    async with DryRun(spawn=start) as dry_run:
        for n_ctx in (256, 512):
            found = await dry_run.predict(tiny_header, settings(n_ctx=n_ctx), NO_GPU, estimate)
            assert found.source == "estimate"
            assert found.reason.startswith(said)
        assert await dry_run.devices() == ()  # it was asked, and has none


def right() -> tuple[Prediction, ...]:
    """Answers as they should be."""
    compute = 1 << 20
    cpu = DeviceBytes(name="host", weights_bytes=140032, context_bytes=65536, compute_bytes=compute)
    device = DeviceBytes(name="selftest", weights_bytes=131840, context_bytes=65536, compute_bytes=compute)
    embedding = DeviceBytes(name="host", weights_bytes=8192, compute_bytes=compute)
    layer = DeviceBytes(name="host", weights_bytes=131584, context_bytes=65536, compute_bytes=compute)
    output = DeviceBytes(name="selftest", weights_bytes=8448, compute_bytes=compute)

    def answer(host: DeviceBytes, *devices: DeviceBytes) -> Prediction:
        return Prediction(devices=devices, host=host, source="dry-run", n_ctx=512, n_gpu_layers=len(devices))

    return answer(cpu), answer(embedding, device), answer(layer, output)


def test_right_answers_raise_no_doubt() -> None:
    assert self_test.doubt_about(right()) == ""
    assert len(self_test.questions()) == len(right())


@pytest.mark.parametrize("part", ["weights_bytes", "context_bytes", "compute_bytes"])
@pytest.mark.parametrize("answer", [0, 1])
def test_one_byte_is_noticed(answer: int, part: str) -> None:
    found = list(right())
    where = found[answer].devices[0] if answer else found[answer].host
    value = 0 if part == "compute_bytes" else getattr(where, part) + 1
    wrong = msgspec.structs.replace(where, **{part: value})
    changed: dict[str, Any] = {"devices": (wrong,)} if answer else {"host": wrong}
    found[answer] = msgspec.structs.replace(found[answer], **changed)
    assert "self-test" in self_test.doubt_about(tuple(found))
