"""`puna monitor`: what the memory of this machine holds and who holds it, for a side pane, a status bar or a program.

It runs all day beside other work, so it imports little: no asyncio, no msgspec, nothing of the screen.
"""

from __future__ import annotations

import argparse
import errno
import math
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.cli.main import DONE, CommandError, say
from tui.cli.meter.look import Eyes, telling
from tui.cli.meter.paint import COLOURS, MONOCHROME, PLAIN
from tui.cli.meter.wake import Ended, Wake
from tui.hardware.meter.marks import ASCII, CONSOLE, UNICODE, Marks
from tui.hardware.meter.pace import LONGEST_S, SHORTEST_S

if TYPE_CHECKING:
    from tui.cli.meter.stream import Render

_DIGITS, _MOST_COLUMNS = 9, 1000
"""What COLUMNS may ask for: a picture a million columns wide helps nobody, and takes all memory."""
PIPE_COLUMNS = 80
"""Width of the picture where nothing tells another."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--interval", type=float, default=1.0, metavar="S", help="seconds between looks, 0.2 to 10 (1)")
    parser.add_argument("--once", action="store_true", help="look once and end")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON document a look")
    form.add_argument("--line", action="store_true", help="print one line a look, for a status bar")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII signs only")


def run(args: argparse.Namespace) -> int:
    """Show the machine until somebody ends it."""
    interval: float = args.interval
    if not (math.isfinite(interval) and SHORTEST_S <= interval <= LONGEST_S):
        raise CommandError(
            f"--interval {interval:g} is out of range: choose from {SHORTEST_S:g} to {LONGEST_S:g} seconds"
        )
    output = sys.__stdout__.fileno() if sys.__stdout__ is not None else 1
    screen = not (args.once or args.json or args.line) and os.isatty(output) and _knows_escapes()
    keys = _keyboard() if screen else None
    eyes = Eyes(disk=not (args.json or args.line))
    try:
        with Wake(keys, output, screen=screen) as wake:
            if screen:
                from tui.cli.meter.live import run_on_terminal

                return run_on_terminal(wake, output, keys, eyes.look, interval, _marks(args), _colours())
            from tui.cli.meter.stream import run_as_stream

            look = telling(eyes.look, say) if args.json or args.line else eyes.look
            every = None if args.once else interval
            encoding = "utf-8" if args.json else _marks(args).encoding
            return run_as_stream(wake, output, look, every, _form(args, output), encoding)
    except Ended as ended:
        return ended.code
    except OSError as error:
        if error.errno == errno.EPIPE:
            return DONE  # who read this has seen enough
        if error.errno in (errno.EIO, errno.EBADF, errno.ENXIO):
            return 128 + signal.SIGHUP  # the terminal is gone
        raise CommandError(f"cannot write: {error.strerror}") from error
    finally:
        eyes.close()


def _form(args: argparse.Namespace, output: int) -> Render:
    from tui.cli.meter.stream import as_block, as_json, as_line

    width = _columns(output)
    if args.json:
        return as_json
    if args.line:
        return as_line(_marks(args), width)
    colours = _colours() if os.isatty(output) and _knows_escapes() else PLAIN
    return as_block(_marks(args), colours, width or PIPE_COLUMNS, spaced=not args.once)


def _columns(output: int) -> int | None:
    """The width to keep to: the terminal's, else COLUMNS; None for a pipe of which nothing is known."""
    try:
        return os.get_terminal_size(output).columns or None
    except OSError:
        asked = os.environ.get("COLUMNS", "")
        return min(int(asked[:_DIGITS]), _MOST_COLUMNS) or None if asked.isdecimal() else None


def _marks(args: argparse.Namespace) -> Marks:
    encoding = sys.stdout.encoding if sys.stdout is not None else ""
    if args.ascii or "utf" not in (encoding or "").lower():
        return ASCII
    return CONSOLE if os.environ.get("TERM") == "linux" else UNICODE


def _colours() -> Mapping[str, str]:
    without = os.environ.get("NO_COLOR") or os.environ.get("TERM", "").startswith(("vt1", "vt2"))
    return MONOCHROME if without else COLOURS


def _knows_escapes() -> bool:
    return os.environ.get("TERM", "dumb") not in ("", "dumb")


def _keyboard() -> int | None:
    """The terminal that keys come from; None where nobody can type."""
    try:
        descriptor = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
        return descriptor if os.isatty(descriptor) else None
    except (OSError, ValueError):
        return None
