"""What a real terminal shows after many small repaints is what the widgets think it shows: nothing stays unpainted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.rigs.terminal import Terminal


@pytest.mark.parametrize("seed", range(4))
def test_small_repaints_add_up_to_the_whole_picture(seed: int, tmp_path: Path) -> None:
    file = tmp_path / "screen.txt"
    command = [sys.executable, "-m", "tests.app.chat.children.streaming", str(seed), str(file)]
    columns, rows = 60 + 10 * seed, 20 + 3 * seed
    env = {"COLUMNS": str(columns), "LINES": str(rows)}  # readline may have left another one in the environment
    env["TEXTUAL_FPS"] = "240"  # as puna draws: a frame is shorter than a step
    with Terminal(command, columns=columns, rows=rows, env=env) as terminal:
        terminal.wait(lambda _: file.exists() and file.read_text(), 60)
        expected = file.read_text().split("\n")
        terminal.wait(lambda screen: [line.rstrip() for line in screen.split("\n")] == expected)
