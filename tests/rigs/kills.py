"""kill -9 of the whole program while an answer streams in a real terminal, and what of it was on screen before.

Text is compared by its letters alone: the screen wraps it and leaves out the syntax of Markdown.
"""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass

from tests.rigs.terminal import Terminal

TAIL = 30
"""Letters by which the end of a text is known again."""
_NOT_TEXT = ("context ", "reading your prompt", "· ")
"""How lines around an answer begin."""


def letters(text: str) -> str:
    """The letters and digits of a text."""
    return "".join(filter(str.isalnum, text))


@dataclass(frozen=True, slots=True)
class Killed:
    """What was seen of an answer until its program was killed."""

    seen: tuple[tuple[float, str], ...]
    """(seconds before the kill, last letters of the answer on screen), in order; an end that came later is not in an
    earlier one."""

    def lost_s(self, stored: str) -> float:
        """Age in seconds, at the kill, of the oldest text that had been on screen and is not in `stored`; 0 when
        nothing was lost."""
        kept, lost = letters(stored), 0.0
        for age, tail in reversed(self.seen):
            if tail in kept:
                break
            lost = age
        return lost


def kill_after(terminal: Terminal, label: str, seconds: float, limit_s: float = 60.0) -> Killed:
    """Watch the answer under the line `label` for that many seconds from its first word on, then kill the program."""
    terminal.wait(lambda screen: re.search(r"context .*~ ", screen) and answer_on(screen, label), limit_s)
    seen = [(time.monotonic(), answer_on(terminal.text(), label)[-TAIL:])]
    while time.monotonic() < seen[0][0] + seconds:
        terminal.pump(0.01)
        tail = answer_on(terminal.text(), label)[-TAIL:]
        if tail and tail != seen[-1][1]:
            seen.append((time.monotonic(), tail))
    killed = time.monotonic()
    os.kill(terminal.pid, signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL
    return Killed(tuple((killed - when, tail) for when, tail in seen))


def answer_on(screen: str, label: str) -> str:
    """The letters of the answer that a screen shows, as far as it shows it; empty when it shows none."""
    lines = screen.split("\n")
    top = next((at for at, line in enumerate(lines) if line.startswith("╭─ Chat")), len(lines))
    end = next((at for at in range(top, len(lines)) if lines[at].startswith("╰")), top)
    rows = [line[1:-1].strip() for line in lines[top + 1 : end]]
    labels = [at for at, row in enumerate(rows) if row.split("  ")[0] == label]
    if labels:
        rows = rows[labels[-1] + 1 :]
    elif "you" in rows:
        return ""
    return letters("".join(row for row in rows if not row.startswith(_NOT_TEXT)))
