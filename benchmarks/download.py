"""Does a download lose anything? `puna pull` and the workbench against curl from a loopback hub of 125 MB/s (a gigabit
line), how soon keys are echoed meanwhile, and what is asked for again after 20 kills at random points.

Throughput is from the first word of a download to its last byte, the check of its sum left out; it is told beside. The
programs take turns. Goals: at least 0.95 of curl, with and without the screen, keys at p99 ≤ 33 ms, and at most 256 KiB
of what was already written asked for again.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report import quantiles, tell
from tests.rigs.hub import LoopbackHub, Repo, Slow, gguf_bytes, of_bytes, of_file
from tests.rigs.terminal import Terminal

NAME = "m-Q4_K_M.gguf"
LINE_BYTES_S = 125_000_000
SIZE = 1_000_000_000
RUNS = 3
KILLS = 20
KILL_SIZE = 24 << 20
KILL_LIMIT_MIB_S = "16"
GOAL_RATIO = 0.95
GOAL_KEY_MS = 33
GOAL_AGAIN_BYTES = 256 << 10
_OURS = ("puna", "workbench")
_PULL, _MARK, _GAP_S = "\x14", "¤", 0.12
"""Ctrl+t, which asks for a model's name; what is typed, and how long it rests in between."""


def main() -> None:
    """Measure and tell."""
    with tempfile.TemporaryDirectory() as folder:
        rows = _throughput(Path(folder))
        kills = _kills(Path(folder))
    names = dict.fromkeys(row["program"] for row in rows)
    middle = {name: statistics.median(row["mb_s"] for row in rows if row["program"] == name) for name in names}
    ratios = {name: round(middle[name] / middle["curl"], 3) for name in _OURS} if "curl" in middle else {}
    key_ms = max(row["p99"] for row in rows if row["program"] == "workbench")
    reached = all(ratio >= GOAL_RATIO for ratio in ratios.values()) and kills["worst_again_bytes"] <= GOAL_AGAIN_BYTES
    reached = reached and key_ms <= GOAL_KEY_MS and kills["sums_right"]
    goals = {"goal_ratio": GOAL_RATIO, "goal_key_p99_ms": GOAL_KEY_MS, "goal_again_bytes": GOAL_AGAIN_BYTES}
    tell("download", rows, {"ratio_to_curl": ratios, "key_p99_ms": key_ms, **kills, **goals, "reached": reached})


