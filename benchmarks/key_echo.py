"""How long from a key to its own echo while an answer streams? In a real pty, with the real demo model.

A character that occurs nowhere else is typed, and its bytes are waited for in the raw output. Goal: p99 at most 33 ms.
"""

from __future__ import annotations

import sys
import tempfile
import time
from typing import Any

from benchmarks.report import quantiles, tell
from tests.rigs.terminal import Terminal

SAMPLES, GAP_S = 200, 0.12
_MARK = "¤"
_QUESTION = "Tell me a very long story about a river, with many chapters."


def main() -> None:
    """Measure idle and while streaming, and tell."""
    rows: list[dict[str, Any]] = []
    for size in ((80, 24), (160, 45)):
        with tempfile.TemporaryDirectory() as home:
            rows += _measure(home, *size)
    worst = max(row["p99"] for row in rows if row["state"] == "streaming")
    tell("key_echo", rows, {"streaming_p99_ms": worst, "goal_p99_ms": 33, "reached": worst <= 33})


def _measure(home: str, columns: int, height: int) -> list[dict[str, Any]]:
    env = {"PUNA_HOME": home, "HF_HOME": f"{home}/hf"}
    with Terminal(
        [sys.executable, "-m", "tui", "chat", "smollm2-demo"], columns=columns, rows=height, env=env
    ) as terminal:
        terminal.wait_for("ready", 60)
        idle = _samples(terminal)
        terminal.type("\x15" + _QUESTION + "\r")
        terminal.wait_for("tok/s", 60)
        streaming = _samples(terminal, keep_streaming=True)
    size = f"{columns}x{height}"
    return [
        {"size": size, "state": "idle", **quantiles(idle), "n": len(idle)},
        {"size": size, "state": "streaming", **quantiles(streaming), "n": len(streaming)},
    ]


def _samples(terminal: Terminal, *, keep_streaming: bool = False) -> list[float]:
    found: list[float] = []
    while len(found) < SAMPLES:
        mark = len(terminal.raw)
        took = terminal.echo(_MARK)
        if took is None:
            raise SystemExit("a key was never echoed; the screen was:\n" + terminal.text())
        found.append(took)
        until = time.perf_counter() + GAP_S
        while time.perf_counter() < until:
            terminal.pump(max(0.0, until - time.perf_counter()), draw=False)
        if keep_streaming and len(terminal.raw) - mark < 200:  # nothing but the echo came: the answer is over
            terminal.type("\x15" + _QUESTION + "\r")
            terminal.pump(0.5, draw=False)
        elif len(found) % 40 == 0:
            terminal.type("\x15")
    return found


if __name__ == "__main__":
    main()
