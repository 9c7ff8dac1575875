"""What does a saved state spare? A conversation is reopened in a fresh engine, once by its saved state and once by
being read again, and asked its next question.

Goal: the saved one computes only what is new in the next turn.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.demo import demo_model
from tui.engine.client import Engine
from tui.engine.protocol import ChatMessage, Done, Timings
from tui.llama.settings import LoadSettings, SamplingSettings

WORDS, N_CTX = (100, 400, 1600), 8192
"""Words of the conversation that is reopened: about 3 tokens each."""
_NAMES = ("river", "stone", "winter", "engine", "seven", "walks", "under", "bright")


def main() -> None:
    """Measure and tell."""
    asyncio.run(_main())


async def _main() -> None:
    rows = []
    for words in WORDS:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(await _row(words, Path(folder)))
    extra = sum(row["prefilled"] - row["new"] for row in rows)
    verdict = {"fastest": max(row["times_faster"] for row in rows), "tokens_computed_twice": extra}
    tell("reopening", rows, {**verdict, "goal": 0, "reached": extra == 0})


async def _row(words: int, folder: Path) -> dict[str, Any]:
    draw = random.Random(words)
    story = " ".join(f"{draw.choice(_NAMES)} {draw.randrange(100)}" for _ in range(words))
    turns = [ChatMessage("user", story)]
    more = [*turns, ChatMessage("assistant", "White, and very cold."), ChatMessage("user", "And what of the cats?")]
    async with await _engine(folder) as engine:
        held = (await _ask(engine, turns, 0))[0].n_ctx_used
        begun = time.perf_counter()
        state_bytes = await engine.save_state(folder, "conversation")
        save_s = time.perf_counter() - begun
    async with await _engine(folder) as engine:
        begun = time.perf_counter()
        assert await engine.restore_state(folder, "conversation") == held
        restore_s = time.perf_counter() - begun
        restored, restored_s = await _ask(engine, more, 1)
    async with await _engine(folder) as engine:
        _, read_again_s = await _ask(engine, more, 1)
    return {
        "held": held,
        "new": restored.prompt_tokens - held,
        "prefilled": restored.prefilled_tokens,
        "state_mib": round(state_bytes / 2**20, 1),
        "save_s": save_s,
        "restore_s": restore_s,
        "first_token_s": restore_s + restored_s,
        "read_again_s": read_again_s,
        "times_faster": round(read_again_s / (restore_s + restored_s), 1),
    }


async def _engine(folder: Path) -> Engine:
    settings = LoadSettings(n_ctx=N_CTX, n_gpu_layers=0)
    return await Engine.start(demo_model(), settings, name="bench", engines_dir=folder / "engines")


async def _ask(engine: Engine, messages: Sequence[ChatMessage], max_tokens: int) -> tuple[Timings, float]:
    """The engine's timings, and the seconds until the answer of that many tokens was over."""
    begun = time.perf_counter()
    generation = engine.generate(
        messages=messages, sampling=SamplingSettings(temperature=0), max_tokens=max_tokens, ignore_end=True
    )
    async for event in generation:
        if isinstance(event, Done):
            return event.timings, time.perf_counter() - begun
    raise AssertionError("a generation ends with Done")


if __name__ == "__main__":
    main()
