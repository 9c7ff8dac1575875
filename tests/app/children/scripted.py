"""The whole workbench in a real terminal, with an engine that answers by a script instead of a model.

Run by tests: `python -m tests.app.children.scripted HOME count|hostile`. `count` answers with the numbers from 0 on,
one every few milliseconds, without an end; `hostile` answers with what no terminal may ever see as it is.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from tests.app.rig import METER, Scripted, World, a_model, home_paths
from tests.chat.scripted import TIMINGS, ScriptedGeneration
from tui.app import main
from tui.app.app import Opening, PunaApp
from tui.app.signals import Signals
from tui.app.themes import ThemeBook
from tui.config.paths import share
from tui.engine.protocol import Delta, Done, PromptProgress
from tui.llama.settings import LoadSettings

PIECE_S = 0.004
MARK = "nothing obeys"
"""Stands inside every sequence that could be obeyed, and behind the last one."""

SEQUENCES = (
    f"\x1b]0;{MARK}\x07", f"\x1b]2;{MARK}\x1b\\", f"\x1b]52;c;{MARK}\x07",
    f"\x1b]8;;http://{MARK}\x1b\\x\x1b]8;;\x1b\\", f"\x1bP1$r{MARK}\x1b\\", f"\x1b_{MARK}\x1b\\",
    f"\x1b^{MARK}\x1b\\", f"\x1bX{MARK}\x1b\\", f"\x9d0;{MARK}\x9c", f"\x90{MARK}\x9c", "\x1b[2J", "\x1b[1;1H",
    "\x1b[?1049l", "\x1b[31;44;7;5m", "\x1b[8m", "\x9b2J", "\x1bc", "\x1b(0", "\x1b#8", "\x1b[20h", "\x1b[6n",
    "\x1b[c", "\x1b[>q", "\x1b[18t", "\x1b[21t", "\x1b[5i", "\x07\x07", "\x08\x08\x08", "\x0e", "\x0f", "\x05", "\r",
    "\x0b", "\x0c", "\x00", "\x7f", "\u202ereversed\u202c", "\u2066isolated\u2069", "\u200e", "\u200f", "\u2028",
    "\x85", "half \ud83d a pair", "e" + "\u0301" * 40, "\U000e0041\U000e0042", "&#27;[2J", "&#155;2J", "%1b%5b2J",
    "[bold red]", "[/x]", "[@click=app.quit]x[/]", "{0}", "\\u001b[2J",
)  # fmt: skip


def hostile() -> list[str]:
    """Every sequence whole and torn, in text, a quote, a heading, a table, a link, mathematics and an open fence."""
    torn = [character for sequence in SEQUENCES for character in sequence]
    rows = [f"| {sequence} | {sequence} |\n" for sequence in SEQUENCES]
    lines = [f"{sequence}|\n" for sequence in SEQUENCES]
    containers = ("\n\n> ", "\n\n# ", "\n\n[x](http://", ")\n\n$$\n")
    contained = [piece for start in containers for piece in (start, *SEQUENCES)]
    table = ["\n\n| a | b |\n|---|---|\n", *rows]
    fence = ["\n$$\n\n```", *SEQUENCES, "\n", *lines, f"\nthe end: {MARK}\n"]
    return [*SEQUENCES, "\n\n", *torn, *table, *contained, *fence]


class Answering(Scripted):
    """Answers every question with the same pieces, thought aloud first; counts where there are none."""

    pieces: Sequence[str] = ()

    def generate(self, **_asked: object) -> ScriptedGeneration:
        if not self.pieces:
            return Counting([], None)
        return ScriptedGeneration([step for text in self.pieces for step in (("thinking", text), text)], "eog")


class Counting(ScriptedGeneration):
    """The numbers from 0 on until somebody stops it."""

    async def __aiter__(self) -> AsyncIterator[PromptProgress | Delta | Done]:
        number = 0
        while not self.cancelled.is_set():
            yield Delta(1, f"{number} ")
            number += 1
            await asyncio.sleep(PIECE_S)
        yield Done(1, "cancelled", TIMINGS)


class ScriptedWorld(World):
    """Its engines all answer with `pieces`, and carry the pid of this process, which lives."""

    def __init__(self, pieces: Sequence[str]) -> None:
        super().__init__()
        self.pid = os.getpid()
        self._pieces = pieces

    async def start(
        self, path: Path, settings: LoadSettings, name: str, on_progress: Callable[[float], None]
    ) -> Answering:
        engine = Answering(self, name, settings)
        engine.pieces = self._pieces
        return engine


def run(home: Path, kind: str) -> int:
    """The program as its front end runs it."""
    signals = Signals()
    signals.install()
    bad = kind == "hostile"
    name = f"bad\x1b]0;{MARK}\x07\u202e[bold]name[/x]" if bad else "counter"
    world = ScriptedWorld(hostile() if bad else ())
    app = PunaApp(
        home_paths(home), ThemeBook(share("themes")), Opening(view="chat"), models=(a_model(name),), meter=METER,
        start=world.start, watch=False, scan=False,
    )  # fmt: skip
    return main._run(app, signals, mouse=True)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2]))
