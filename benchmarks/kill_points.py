"""How much of an answer does kill -9 of the whole program take away? In a real pty, with the real demo model.

At random moments of answers that stream, the program is killed; the next start must offer to continue, and every second
time the answer is gone on with, and killed again. A point is lost text's age: how long ago what is not in the history
had come on screen. Goal: at most 0.5 s at every point, and a sound database.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.report import tell
from tests.rigs.kills import kill_after
from tests.rigs.terminal import Terminal
from tui.chat.store import Store
from tui.config.paths import paths

POINTS, LONGEST_S, GOAL_S = 30, 4.0, 0.5
_LABEL = "smollm2-demo"
_QUESTION = "Tell me a very long story about a river, with many chapters."


def main() -> None:
    """Kill, look and tell."""
    source = random.Random(5)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as home:
        for point in range(POINTS):
            written = bool(rows) and rows[-1]["kept_characters"] > 0
            rows.append(_one(Path(home), point, source.uniform(0.0, LONGEST_S), written=written))
            print(rows[-1], file=sys.stderr, flush=True)
        sound = _sound(paths({"PUNA_HOME": home}).history_file)
    worst = max(row["lost_s"] for row in rows)
    verdict = {"points": POINTS, "worst_lost_s": worst, "goal_s": GOAL_S, "sound": sound}
    tell("kill_points", rows, {**verdict, "reached": sound and worst <= GOAL_S})


def _one(home: Path, point: int, seconds: float, *, written: bool) -> dict[str, Any]:
    """Begin an answer, or go on with the one before if anything of it is `written`, and kill the program that long
    after its first word."""
    go_on = point % 2 == 1
    env = {"PUNA_HOME": str(home), "HF_HOME": f"{home}/hf", "COLUMNS": "100", "LINES": "40"}
    with Terminal([sys.executable, "-m", "tui", "chat", "smollm2-demo"], columns=100, rows=40, env=env) as terminal:
        terminal.wait_for("ready", 60)
        if point:
            terminal.wait_for("of last time", 20)
        if go_on:
            terminal.type("\x0f")  # ^o opens it
            terminal.wait_for("cut off when puna ended")
            terminal.type("\x1bc" if written else "\x1b[15~")  # alt+c goes on with it, F5 has it written anew
            terminal.wait(lambda screen: "cut off" not in screen)
        else:
            terminal.type(_QUESTION + "\r")
        killed = kill_after(terminal, _LABEL, seconds)
    kept = _kept(paths({"PUNA_HOME": str(home)}).history_file)
    return {
        "point": point,
        "begun": "gone on" if go_on else "asked",
        "after_s": round(seconds, 2),
        "kept_characters": len(kept),
        "lost_s": round(killed.lost_s(kept), 3),
    }


def _kept(history: Path) -> str:
    """The last answer, read from a copy: who opens a history takes over what a killed program has left."""
    with tempfile.TemporaryDirectory() as folder:
        for file in history.parent.glob(history.name + "*"):
            if file.is_file():
                shutil.copy(file, folder)
        with closing(Store(Path(folder) / history.name)) as store:
            return store.thread(store.conversations()[0].id)[-1].content


def _sound(history: Path) -> bool:
    with closing(sqlite3.connect(history)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


if __name__ == "__main__":
    main()
