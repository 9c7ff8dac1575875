"""The whole program in a real terminal while a model writes what no terminal may ever see: every byte is looked at."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from rich.cells import cell_len

from tests.app.children.scripted import MARK
from tests.rigs.terminal import Terminal

ROOT = Path(__file__).parents[2]
COLUMNS = 120
OURS = re.compile(
    r"\x1b\[[0-9;]*m"  # colours
    r"|\x1b\[[0-9;]*[HCDK]"  # where to write
    r"|\x1b\[\?[0-9;]+(?:\$p|[hl])"  # modes of the terminal
    r"|\x1b\[[<>=?]?[0-9;]*u"  # keys
    r"|\x1b\[16t|\x1b\]22;[a-z]*\x07"  # the size of a cell; the shape of the pointer
)
"""What the program itself sends."""
OBEYED = re.compile(r"\x1b.{,8}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def obeyed(text: str) -> set[str]:
    """What a terminal would obey in a text, apart from what is ours."""
    return set(OBEYED.findall(OURS.sub("", text)))


def intact(screen: str) -> bool:
    """Whether every frame of the screen stands in its columns."""
    _meter, *panels, _keys = screen.split("\n")
    return all(line[0] + line[-1] in ("╭╮", "││", "╰╯") and cell_len(line) == COLUMNS for line in panels)


def test_no_byte_of_a_model_is_obeyed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.app.children.scripted", str(tmp_path), "hostile"]
    size = {"COLUMNS": str(COLUMNS), "LINES": "40"}  # readline may have left another one in the environment
    with Terminal(command, columns=COLUMNS, rows=40, env=size, cwd=str(ROOT)) as terminal:
        terminal.wait_for("^p more")
        terminal.type("What is [bold]this[/x]?\r")
        terminal.wait(lambda screen: f"the end: {MARK}" in screen and "tok/s ─╮" in screen and intact(screen))
        terminal.type("\x1b")
        terminal.wait_for("? help")
        terminal.type("g")
        terminal.wait(lambda screen: "What is [bold]this[/x]?" in screen and "thought" in screen and intact(screen))
        terminal.type("e")
        terminal.wait(lambda screen: "half \ufffd a pair" in screen and intact(screen))
        terminal.type("\x11")
        assert terminal.end() == 0
    written = terminal.raw.decode("utf-8")  # half a character would raise
    assert obeyed(written) == set()
    assert MARK in written
    assert MARK not in "".join(OURS.findall(written))
