"""What the tests of conversations share: a clock, real child processes, a look into the file from outside."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Clock:
    """Gives `now`."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def child(name: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A running `tests/chat/children/<name>.py`, with pipes; ended when the block ends."""
    command = [sys.executable, "-u", "-m", f"tests.chat.children.{name}", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a child prints, line by line, without the line ends."""
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip("\n")


def values(history: Path, sql: str) -> list[tuple[object, ...]]:
    """Ask the file itself, through a connection that is not the store's."""
    with closing(sqlite3.connect(history)) as connection:
        return connection.execute(sql).fetchall()


def assert_sound(history: Path) -> None:
    """The file is a whole database, its links lead somewhere, and its search indexes match the texts."""
    with closing(sqlite3.connect(history)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for index in ("messages_search", "conversations_search"):
            connection.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")
        connection.rollback()
