"""Is only what is new computed? Prefilled tokens of each turn of a growing chat against the tokens that were new in
it.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.demo import demo_model
from tui.engine.client import Engine
from tui.engine.protocol import ChatMessage, Delta, Done
from tui.llama.settings import LoadSettings, SamplingSettings

_QUESTIONS = (
    "Name three rivers and say where they flow.",
    "Which of them is the longest?",
    "Write a short poem about that one.",
    "Now in French, please: 'l'été à la rivière' — with these words.",
    "Thank you. What did I ask first?",
)


def main() -> None:
    """Measure and tell."""
    asyncio.run(_main())


async def _main() -> None:
    rows: list[dict[str, Any]] = []
    settings = LoadSettings(n_ctx=4096, n_gpu_layers=0)
    with tempfile.TemporaryDirectory() as folder:
        async with await Engine.start(demo_model(), settings, name="bench", engines_dir=Path(folder)) as engine:
            messages: list[ChatMessage] = []
            held = 0
            for question in _QUESTIONS:
                messages.append(ChatMessage("user", question))
                text, done = await _ask(engine, messages)
                messages.append(ChatMessage("assistant", text))
                timings = done.timings
                rows.append(
                    {
                        "prompt": timings.prompt_tokens,
                        "held_before": held,
                        "new": timings.prompt_tokens - held,
                        "prefilled": timings.prefilled_tokens,
                        "ttft_s": timings.ttft_s,
                    }
                )
                held = timings.n_ctx_used
    extra = sum(row["prefilled"] - row["new"] for row in rows)
    tell("second_turn", rows, {"tokens_computed_twice": extra, "goal": 0, "reached": extra == 0})


async def _ask(engine: Engine, messages: list[ChatMessage]) -> tuple[str, Done]:
    text = ""
    generation = engine.generate(messages=messages, sampling=SamplingSettings(temperature=0), max_tokens=160)
    async for event in generation:
        if isinstance(event, Delta):
            text += event.text
        elif isinstance(event, Done):
            return text, event
    raise AssertionError("a generation ends with Done")


if __name__ == "__main__":
    main()
