"""Results on stdout: JSON lines, and an answer as plain text that cannot harm the terminal it is shown in."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Everything of C0 and C1 but tab and newline: what a model writes must not move the cursor or set a title."""


def write_json(value: Any) -> None:
    """One JSON document on a line of its own, at once."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


class AnswerWriter:
    """Writes an answer as it comes; newlines at its end are held back, so that exactly one closes it."""

    def __init__(self) -> None:
        self._newlines = 0
        self._strip = sys.stdout.isatty()

    def write(self, text: str) -> None:
        """Write one piece."""
        if self._strip:
            text = _CONTROL.sub("", text)
        body = text.rstrip("\n")
        if body:
            print("\n" * self._newlines + body, end="", flush=True)
            self._newlines = 0
        self._newlines += len(text) - len(body)

    def finish(self) -> None:
        """Close the answer with its one newline."""
        print(flush=True)
