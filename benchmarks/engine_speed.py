"""Does the engine cost anything? Decode and prefill through the engine's client against a bare loop over the C API.

Both are loaded at the same time and asked in turn, the same texts in the same order, so that a machine that speeds up
or slows down does so for both. The goal is a decode ratio of at least 0.97.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.demo import demo_model
from tui.engine.client import Engine
from tui.engine.protocol import Done
from tui.hardware.cpu import default_threads
from tui.llama.settings import LoadSettings, SamplingSettings

RUNS, N_CTX, PROMPT_WORDS, TOKENS = 9, 2048, 300, 128


def main() -> None:
    """Measure and tell."""
    asyncio.run(_main())


async def _main() -> None:
    path, threads = demo_model(), default_threads()
    settings = LoadSettings(n_ctx=N_CTX, n_gpu_layers=0, threads=threads)
    bare = _Bare(path, threads)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        async with await Engine.start(path, settings, name="bench", engines_dir=Path(folder)) as engine:
            for run in range(RUNS + 1):
                text = _text(run)
                order = ("engine", "bare") if run % 2 else ("bare", "engine")
                found = {who: await _engine(engine, text) if who == "engine" else bare.ask(text) for who in order}
                if run:  # the first warms both up
                    rows.append(_row(run, found))
    bare.close()
    tell("engine_speed", rows, _verdict(rows, threads))


def _row(run: int, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    engine, bare = found["engine"], found["bare"]
    return {
        "run": run,
        "prompt": engine["prompt_tokens"],
        "engine_decode": engine["decode_tok_s"],
        "bare_decode": bare["decode_tok_s"],
        "decode_ratio": engine["decode_tok_s"] / bare["decode_tok_s"],
        "engine_prefill": engine["prefill_tok_s"],
        "bare_prefill": bare["prefill_tok_s"],
        "prefill_ratio": engine["prefill_tok_s"] / bare["prefill_tok_s"],
    }


def _verdict(rows: list[dict[str, Any]], threads: int) -> dict[str, Any]:
    decode = statistics.median(row["decode_ratio"] for row in rows)
    prefill = statistics.median(row["prefill_ratio"] for row in rows)
    return {
        "decode_ratio": round(decode, 3),
        "prefill_ratio": round(prefill, 3),
        "goal": 0.97,
        "reached": decode >= 0.97,
        "threads": threads,
        "tokens": TOKENS,
    }


async def _engine(engine: Engine, text: str) -> dict[str, Any]:
    generation = engine.generate(
        prompt=text, sampling=SamplingSettings(temperature=0), max_tokens=TOKENS, ignore_end=True
    )
    async for event in generation:
        if isinstance(event, Done):
            timings = event.timings
            return {
                "prompt_tokens": timings.prompt_tokens,
                "prefill_tok_s": timings.prefill_tok_s,
                "decode_tok_s": timings.decode_tok_s,
            }
    raise AssertionError("a generation ends with Done")


class _Bare:
    """The bare loop in a process of its own."""

    def __init__(self, path: Path, threads: int) -> None:
        command = [sys.executable, "-m", "benchmarks.bare_loop", str(path), str(threads), str(N_CTX)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def ask(self, text: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"text": text, "tokens": TOKENS}) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _text(seed: int) -> str:
    draw = random.Random(seed)
    return " ".join(
        draw.choice(("river", "stone", "winter", "engine", "seven", "walks", "under", "bright"))
        + str(draw.randint(0, 99))
        for _ in range(PROMPT_WORDS)
    )


if __name__ == "__main__":
    main()
