"""How good is a prediction of speed? Each origin's range for the demo model against real runs of it on this machine.

In the order in which a person would meet them: the plain roofline, the roofline calibrated by another model that ran
here, a phantom run of the header alone, and the file's own first run. Real runs and phantom runs take turns, so that a
machine that speeds up or slows down does so for both.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.demo import demo_model
from tests.rigs.gguf_maker import tiny_model
from tui.engine.client import Engine
from tui.engine.protocol import Done, Timings
from tui.fit.bandwidths import ram_bandwidth
from tui.fit.from_header import shape_of_layout
from tui.fit.measured import Kind, Measurement, SpeedStore
from tui.fit.phantom import phantom_speed
from tui.fit.shape import ModelShape
from tui.fit.speed import estimate, measurement
from tui.fit.values import Machine, Prediction
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import strip
from tui.hardware.cpu import default_threads, logical_cpus
from tui.llama.phantom_messages import PhantomSpeed
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings, SamplingSettings

RUNS, PROMPT_WORDS, TOKENS = 3, 150, 64
SETTINGS = LoadSettings(n_gpu_layers=0, n_ctx=2048)
_ROOM = 1 << 50


def main() -> None:
    """Measure and tell."""
    asyncio.run(_main())


async def _main() -> None:
    threads = default_threads()
    busy = os.getloadavg()[0]  # a prediction is for a machine that does nothing else
    with tempfile.TemporaryDirectory() as folder:
        store = SpeedStore(Path(folder) / "speed.json")
        machine = Machine(
            host_total_bytes=_ROOM,
            host_available_bytes=_ROOM,
            host_bandwidth_bytes_s=await ram_bandwidth(store, threads),
            host_bandwidth_origin="measured",
            cores=threads,
        )
        other = tiny_model(Path(folder) / "other.gguf", "gemma3", n_layer=24, n_embd=768, quant="Q8_0")
        calibration = [
            _measurement(read_layout(other), machine, "answer", run, "other")
            for run in await _real(other, Path(folder))
        ]
        real, phantoms = await _by_turns(demo_model(), machine, threads, Path(folder))
    _tell(machine, calibration, real, phantoms, busy)


async def _by_turns(
    path: Path, machine: Machine, threads: int, folder: Path
) -> tuple[list[Timings], list[PhantomSpeed]]:
    layout = read_layout(path)
    header, shape = strip(layout), shape_of_layout(layout)
    real: list[Timings] = []
    phantoms: list[PhantomSpeed] = []
    for _ in range(RUNS):
        real += await _real(path, folder, runs=1)
        phantoms.append(
            await phantom_speed(
                header,
                SETTINGS,
                _on_host(),
                machine,
                n_block=shape.n_block,
                n_cpu_moe=0,
                threads=threads,
                cpus=len(logical_cpus()),
            )
        )
    return real, phantoms


async def _real(path: Path, folder: Path, runs: int = 3) -> list[Timings]:
    """Timings of runs after one that warms up, each on a text of its own."""
    found: list[Timings] = []
    async with await Engine.start(path, SETTINGS, name="bench", engines_dir=folder) as engine:
        for run in range(runs + 1):
            draw = random.Random(run)
            text = " ".join(f"{draw.choice(('river', 'stone', 'winter', 'seven'))}" for _ in range(PROMPT_WORDS))
            sampling = SamplingSettings(temperature=0)
            generation = engine.generate(prompt=text, sampling=sampling, max_tokens=TOKENS, ignore_end=True)
            found += [event.timings async for event in generation if isinstance(event, Done)]
    return found[1:]


def _tell(
    machine: Machine,
    calibration: list[Measurement],
    real: list[Timings],
    phantoms: list[PhantomSpeed],
    busy: float,
) -> None:
    layout = read_layout(demo_model())
    shape = shape_of_layout(layout)
    first = _measurement(layout, machine, "answer", real[0], "demo")
    tried = [_measurement(layout, machine, "phantom", run, "demo") for run in phantoms]
    evidence = {"roofline": [], "calibrated": calibration, "phantom": [*calibration, *tried], "measured": [first]}
    n_past = first.n_past
    rows = [_row(source, shape, machine, known, n_past, real) for source, known in evidence.items()]
    decode = statistics.median(run.decode_tok_s or 0.0 for run in real)
    ratio = statistics.median(run.decode_tok_s for run in phantoms) / decode
    verdict = {
        "all_inside": all(row["decode_inside"] for row in rows),
        "phantom_ratio": round(ratio, 3),
        "ram_gb_s": round((machine.host_bandwidth_bytes_s or 0.0) / 1e9, 1),
        "threads": machine.cores,
        "load_before": round(busy, 1),
    }
    tell("speed", rows, verdict)


def _row(
    source: str, shape: ModelShape, machine: Machine, known: list[Measurement], n_past: int, real: list[Timings]
) -> dict[str, Any]:
    speed = estimate(shape, SETTINGS, _on_host(), machine, known, model="demo", n_past=n_past)
    assert speed is not None
    assert speed.source == source
    assert speed.prefill_tok_s is not None
    decode = statistics.median(run.decode_tok_s or 0.0 for run in real)
    prefill = statistics.median(run.prefill_tok_s or 0.0 for run in real)
    (low, high), (prefill_low, prefill_high) = speed.decode_tok_s, speed.prefill_tok_s
    return {
        "source": source,
        "decode_low": low,
        "decode_high": high,
        "decode_real": decode,
        "decode_inside": low <= decode <= high,
        "prefill_low": prefill_low,
        "prefill_high": prefill_high,
        "prefill_real": prefill,
        "prefill_inside": prefill_low <= prefill <= prefill_high,
        "answer_s": speed.answer_s(),
    }


def _measurement(layout: Layout, machine: Machine, kind: Kind, run: Timings | PhantomSpeed, model: str) -> Measurement:
    n_past = run.n_past if isinstance(run, PhantomSpeed) else run.prompt_tokens + run.completion_tokens // 2
    return measurement(
        shape_of_layout(layout),
        SETTINGS,
        _on_host(),
        machine,
        model=model,
        kind=kind,
        time=time.time(),
        n_past=n_past,
        decode_tok_s=run.decode_tok_s,
        prefill_tok_s=run.prefill_tok_s,
    )


def _on_host() -> Prediction:
    """Everything in RAM; how many bytes plays no part in a speed on the host."""
    assert isinstance(SETTINGS.n_ctx, int)
    return Prediction(host=DeviceBytes(name="host"), source="dry-run", n_ctx=SETTINGS.n_ctx, n_gpu_layers=0)


if __name__ == "__main__":
    main()
