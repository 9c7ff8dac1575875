"""Picks the front end: the screen for a bare `puna` and for `puna chat`, the command line for everything else.

Neither is imported before it is chosen, so that a command does not pay for Textual.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

SCREEN_COMMAND = "chat"


def main(argv: Sequence[str] | None = None) -> int:
    """Run puna with these arguments (default: the process's own); the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if wants_screen(arguments):
        from tui.app.arguments import main as run_screen

        return run_screen(arguments)
    try:
        from tui.cli.main import main as run_command

        return run_command(arguments)
    except KeyboardInterrupt:  # before there is anything that could hear it in order
        return 130


def wants_screen(arguments: Sequence[str]) -> bool:
    """True for `puna chat …`, and for a bare `puna`, which has nothing or options of the screen."""
    if not arguments or arguments[0] == SCREEN_COMMAND:
        return True
    return arguments[0].startswith("-") and not any(word in ("-h", "--help", "--version") for word in arguments)


if __name__ == "__main__":
    sys.exit(main())
