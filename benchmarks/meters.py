"""What benchmarks of meters share: cards at work on the stand-in NVML, and what a program in a pty takes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from tests.rigs.nvml import GIB, FakeGpu
from tests.rigs.terminal import Terminal

SETTLE_S = 3.0
"""What a program gets to become quiet."""


def cards(count: int) -> list[FakeGpu]:
    """Cards at work; each holds memory of two processes that are here."""
    return [
        FakeGpu(
            uuid=f"GPU-{index:08d}-0000-0000-0000-000000000000",
            utilization=11 * index % 100,
            used=(3 + index) * GIB,
            free=(20 - index) * GIB,
            compute=[(os.getpid(), GIB), (os.getppid(), 2 * GIB)],
        )
        for index in range(count)
    ]


def measured(
    command: Sequence[str], env: dict[str, str], seconds: float, *, keys: str = "", then: str = ""
) -> dict[str, float]:
    """Milliseconds of CPU per second, resident MiB, and seconds to the first GPU on screen. `keys` are typed once it is
    there, and `then` is waited for.
    """
    with Terminal(command, columns=120, rows=40, env=env) as terminal:
        first_s = terminal.wait(lambda screen: "Stand-in" in screen) - terminal.begun
        if keys:
            _pump(terminal, SETTLE_S)
            terminal.type(keys)
            terminal.wait_for(then)
        _pump(terminal, SETTLE_S)
        before, begun = _cpu_ns(terminal.pid), time.perf_counter()
        _pump(terminal, seconds)
        spent, passed = _cpu_ns(terminal.pid) - before, time.perf_counter() - begun
        return {"cpu_ms_s": spent / 1e6 / passed, "rss_mib": _rss_mib(terminal.pid), "first_s": first_s}


def _pump(terminal: Terminal, seconds: float) -> None:
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        terminal.pump(left, draw=False)


def _cpu_ns(pid: int) -> int:
    """Nanoseconds on a CPU, of every thread; /proc/PID/stat counts in hundredths of a second only."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def _rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