def _throughput(folder: Path) -> list[dict[str, Any]]:
    file = folder / "large"
    with file.open("wb") as out:
        for _ in range(SIZE // 1_000_000):
            out.write(os.urandom(1_000_000))
        out.seek(0)
        out.write(gguf_bytes(24))
    rows: list[dict[str, Any]] = []
    with LoopbackHub(Repo("org/m", {NAME: of_file(file)})) as hub:
        hub.fail("cdn", Slow(LINE_BYTES_S))
        for number in range(RUNS):
            rows.append(_puna(folder / f"home{number}", hub))
            rows.append(_workbench(folder / f"bench{number}", hub))
            if shutil.which("curl"):
                rows.append(_curl(folder / "curled", hub))
    return rows


def _puna(home: Path, hub: LoopbackHub) -> dict[str, Any]:
    child = _pull(home, hub)
    marks: dict[str, float] = {}
    with child:
        assert child.stdout is not None
        for line in child.stdout:
            event, now = json.loads(line), time.perf_counter()
            marks.setdefault("begun", now)
            if event["event"] == "progress" and event["done_bytes"] == SIZE:
                marks.setdefault("whole", now)
            marks[event["event"]] = now
    shutil.rmtree(home)
    fetching_s = marks["whole"] - marks["begun"]
    return {
        "program": "puna",
        "mb_s": round(SIZE / fetching_s / 1e6, 1),
        "check_s": round(marks["done"] - marks["whole"], 2),
    }


def _workbench(home: Path, hub: LoopbackHub) -> dict[str, Any]:
    """The same on the screen, while somebody types. The part's length tells how far it is, and its name when it is
    done."""
    (home / "hf").mkdir(parents=True)
    parts, found = home / "hf" / "puna-parts", []
    with Terminal([sys.executable, "-m", "tui"], columns=120, rows=40, env=_places(home, hub)) as terminal:
        terminal.wait_for("F1 help", 60)
        terminal.type(_PULL)
        terminal.wait_for("Pull a model", 60)
        terminal.type("org/m\r")
        begun = _when(terminal, lambda: _length(parts) > 0)
        before = _length(parts)
        while (length := _length(parts)) < SIZE:
            took = terminal.echo(_MARK)
            assert took is not None, terminal.text()
            found.append(took)
            until = time.perf_counter() + _GAP_S
            while time.perf_counter() < until and (length := _length(parts)) < SIZE:
                terminal.pump(0.01, draw=False)
        whole = time.perf_counter()
        done = _when(terminal, lambda: not parts.exists())
    shutil.rmtree(home)
    speed = {"program": "workbench", "mb_s": round((length - before) / (whole - begun) / 1e6, 1)}
    return {**speed, "check_s": round(done - whole, 2), **quantiles(found), "keys": len(found)}


def _when(terminal: Terminal, test: Callable[[], bool]) -> float:
    """The moment from which `test()` is true."""
    until = time.perf_counter() + 60
    while not test():
        assert time.perf_counter() < until, terminal.text()
        terminal.pump(0.002, draw=False)
    return time.perf_counter()


def _length(parts: Path) -> int:
    try:
        return max((part.stat().st_size for part in parts.glob("*.part")), default=0)
    except FileNotFoundError:
        return SIZE


def _curl(target: Path, hub: LoopbackHub) -> dict[str, Any]:
    url = f"{hub.endpoint}/org/m/resolve/main/{NAME}"
    command = ["curl", "-sSL", "--noproxy", "*", "-o", str(target), "-w", "%{speed_download}", url]
    speed = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    target.unlink()
    return {"program": "curl", "mb_s": round(speed / 1e6, 1), "check_s": None}


def _kills(folder: Path) -> dict[str, Any]:
    """Kill a pull again and again; what each next one asks for that was written already."""
    data = gguf_bytes(KILL_SIZE)
    name = hashlib.sha256(data).hexdigest()
    home = folder / "killed"
    part = home / "hf" / "puna-parts" / f"{name}.part"
    written: list[int] = []
    with LoopbackHub(Repo("org/m", {NAME: of_bytes(data)})) as hub:
        for point in sorted(random.sample(range(1 << 16, KILL_SIZE - (2 << 20)), KILLS)):
            with _pull(home, hub, KILL_LIMIT_MIB_S) as child:
                while hub.count("cdn") <= len(written) or not part.exists() or part.stat().st_size < point:
                    time.sleep(0.001)
                child.kill()
            written.append(part.stat().st_size)
        with _pull(home, hub) as child:
            path = json.loads(child.communicate()[0].splitlines()[-1])["message"]
        starts = [int(seen.request.headers["range"][6:].partition("-")[0]) for seen in hub.seen("cdn")][1:]
        right = hashlib.sha256(Path(path).read_bytes()).hexdigest() == name
    again = [before - start for before, start in zip(written, starts, strict=True)]
    return {"kills": len(again), "worst_again_bytes": max(again), "all_again_bytes": sum(again), "sums_right": right}


def _pull(home: Path, hub: LoopbackHub, limit: str = "0") -> subprocess.Popen[bytes]:
    config = home / "config" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(f"[downloads]\nlimit_mib_s = {float(limit)}\n")
    command = [sys.executable, "-m", "tui", "pull", "org/m", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **_places(home, hub)})


def _places(home: Path, hub: LoopbackHub) -> dict[str, str]:
    """A home and a hub of this benchmark's own, as a program's environment."""
    places = {"PUNA_HOME": str(home), "HF_HOME": str(home / "hf"), "HF_ENDPOINT": hub.endpoint}
    return {**places, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


if __name__ == "__main__":
    main()
