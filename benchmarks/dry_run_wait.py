"""How long does one more setting take? Median wait for an answer about a context that was not asked about before, and
about another number of layers, which loads the header again; on no GPU, one, and two that are not here.
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
from tui.fit.oracle import DryRun
from tui.fit.values import DeviceSpec, Machine
from tui.gguf.layout import read_layout
from tui.gguf.stripped import StrippedHeader, strip
from tui.llama.settings import LoadSettings

_GOAL_MS = 20
_ASKED = 20
_MODELS = ("llama3-8b", "qwen3-30b-a3b", "gemma3-12b", "llama3-70b")


def main() -> None:
    """Ask and tell."""
    asyncio.run(_main())


async def _main() -> None:
    begun = time.perf_counter()
    async with DryRun() as dry_run:
        await dry_run.devices()
        start_s = time.perf_counter() - begun
        rows = [await _row(dry_run, *case) for case in _cases()]
    worst = max(row["context_ms"] for row in rows)
    goal = {"goal_ms": _GOAL_MS, "reached": worst < _GOAL_MS}
    tell("dry_run_wait", rows, {"start_s": round(start_s, 2), "worst_context_ms": worst, **goal})


def _cases() -> Iterator[tuple[str, StrippedHeader, int]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {"smollm2-135m": demo_model()}
        paths |= {name: published_model(Path(folder) / name, name) for name in _MODELS}
        for name, path in paths.items():
            header = strip(read_layout(path))
            yield from ((name, header, count) for count in (0, 1, 2))


async def _row(dry_run: DryRun, name: str, header: StrippedHeader, count: int) -> dict[str, Any]:
    machine = Machine(
        devices=tuple(DeviceSpec(name=f"GPU{i}", total_bytes=80 << 30, free_bytes=80 << 30) for i in range(count))
    )
    contexts = [LoadSettings(n_gpu_layers=16, n_ctx=256 * (step + 2)) for step in range(_ASKED)]
    layers = [LoadSettings(n_gpu_layers=step, n_ctx=512) for step in range(_ASKED) if step != 16]
    await dry_run.predict(header, contexts.pop(), machine)
    return {
        "model": name,
        "gpus": count,
        **await _waits(dry_run, header, contexts, machine, "context"),
        **await _waits(dry_run, header, layers, machine, "layers"),
    }


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
