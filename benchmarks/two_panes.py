"""What do two panes on one model write together? Against one pane, and against llama.cpp's own batched decode.

Both are loaded at the same time and asked in turn, the same texts in the same order. Prompts are read beforehand: only
writing counts. Goals: on a CPU at least 0.97 of what llama.cpp's own batch of two gives; on a GPU (`--gpu`) the two
panes together at least 1.5 times one pane, too.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.demo import demo_model
from tui.engine.client import Engine
from tui.engine.protocol import Done
from tui.hardware.cpu import default_threads
from tui.llama.settings import LoadSettings, SamplingSettings

RUNS, N_CTX, TOKENS = 7, 2048, 128
TEXTS = ("The river comes down from the mountains and ", "A short history of the llama begins with ")
GPU = "--gpu" in sys.argv


def main() -> None:
    """Measure and tell."""
    asyncio.run(_main())


async def _main() -> None:
    path, threads = demo_model(), default_threads()
    settings = LoadSettings(n_ctx=N_CTX, n_gpu_layers="all" if GPU else 0, threads=threads, panes=2)
    bare, rows = _Bare(path, threads), []
    with tempfile.TemporaryDirectory() as folder:
        async with await Engine.start(path, settings, name="bench", engines_dir=Path(folder)) as engine:
            for run in range(RUNS + 1):
                found: dict[str, float] = {}
                for who in ("engine", "bare") if run % 2 else ("bare", "engine"):
                    for panes in (1, 2):
                        texts = TEXTS[:panes]
                        rate = await _engine(engine, texts) if who == "engine" else bare.ask(texts)
                        found[f"{who}_{panes}"] = rate
                if run:  # the first warms both up
                    rows.append({"run": run, **_row(found)})
    bare.close()
    tell("two_panes", rows, _verdict(rows, threads))


def _row(found: dict[str, float]) -> dict[str, float]:
    return {
        "one_pane": found["engine_1"],
        "two_panes": found["engine_2"],
        "gain": found["engine_2"] / found["engine_1"],
        "bare_one": found["bare_1"],
        "bare_two": found["bare_2"],
        "bare_gain": found["bare_2"] / found["bare_1"],
        "to_bare": found["engine_2"] / found["bare_2"],
    }


def _verdict(rows: list[dict[str, Any]], threads: int) -> dict[str, Any]:
    gain, bare_gain, to_bare = (
        round(statistics.median(row[name] for row in rows), 3) for name in ("gain", "bare_gain", "to_bare")
    )
    return {
        "gain": gain,
        "bare_gain": bare_gain,
        "to_bare": to_bare,
        "goal_to_bare": 0.97,
        "goal_gain_gpu": 1.5,
        "reached": to_bare >= 0.97 and (not GPU or gain >= 1.5),
        "threads": threads,
        "tokens": TOKENS,
    }


async def _engine(engine: Engine, texts: tuple[str, ...]) -> float:
    """Tokens a second of all panes together."""
    await asyncio.gather(*(_write(engine, text, pane, 1) for pane, text in enumerate(texts)))  # reads the prompts
    begun = time.perf_counter()
    counts = await asyncio.gather(*(_write(engine, text, pane, TOKENS) for pane, text in enumerate(texts)))
    return sum(counts) / (time.perf_counter() - begun)


async def _write(engine: Engine, text: str, pane: int, tokens: int) -> int:
    generation = engine.generate(
        prompt=text, sampling=SamplingSettings(temperature=0), max_tokens=tokens, pane=pane, ignore_end=True
    )
    async for event in generation:
        if isinstance(event, Done):
            return event.timings.completion_tokens
    raise AssertionError("a generation ends with Done")


class _Bare:
    """The bare batch in a process of its own."""

    def __init__(self, path: Path, threads: int) -> None:
        command = [sys.executable, "-m", "benchmarks.bare_batch", str(path), str(threads), str(N_CTX), str(int(GPU))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def ask(self, texts: tuple[str, ...]) -> float:
        """Tokens a second of all sequences together."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"texts": texts, "tokens": TOKENS}) + "\n")
        self._process.stdin.flush()
        return float(self._read()["decode_tok_s"])

    def close(self) -> None:
        """Its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


if __name__ == "__main__":
    main()
