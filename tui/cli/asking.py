"""Asking a person before something that cannot be taken back."""

from __future__ import annotations

import sys

from tui.cli.main import CommandError, say


def agreed(question: str, *, yes: bool) -> bool:
    """The person's word; `yes` is given beforehand. Raises CommandError where there is no terminal to ask on."""
    if yes:
        return True
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandError("nothing was done: there is no terminal to ask on; say --yes to go ahead")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() in ("y", "yes"):
        return True
    say("nothing was done")
    return False
