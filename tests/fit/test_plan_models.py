"""Automatic settings for models that exist: over the formula on many machines, and asked of llama.cpp itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fit.headers import DEEPSEEK_V2_LITE, GEMMA_3_12B, LFM2_1_2B, LLAMA_3_70B, QWEN3_30B_A3B, header
from tests.fit.rig import GIB, machine, with_more
from tests.fit.strategies import machines
from tests.rigs.architectures.writing import published_model
from tui.fit.closed_form import predict
from tui.fit.from_header import shape_of_header, shape_of_layout
from tui.fit.oracle import DryRun
from tui.fit.plan import Plan, plan
from tui.fit.shape import ModelShape
from tui.fit.values import Machine, Prediction
from tui.gguf.layout import read_layout
from tui.gguf.stripped import strip
from tui.llama.settings import LoadSettings

SHAPES = [
    shape_of_header(header("llama", LLAMA_3_70B, file_bytes=42 * GIB)),
    shape_of_header(header("qwen3moe", QWEN3_30B_A3B, n_vocab=151_936, file_bytes=18_556_686_912)),
    shape_of_header(header("gemma3", GEMMA_3_12B, n_vocab=262_208, file_bytes=7_300_000_000)),
    shape_of_header(header("deepseek2", DEEPSEEK_V2_LITE, n_vocab=102_400, file_bytes=10 * GIB)),
    shape_of_header(header("lfm2", LFM2_1_2B, n_vocab=65_536, file_bytes=730_000_000)),
]


async def _by_formula(shape: ModelShape, here: Machine) -> Plan:
    async def ask(asked: LoadSettings) -> Prediction:
        return predict(shape, asked, here)

    return await plan(LoadSettings(), shape, here, ask)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(SHAPES), machines(), st.integers(0, 20 * GIB), st.integers(0, 20 * GIB))
async def test_more_memory_is_never_worse(shape: ModelShape, here: Machine, devices: int, host: int) -> None:
    before = await _by_formula(shape, here)
    after = await _by_formula(shape, with_more(here, devices_bytes=devices, host_bytes=host))
    assert after.rank >= before.rank or not (after.rank.fits or before.rank.fits)
    for found in (before, after):
        assert found.asks <= 50
        assert all(pool.fits for pool in found.assessment.pools) == (found.assessment.verdict != "no")


@pytest.mark.parametrize(
    ("name", "here", "verdict"),
    [
        ("llama3-8b", machine(24), "gpu"),
        ("llama3-8b", machine(3, 2.5), "partial"),
        ("llama3-8b", machine(1.1), "ram"),
        ("llama3-8b", machine(1, ram_gib=3), "no"),
        ("qwen3-30b-a3b", machine(12, 8), "gpu"),
        ("qwen3-30b-a3b", machine(8), "partial"),
    ],
)
async def test_llama_cpp_answers_for_every_step(tmp_path: Path, name: str, here: Machine, verdict: str) -> None:
    layout = read_layout(published_model(tmp_path / "model.gguf", name))
    stripped = strip(layout)
    async with DryRun() as dry_run:

        async def ask(asked: LoadSettings) -> Prediction:
            return await dry_run.predict(stripped, asked, here)

        found = await plan(LoadSettings(), shape_of_layout(layout), here, ask)
    assert (found.assessment.verdict, found.prediction.source) == (verdict, "dry-run")
    assert found.asks <= 30
