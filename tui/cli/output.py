"""Results on stdout: JSON lines, lines for people, and an answer as plain text; none can harm the terminal."""

from __future__ import annotations

import io
import json
import shutil
import sys
from typing import Any

from tui.config.plain import escaped, lines, piece
from tui.config.sizes import size


def write_json(value: Any) -> None:
    """One JSON document on a line of its own, at once; in UTF-8 on any terminal."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() not in ("utf-8", "utf8"):
        sys.stdout.reconfigure(encoding="utf-8")
    print(escaped(json.dumps(value, ensure_ascii=False)), flush=True)


def show(text: str) -> None:
    """Lines for a person. Nothing in them can harm the terminal."""
    print(lines(text))


def terminal_width() -> int | None:
    """Columns of the terminal; None where the output goes to a file or another program, which gets it whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


class Bytes:
    """How far a long piece of work on files is, on a line of the terminal that goes when it ends; elsewhere nothing."""

    def __init__(self, what: str, total_bytes: int) -> None:
        self._what, self._total, self._done, self._shown = what, total_bytes, 0, -1
        self._show = sys.stderr.isatty() and total_bytes > 0

    def __enter__(self) -> Bytes:
        return self

    def more(self, n_bytes: int) -> None:
        """So many bytes were done since."""
        self._done += n_bytes
        percent = 100 * self._done // self._total if self._show else self._shown
        if percent != self._shown:
            self._shown = percent
            print(f"\r\x1b[2K{self._what} {percent} % of {size(self._total)}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._shown >= 0:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


class AnswerWriter:
    """Writes an answer as it comes; newlines at its end are held back, so that exactly one closes it."""

    def __init__(self) -> None:
        self._newlines = 0
        self._begun = False
        self._strip = sys.stdout.isatty()

    def write(self, text: str) -> None:
        """Write one piece."""
        if self._strip:
            text = piece(text)
        body = text.rstrip("\n")
        if body:
            print("\n" * self._newlines + body, end="", flush=True)
            self._newlines, self._begun = 0, True
        self._newlines += len(text) - len(body)

    def finish(self, *, whole: bool) -> None:
        """Close the answer with its one newline; one that is not `whole` and of which nothing came has none."""
        if whole or self._begun:
            print(flush=True)
