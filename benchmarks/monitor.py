"""What does a meter cost that runs all day? `puna monitor` against nvitop and nvtop, at 1 Hz, on the stand-in NVML.

Each run is a program in a real pty of 120×40: seconds until the first GPU is on screen, then milliseconds of CPU per
second over all its threads, and resident memory. The programs take turns. nvitop and nvtop are looked for beside this
Python and on PATH; what is not there is left out, and named as missing.
Goals for puna with 8 GPUs: at most 1.5 ms, 20 MiB and 0.2 s.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.meters import cards, measured
from benchmarks.report import tell
from tests.rigs.nvml import StandIn, build

RUNS = 3
MEASURE_S = 15.0
COUNTS = (2, 8)
GOAL = {"cpu_ms_s": 1.5, "rss_mib": 20.0, "first_s": 0.2}


def main() -> None:
    """Measure and tell."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        stand_in = StandIn(build(Path(folder)), Path(folder) / "state")
        env = {**stand_in.environ, "PUNA_HOME": folder, "COLUMNS": "", "LINES": ""}
        for count in COUNTS:
            stand_in.show(cards(count))
            for program, command in _programs().items():
                measured(command, env, 0.5)  # fills the caches of byte code and files
                print(f"{count} GPUs: {program}", file=sys.stderr)
            for _ in range(RUNS):
                rows += [
                    {"gpus": count, "program": program, **measured(command, env, MEASURE_S)}
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
    nvitop = shutil.which("nvitop", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    found = {"puna": [sys.executable, "-m", "tui", "monitor", "--interval", "1"]}
    if nvitop:
        found["nvitop"] = [nvitop, "--monitor", "full", "--interval", "1"]
    if nvtop := shutil.which("nvtop"):
        found["nvtop"] = [nvtop, "--delay", "10"]
    return found


def _middle(rows: Sequence[dict[str, Any]], count: int, program: str) -> dict[str, Any]:
    same = [row for row in rows if row["gpus"] == count and row["program"] == program]
    return {
        "gpus": count,
        "program": program,
        **{key: round(statistics.median(row[key] for row in same), 3) for key in GOAL},
    }


if __name__ == "__main__":
    main()
