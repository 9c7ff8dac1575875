"""What do two answers at once bring? Tokens a second of both together against one alone: two panes of one engine, which
computes them in one batch, and two engines beside each other, with all threads each and with half of them.

The ways take turns in every round, so that what else the machine does is in all of them. Goal: two panes of one engine
at least 1.5 times one alone on a GPU; on a CPU what llama.cpp's own batches give, about 1.0 to 1.1 on two cores.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.asking import ask
from tests.rigs.demo import demo_model
from tui.engine.client import Engine
from tui.hardware.cpu import default_threads
from tui.llama.settings import LoadSettings

ROUNDS, TOKENS = 3, 32
_TEXTS = ("The river runs through the valley and", "On the mountain the snow lies deep, and")


def main() -> None:
    """Measure and tell."""
    asyncio.run(_main())


async def _main() -> None:
    threads = default_threads()
    half = max(1, threads // 2)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        async def engine(n_threads: int, panes: int = 1) -> Engine:
            settings = LoadSettings(n_ctx=1024, n_gpu_layers=0, threads=n_threads, panes=panes)
            started = await Engine.start(demo_model(), settings, name="bench", engines_dir=folder)
            return await stack.enter_async_context(started)

        together, whole, other = await engine(threads, 2), await engine(threads), await engine(threads)
        halves = await engine(half), await engine(half)
        ways = {
            "one": ((whole, 0),),
            "two panes of one engine": ((together, 0), (together, 1)),
            "two engines, all threads each": ((whole, 0), (other, 0)),
            "two engines, half the threads each": ((halves[0], 0), (halves[1], 0)),
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, seats in ways.items():
                found[name].append(await _total(seats))
    alone = found["one"]
    rows: list[dict[str, Any]] = [
        {
            "way": name,
            "tok_s": round(statistics.median(totals), 1),
            "times_one": round(statistics.median(total / one for total, one in zip(totals, alone, strict=True)), 2),
        }
        for name, totals in found.items()
    ]
    tell("two_panes", rows, {"threads": threads, "two_panes_times_one": rows[1]["times_one"]})


async def _total(seats: tuple[tuple[Engine, int], ...]) -> float:
    """Tokens a second of all seats together, from the first request to the last end."""
    began = time.perf_counter()
    answers = await asyncio.gather(
        *(ask(engine, text, max_tokens=TOKENS, pane=pane) for (engine, pane), text in zip(seats, _TEXTS, strict=False))
    )
    took = time.perf_counter() - began
    return sum(answer.done.timings.completion_tokens for answer in answers) / took


if __name__ == "__main__":
    main()
