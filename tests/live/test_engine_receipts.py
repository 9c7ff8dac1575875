"""A receipt says what a load took: held against llama.cpp's own log and against what the process really occupies."""

from __future__ import annotations

import re
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.rigs.asking import running
from tests.rigs.gguf_maker import tiny_model
from tui.engine.client import Engine
from tui.llama.receipt import Receipt

MIB = 1 << 20
ROUNDING_BYTES = int(0.005 * MIB) + 1
"""llama.cpp's log has two decimals of a MiB."""

WEIGHTS = re.compile(r"(\S+) model buffer size = +([\d.]+) MiB")
CONTEXT = re.compile(r"(\S+) (?:KV|RS) buffer size = +([\d.]+) MiB")
COMPUTE = re.compile(r"(\S+) compute buffer size = +([\d.]+) MiB")
OUTPUT = re.compile(r"(\S+) +output buffer size = +([\d.]+) MiB")


def logged_bytes(engine: Engine, pattern: re.Pattern[str]) -> tuple[int, int]:
    """The sum of the sizes in the engine's log, and how far off rounding may have put it."""
    sizes = [float(match[2]) for line in engine._child.stderr if (match := pattern.search(line))]
    assert sizes, f"nothing in the log looks like {pattern.pattern}"
    return int(sum(sizes) * MIB), ROUNDING_BYTES * len(sizes)


def assert_logged(engine: Engine, pattern: re.Pattern[str], said_bytes: int) -> None:
    logged, rounding = logged_bytes(engine, pattern)
    assert abs(said_bytes - logged) <= rounding, (pattern.pattern, said_bytes, logged)


def assert_agrees_with_the_log(engine: Engine) -> None:
    host = engine.receipt.host
    assert engine.receipt.exact
    assert engine.receipt.devices == ()
    assert_logged(engine, WEIGHTS, host.weights_bytes)
    assert_logged(engine, CONTEXT, host.context_bytes)
    assert_logged(engine, COMPUTE, host.compute_bytes)
    assert_logged(engine, OUTPUT, engine.receipt.output_bytes)
    assert host.sum_bytes == host.weights_bytes + host.context_bytes + host.compute_bytes


def size(path: Path) -> int:
    return path.stat().st_size


def resident_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


@pytest.mark.live
async def test_the_demo_model_copied_into_memory(demo_model: Path, engines_dir: Path) -> None:
    async with running(demo_model, engines_dir, n_ctx=2000) as engine:
        receipt = engine.receipt
        assert_agrees_with_the_log(engine)
        assert receipt.mapped_bytes == 0
        assert receipt.n_ctx == 2048
        assert receipt.host.context_bytes == 2048 * receipt.n_layer * 2 * 3 * 64 * 2  # f16 keys and values of 3 heads
        assert receipt.output_bytes == 4 * receipt.n_vocab
        assert (receipt.architecture, receipt.n_layer, receipt.n_ctx_train) == ("llama", 30, 8192)
        assert (receipt.template, receipt.threads, receipt.recurrent, receipt.n_swa) == ("model", 1, False, 0)
        assert 0 <= size(demo_model) - receipt.host.weights_bytes < 4 * MIB  # the rest is the header
        # What is reserved for computing is touched as it is needed; weights and the cache are there from the first.
        assert resident_bytes(engine.pid) > receipt.host.weights_bytes + receipt.host.context_bytes


@pytest.mark.live
async def test_the_demo_model_mapped(demo_model: Path, engines_dir: Path) -> None:
    async with running(demo_model, engines_dir, load_mode="none") as copied:
        plain = copied.receipt
    async with running(demo_model, engines_dir, load_mode="mmap") as engine:
        receipt = engine.receipt
        assert_agrees_with_the_log(engine)
        assert receipt.mapped_bytes > 90 * MIB
        assert receipt.mapped_bytes <= receipt.host.weights_bytes
        assert (receipt.host.context_bytes, receipt.host.compute_bytes) == (
            plain.host.context_bytes,
            plain.host.compute_bytes,
        )


@pytest.mark.live
async def test_smaller_settings_take_less(demo_model: Path, engines_dir: Path) -> None:
    async def receipt_of(**settings: object) -> Receipt:
        async with running(demo_model, engines_dir, n_ctx=1024, **settings) as engine:
            assert_agrees_with_the_log(engine)
            return engine.receipt

    plain = await receipt_of()
    quantized = await receipt_of(type_k="q8_0", type_v="q8_0")
    assert quantized.host.context_bytes * 32 == plain.host.context_bytes * 17  # 34 bytes for 32 values, not 64
    small = await receipt_of(n_batch=64, n_ubatch=64)
    assert small.host.compute_bytes < plain.host.compute_bytes
    two = await receipt_of(panes=2)
    assert two.host.context_bytes == 2 * plain.host.context_bytes
    assert two.output_bytes == 2 * plain.output_bytes
    assert (two.n_ctx, plain.n_ctx) == (1024, 1024)


async def test_sliding_windows_and_recurrent_states(models_dir: Path, engines_dir: Path) -> None:
    gemma = tiny_model(models_dir / "receipt-gemma3.gguf", "gemma3")
    async with running(gemma, engines_dir, n_ctx=4096, n_ubatch=64) as engine:
        window = engine.receipt
        assert_agrees_with_the_log(engine)
        assert window.n_swa == 64
    async with running(gemma, engines_dir, n_ctx=4096, n_ubatch=64, swa_full=True) as engine:
        full = engine.receipt
        assert_agrees_with_the_log(engine)
    assert window.host.context_bytes * 3 < full.host.context_bytes
    for architecture in ("mamba", "jamba"):
        made = tiny_model(models_dir / f"receipt-{architecture}.gguf", architecture)
        async with running(made, engines_dir) as engine:
            assert engine.receipt.recurrent
            assert engine.receipt.architecture == architecture
            assert_agrees_with_the_log(engine)


async def test_shards_and_experts(models_dir: Path, engines_dir: Path) -> None:
    whole = tiny_model(models_dir / "receipt-whole.gguf", n_expert=4)
    first = tiny_model(models_dir / "receipt-split.gguf", n_expert=4, shards=3)
    async with running(whole, engines_dir) as engine:
        one = engine.receipt
        assert_agrees_with_the_log(engine)
    async with running(first, engines_dir) as engine:
        assert_agrees_with_the_log(engine)
        assert engine.receipt.host == one.host
        assert engine.receipt.n_params == one.n_params
    async with running(whole, engines_dir, n_cpu_moe=2) as engine:
        assert engine.receipt.host == one.host
