"""`puna stop`: ends engines of this user, and nothing else: a pid that is no engine of puna is refused."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from tui.cli.main import DONE, FAILED, CommandError, say
from tui.cli.output import show
from tui.config.paths import paths
from tui.engine.registry import RunningEngine, running, stop

_PATIENCE_S = 10.0
_POLL_S = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "which", type=_pid_or_all, metavar="PID|all", help="the engine's pid as `puna ps` shows it, or all"
    )


def run(args: argparse.Namespace) -> int:
    """Ask the engines to end and wait until they have."""
    folder = paths().engines_dir
    engines = running(folder)
    if args.which != "all":
        engines = tuple(engine for engine in engines if engine.pid == args.which)
        if not engines:
            raise CommandError(f"{args.which} is no engine of yours; `puna ps` lists them")
    stopped: list[RunningEngine] = []
    refused: list[RunningEngine] = []
    for engine in engines:
        try:
            if stop(engine):
                stopped.append(engine)
            else:
                say(f"puna: {engine.pid} ({engine.model}) had ended by itself")
        except PermissionError:
            refused.append(engine)
    _wait(folder, stopped)
    for engine in stopped:
        show(f"stopped {engine.pid} ({engine.model})")
    if not engines:
        show("no engine is running")
    for engine in refused:
        say(f"puna: you may not end {engine.pid} ({engine.model}); who started it can, or an administrator")
    return FAILED if refused else DONE


def _wait(folder: Path, stopped: list[RunningEngine]) -> None:
    """Return when all of `stopped` have ended. Raises CommandError for one that does not."""
    pids, until = {engine.pid for engine in stopped}, time.monotonic() + _PATIENCE_S
    while left := pids & {engine.pid for engine in running(folder)}:
        if time.monotonic() > until:
            raise CommandError(
                f"{min(left)} was asked to end but has not after {_PATIENCE_S:.0f} s; try kill -9 {min(left)}"
            )
        time.sleep(_POLL_S)


def _pid_or_all(text: str) -> int | str:
    if text == "all":
        return text
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a pid nor all; `puna ps` lists the engines") from error
