"""How each benchmark tells its result: a table for people, one JSON line for machines, and a file in
benchmarks/results/.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return {
        "cpu": cpu or platform.processor(),
        "logical_cpus": os.cpu_count(),
        "ram_gib": round(int(memory) / 2**20, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "textual": version("textual"),
        "llama_cpp_python": version("llama-cpp-python"),
    }


def tell(question: str, rows: Sequence[dict[str, Any]], verdict: dict[str, Any]) -> None:
    """Print the table and the JSON line; with --save, keep them in benchmarks/results/."""
    if rows:
        widths = {key: max(len(key), *(len(_cell(row.get(key))) for row in rows)) for key in rows[0]}
        print("  ".join(f"{key:>{width}}" for key, width in widths.items()))
        for row in rows:
            print("  ".join(f"{_cell(row.get(key)):>{width}}" for key, width in widths.items()))
    result = {
        "question": question,
        **verdict,
        "rows": list(rows),
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
    }
    print(json.dumps({"question": question, **verdict}))
    if "--save" in sys.argv:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{question}.json").write_text(json.dumps(result, indent=1) + "\n")


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, and the largest."""
    ordered = sorted(values)
    shares = {"p95": 0.95, "p99": 0.99, "max": 1.0}
    picked = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in shares.items()}
    return {"median": round(statistics.median(ordered), 3), **{name: round(value, 3) for name, value in picked.items()}}


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
