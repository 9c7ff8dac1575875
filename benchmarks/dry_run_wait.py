"""How long does one more setting take, and how long the best settings? Median wait for an answer about a context that
was not asked about before, another micro-batch, and another number of layers, which loads the header again; then plans
for GPUs with room for a part of the model. On no GPU, and on some that are not here.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.report import tell
from tests.rigs.architectures import published_model
from tests.rigs.demo import demo_model
from tui.fit.closed_form import predict
from tui.fit.from_header import shape_of_layout
from tui.fit.oracle import DryRun
from tui.fit.plan import plan
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import StrippedHeader, strip
from tui.llama.settings import LoadSettings

_GOAL_MS = 20
_PLAN_GOAL_S = 1
_ASKED = 20
_PARTS = (1.0, 0.6, 0.3)
"""Of the weights, how much the GPUs of a plan have room for."""
_MODELS = ("llama3-8b", "qwen3-30b-a3b", "gemma3-12b", "llama3-70b")


def main() -> None:
    """Ask and tell."""
    asyncio.run(_main())


async def _main() -> None:
    begun = time.perf_counter()
    async with DryRun() as dry_run:
        await dry_run.devices()
        start_s = time.perf_counter() - begun
        with tempfile.TemporaryDirectory() as folder:
            models = list(_models(Path(folder)))
        rows = [await _row(dry_run, *model, count) for model in models for count in (0, 1, 2)]
        plans = [await _plans(*model, count) for model in models for count in (1, 2, 4)]
    worst, worst_plan = max(row["context_ms"] for row in rows), max(row["worst_s"] for row in plans)
    tell(
        "dry_run_wait",
        rows,
        {
            "start_s": round(start_s, 2),
            "worst_context_ms": worst,
            "goal_ms": _GOAL_MS,
            "reached": worst < _GOAL_MS,
            "plans": plans,
            "worst_plan_s": worst_plan,
            "plan_goal_s": _PLAN_GOAL_S,
            "plan_reached": worst_plan < _PLAN_GOAL_S,
        },
    )


def _models(folder: Path) -> Iterator[tuple[str, Layout, StrippedHeader]]:
    paths = {"smollm2-135m": demo_model()}
    paths |= {name: published_model(folder / name, name) for name in _MODELS}
    for name, path in paths.items():
        layout = read_layout(path)
        yield name, layout, strip(layout)


def _machine(count: int, gib: float) -> Machine:
    size = int(gib * (1 << 30))
    devices = (DeviceSpec(name=f"GPU{i}", total_bytes=size, free_bytes=size) for i in range(count))
    return Machine(devices=tuple(devices), host_total_bytes=1 << 40, host_available_bytes=1 << 40)


async def _row(dry_run: DryRun, name: str, _layout: Layout, header: StrippedHeader, count: int) -> dict[str, Any]:
    machine = _machine(count, 80)
    await dry_run.predict(header, LoadSettings(n_gpu_layers="all", n_ctx=512), machine)
    contexts = [LoadSettings(n_gpu_layers=16, n_ctx=256 * (step + 2)) for step in range(_ASKED)]
    batches = [LoadSettings(n_gpu_layers=16, n_ctx=512, n_ubatch=16 * (step + 2)) for step in range(_ASKED)]
    layers = [LoadSettings(n_gpu_layers=step, n_ctx=512) for step in range(_ASKED) if step != 16]
    await dry_run.predict(header, contexts.pop(), machine)
    return {
        "model": name,
        "gpus": count,
        **await _waits(dry_run, header, contexts, machine, "context"),
        **await _waits(dry_run, header, batches, machine, "ubatch"),
        **await _waits(dry_run, header, layers, machine, "layers"),
    }


async def _plans(name: str, layout: Layout, header: StrippedHeader, count: int) -> dict[str, Any]:
    """Plans in a process that has not seen the model, the start of the process left out."""
    shape = shape_of_layout(layout)
    asks, waits = [], []
    for part in _PARTS:
        machine = _machine(count, 1.5 + part * header.data_bytes / (1 << 30) / count)
        async with DryRun() as dry_run:
            await dry_run.devices()

            async def ask(settings: LoadSettings, machine: Machine = machine, dry_run: DryRun = dry_run) -> Prediction:
                return await dry_run.predict(header, settings, machine)

            async def formula(settings: LoadSettings, machine: Machine = machine) -> Prediction:
                return predict(shape, settings, machine)

            begun = time.perf_counter()
            found = await plan(LoadSettings(), shape, machine, ask, formula=formula)
            waits.append(time.perf_counter() - begun)
            asks.append(found.asks)
    return {"model": name, "gpus": count, "asks": asks, "worst_s": round(max(waits), 2)}


async def _waits(
    dry_run: DryRun, header: StrippedHeader, asked: list[LoadSettings], machine: Machine, what: str
) -> dict[str, float]:
    """Median of what a person waits, and of the CPU time that the process takes for it, in milliseconds."""
    process = psutil.Process(dry_run.pid)
    waits, costs = [], []
    for settings in asked:
        before, begun = process.cpu_times(), time.perf_counter()
        found = await dry_run.predict(header, settings, machine)
        waits.append(time.perf_counter() - begun)
        after = process.cpu_times()
        costs.append(after.user + after.system - before.user - before.system)
        if found.source != "dry-run":
            raise RuntimeError(f"no dry run on this machine: {found.reason}")
    wait, cost = statistics.median(waits), statistics.fmean(costs)
    return {f"{what}_ms": round(1000 * wait, 1), f"{what}_cpu_ms": round(1000 * cost, 1)}


if __name__ == "__main__":
    main()
