"""What does a meter cost that runs all day? `puna monitor` against nvitop and nvtop, at 1 Hz, on the stand-in NVML.

Each run is a program in a real pty of 120×40: seconds until the first GPU is on screen, then milliseconds of CPU per
second over all its threads, and resident memory. The programs take turns. nvitop and nvtop are looked for on PATH,
nvitop also in the virtual environment that NVITOP_VENV names; what is not there is left out, and named as missing.
Goals for puna with 8 GPUs: at most 1.5 ms, 20 MiB and 0.2 s.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.nvml import GIB, FakeGpu, StandIn, build
from tests.rigs.terminal import Terminal

RUNS = 3
SETTLE_S, MEASURE_S = 3.0, 15.0
COUNTS = (2, 8)
GOAL = {"cpu_ms_s": 1.5, "rss_mib": 20.0, "first_s": 0.2}


def main() -> None:
    """Measure and tell."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        stand_in = StandIn(build(Path(folder)), Path(folder) / "state")
        env = {**stand_in.environ, "PUNA_HOME": folder, "COLUMNS": "", "LINES": ""}
        for count in COUNTS:
            stand_in.show(_gpus(count))
            for program, command in _programs().items():
                _measured(command, env, 0.5)  # fills the caches of byte code and files
                print(f"{count} GPUs: {program}", file=sys.stderr)
            for _ in range(RUNS):
                rows += [
                    {"gpus": count, "program": program, **_measured(command, env, MEASURE_S)}
                    for program, command in _programs().items()
                ]
    told = [_middle(rows, count, program) for count in COUNTS for program in _programs()]
    missing = [name for name in ("nvitop", "nvtop") if name not in _programs()]
    worst = next(row for row in told if row["program"] == "puna" and row["gpus"] == max(COUNTS))
    reached = {f"reached_{key}": worst[key] <= goal for key, goal in GOAL.items()}
    puna = {f"puna_{key}": worst[key] for key in GOAL}
    tell(
        "monitor", told, {**puna, **{f"goal_{key}": goal for key, goal in GOAL.items()}, **reached, "missing": missing}
    )


def _programs() -> dict[str, list[str]]:
    venv = os.environ.get("NVITOP_VENV")
    nvitop = str(Path(venv) / "bin" / "nvitop") if venv else shutil.which("nvitop")
    found = {"puna": [sys.executable, "-m", "tui", "monitor", "--interval", "1"]}
    if nvitop and Path(nvitop).exists():
        found["nvitop"] = [nvitop, "--monitor", "full", "--interval", "1"]
    if nvtop := shutil.which("nvtop"):
        found["nvtop"] = [nvtop, "--delay", "10"]
    return found


def _gpus(count: int) -> list[FakeGpu]:
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


def _measured(command: Sequence[str], env: dict[str, str], seconds: float) -> dict[str, float]:
    with Terminal(command, columns=120, rows=40, env=env) as terminal:
        first_s = terminal.wait(lambda screen: "Stand-in" in screen) - terminal.begun
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


def _middle(rows: Sequence[dict[str, Any]], count: int, program: str) -> dict[str, Any]:
    same = [row for row in rows if row["gpus"] == count and row["program"] == program]
    return {
        "gpus": count,
        "program": program,
        **{key: round(statistics.median(row[key] for row in same), 3) for key in GOAL},
    }


if __name__ == "__main__":
    main()
