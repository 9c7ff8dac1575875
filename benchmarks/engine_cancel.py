"""How long does a stop take? From the call of `cancel` to the Done that says so, while the demo model reads a prompt
(one call of llama.cpp that takes seconds), while it writes, and while it loads.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import quantiles, tell
from tests.rigs.demo import demo_model
from tui.engine.client import Engine
from tui.engine.protocol import ChatMessage, Delta, Done, PromptProgress
from tui.llama.settings import LoadSettings, SamplingSettings

GOAL_S = 0.1
_ROUNDS = 20
_LONG = " ".join(f"word{number}" for number in range(400))
_GREEDY = SamplingSettings(temperature=0)


def main() -> None:
    """Measure and tell."""
    asyncio.run(_main())


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        loads = [await _cancelled_load(Path(folder)) for _ in range(_ROUNDS)]
        settings = LoadSettings(n_ctx=4096, n_gpu_layers=0, n_ubatch=2048)
        async with await Engine.start(demo_model(), settings, name="bench", engines_dir=Path(folder)) as engine:
            prefills = [await _cancelled(engine, PromptProgress, turn) for turn in range(_ROUNDS)]
            decodes = [await _cancelled(engine, Delta, turn) for turn in range(_ROUNDS)]
    rows: list[dict[str, Any]] = [
        {"while": phase, "rounds": len(seconds), **{f"{name}_s": value for name, value in quantiles(seconds).items()}}
        for phase, seconds in (("load", loads), ("prefill", prefills), ("decode", decodes))
    ]
    worst = max(row["max_s"] for row in rows[1:])
    tell("engine_cancel", rows, {"worst_s": worst, "goal_s": GOAL_S, "reached": worst <= GOAL_S})


async def _cancelled(engine: Engine, moment: type[PromptProgress] | type[Delta], turn: int) -> float:
    """Seconds from the cancel to Done; the cancel comes a little later each turn, so that it meets other places."""
    question = f"{turn}: {_LONG}" if moment is PromptProgress else f"{turn}: tell a very long story"
    generation = engine.generate(messages=[ChatMessage("user", question)], sampling=_GREEDY)
    asked = 0.0
    async for event in generation:
        if isinstance(event, moment) and not asked:
            await asyncio.sleep(0.01 * turn)
            asked = time.perf_counter()
            generation.cancel()
        if isinstance(event, Done):
            assert event.reason == "cancelled", "it was done before it could be stopped"
            return time.perf_counter() - asked
    raise AssertionError("a generation ends with Done")


async def _cancelled_load(folder: Path) -> float:
    """Seconds until the process of a load that is stopped halfway has gone."""
    halfway = asyncio.Event()

    def progress(share: float) -> None:
        if share >= 0.5:
            halfway.set()

    settings = LoadSettings(n_ctx=512, n_gpu_layers=0)
    starting = asyncio.create_task(
        Engine.start(demo_model(), settings, name="bench", on_progress=progress, engines_dir=folder)
    )
    await halfway.wait()
    asked = time.perf_counter()
    starting.cancel()
    await asyncio.wait([starting])
    return time.perf_counter() - asked


if __name__ == "__main__":
    main()
