"""Speed before the download: a model's header alone is timed as the whole file is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]
import pytest

from tests.fit.shapes import host_machine, laid_out
from tui.engine.client import Engine
from tui.engine.protocol import Done
from tui.fit.phantom import PhantomError, phantom_speed
from tui.fit.values import DeviceSpec, Refused
from tui.gguf.layout import read_layout
from tui.gguf.stripped import StrippedHeader, strip
from tui.hardware.cpu import default_threads, logical_cpus
from tui.llama.phantom_messages import PhantomSpeed
from tui.llama.settings import LoadSettings, SamplingSettings

SETTINGS = LoadSettings(n_gpu_layers=0, n_ctx=512)
ROOMY = msgspec.structs.replace(host_machine(), host_total_bytes=1 << 40, host_available_bytes=1 << 40)
ON_HOST = laid_out(0)


@pytest.fixture(scope="module")
def demo_header(demo_model: Path) -> StrippedHeader:
    return strip(read_layout(demo_model))


async def run(header: StrippedHeader, settings: LoadSettings = SETTINGS, **more: Any) -> PhantomSpeed:
    arguments: dict[str, Any] = {"prediction": ON_HOST, "machine": ROOMY, "n_block": 30, "n_cpu_moe": 0, **more}
    return await phantom_speed(
        header, settings, threads=default_threads(), cpus=len(logical_cpus()), timeout_s=100, **arguments
    )


async def test_a_header_decodes_about_as_fast_as_its_file(tiny_llama: Path, tmp_path: Path) -> None:
    phantom = await run(strip(read_layout(tiny_llama)))
    assert phantom.load_s > 0
    assert phantom.prefill_tokens in (32, 128, 256)
    assert 4 <= phantom.decode_tokens <= 64
    assert phantom.n_past == phantom.prefill_tokens + phantom.decode_tokens // 2
    assert phantom.prefill_tok_s > 0
    # A mistaken unit or count is beyond this; programs beside it cost either of the two several times its speed.
    assert 0.05 < phantom.decode_tok_s / await _real_decode(tiny_llama, tmp_path) < 20


async def _real_decode(path: Path, folder: Path) -> float:
    sampling = SamplingSettings(temperature=0)
    async with await Engine.start(path, SETTINGS, name="tiny", engines_dir=folder) as engine:
        generation = engine.generate(prompt="Once upon a time", sampling=sampling, max_tokens=24, ignore_end=True)
        async for event in generation:
            if isinstance(event, Done):
                assert event.timings.decode_tok_s
                return event.timings.decode_tok_s
    raise AssertionError("a generation ends with Done")


async def test_a_header_that_llama_cpp_refuses(demo_header: StrippedHeader) -> None:
    damaged = StrippedHeader(
        demo_header.data.replace(b"llama.block_count", b"llama.block_coumt"), demo_header.data_bytes, ""
    )
    with pytest.raises(Refused, match=r"could not load the header: .*block_count"):
        await run(damaged)


async def test_what_is_no_header_at_all() -> None:
    with pytest.raises(Refused, match="not a GGUF file"):
        await run(StrippedHeader(b"no model", 0, ""))


async def test_settings_that_llama_cpp_refuses(demo_header: StrippedHeader) -> None:
    missing = msgspec.structs.replace(SETTINGS, devices=("CUDA7",))
    with pytest.raises(Refused, match="no device 'CUDA7' here"):
        await run(demo_header, missing)


async def test_more_than_is_free_is_refused_before_anything_is_loaded(demo_header: StrippedHeader) -> None:
    full = msgspec.structs.replace(ROOMY, host_available_bytes=1 << 30)
    big = msgspec.structs.replace(ON_HOST, host=msgspec.structs.replace(ON_HOST.host, weights_bytes=3 << 29))
    with pytest.raises(Refused, match=r"does not fit: 1\.5 GiB too much, with 1\.0 GiB kept free"):
        await run(demo_header, prediction=big, machine=full)


async def test_a_described_machine_cannot_be_tried(demo_header: StrippedHeader) -> None:
    card = DeviceSpec(name="4090", total_bytes=1 << 40, free_bytes=1 << 40)
    with pytest.raises(Refused, match="not in this machine"):
        await run(
            demo_header, prediction=laid_out(0, ("4090", 0)), machine=msgspec.structs.replace(ROOMY, devices=(card,))
        )


async def test_one_that_takes_too_long_leaves_nothing_behind(demo_header: StrippedHeader) -> None:
    before = set(psutil.Process().children())
    with pytest.raises(PhantomError, match="did not answer"):
        await phantom_speed(
            demo_header, SETTINGS, ON_HOST, ROOMY, n_block=30, n_cpu_moe=0, threads=1, cpus=2, timeout_s=0.1
        )
    assert set(psutil.Process().children()) <= before
