"""What does the meter cost in the workbench? With 8 GPUs at 1 Hz, on the stand-in NVML: closed, open, hardly at all.

Each run is `puna` in a real pty of 120×40; what is measured is the whole program, its milliseconds of CPU per second
over all threads and its resident memory. Runs take turns: with the strip, with the full form, and with the strip at an
interval of 10 s, which tells what the program costs by itself. Goal for the full form: at most 10 ms.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.meters import cards, measured
from benchmarks.report import tell
from tests.rigs.nvml import StandIn, build

RUNS = 3
MEASURE_S = 20.0
COUNT = 8
GOAL_MS = 10.0
_FORMS = {"hardly": (10.0, "", ""), "strip": (1.0, "", ""), "full": (1.0, "\x07", "close")}
"""Interval in seconds, keys that bring the form up, and the word on screen that tells that it is there."""


def main() -> None:
    """Measure and tell."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        stand_in = StandIn(build(Path(folder)), Path(folder) / "state")
        stand_in.show(cards(COUNT))
        for run in range(RUNS):
            for form, (interval_s, keys, then) in _FORMS.items():
                home = Path(folder) / form
                (home / "config").mkdir(parents=True, exist_ok=True)
                (home / "config" / "config.toml").write_text(f"[monitor]\ninterval_s = {interval_s}\n")
                env = {**stand_in.environ, "PUNA_HOME": str(home), "HF_HOME": f"{home}/hf"}
                took = measured([sys.executable, "-m", "tui"], env, MEASURE_S, keys=keys, then=then)
                rows.append({"run": run, "form": form, **{key: round(value, 3) for key, value in took.items()}})
    middle = {
        form: round(statistics.median(row["cpu_ms_s"] for row in rows if row["form"] == form), 3) for form in _FORMS
    }
    tell(
        "meter_panel",
        rows,
        {
            **{f"{form}_cpu_ms_s": value for form, value in middle.items()},
            "goal_cpu_ms_s": GOAL_MS,
            "reached": middle["full"] <= GOAL_MS,
        },
    )


if __name__ == "__main__":
    main()
