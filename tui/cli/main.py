"""The command line: finds the command's module, parses its arguments, runs it. A module a command, imported when
named.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

import tui
from tui.config.plain import lines, one_line

DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes; a signal's is 128 + its number."""

SUMMARIES = {
    "find": "find models that can be fetched, with what they would take here",
    "run": "ask a model once and print the answer",
    "pull": "fetch a model from the Hugging Face Hub",
    "ls": "list the models on this disk",
    "add": "remember a model file or folder where it is",
    "rm": "delete a model, after saying whose it is and what comes free",
    "history": "list, search, show, export, import, delete and restore conversations",
    "fit": "say what a model takes, here or on a machine you describe",
    "monitor": "show what this machine's memory holds, beside other work",
    "ps": "list the running engines of this user",
    "stop": "end running engines",
    "bench": "measure how fast a model runs here",
    "doctor": "look for what is wrong with this installation",
    "config": "show, check and change settings",
}

_SCREEN_HELP = """
screen:
  puna [OPTIONS]               the workbench
  puna chat [MODEL] [OPTIONS]  the same, opened in the chat
  options: --theme NAME, --ascii, --no-mouse, and with chat --conversation ID
"""


class CommandModule(Protocol):
    """What each module in this package offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; the exit code."""


class CommandError(Exception):
    """Refused or failed; the text is one clear line for the person. Exit code 1."""


def main(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name; the exit code."""
    _take_any_text()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has gone
        _abandon_stdout()
        return 128 + signal.SIGPIPE
    except OSError as error:
        _abandon_stdout()
        say(f"puna: {one_line(_told(error))}")
        return FAILED
    return code


def _run(arguments: Sequence[str]) -> int:
    try:
        return _dispatch(arguments)
    except CommandError as error:
        say(f"puna: {one_line(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SystemExit as stop:  # argparse, after its own message
        return stop.code if isinstance(stop.code, int) else USAGE


def _take_any_text() -> None:
    """A character that the terminal's encoding does not have becomes a question mark, and is no reason to end. Nor is
    a stream that was closed before the start."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _abandon_stdout() -> None:
    """Let what could not be written go; Python would complain once more while it flushes at exit."""
    with contextlib.suppress(OSError, AttributeError):  # replaced or closed: nothing is kept back
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{error.filename}: {reason}" if error.filename else f"the output cannot be written: {reason}"


def say(text: str) -> None:
    """Lines for the person, on stderr: stdout is for results. Nothing in them can harm the terminal."""
    with contextlib.suppress(OSError):  # a terminal that is gone or a full disk is no reason to end
        print(lines(text), file=sys.stderr)


def _dispatch(arguments: Sequence[str]) -> int:
    command = next((argument for argument in arguments if not argument.startswith("-")), None)
    if command not in SUMMARIES or arguments[0] != command:
        parser = _overview()
        parser.parse_args(arguments)  # prints help, the version or a usage error, and exits
        parser.print_help()
        return DONE
    module = cast(CommandModule, importlib.import_module(f"tui.cli.{command}"))
    parser = argparse.ArgumentParser(prog=f"puna {command}", description=_sentence(SUMMARIES[command]))
    module.add_arguments(parser)
    return module.run(parser.parse_args(arguments[1:]))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _overview() -> argparse.ArgumentParser:
    width = max(map(len, SUMMARIES)) + 2
    commands = "\n".join(f"  {name:<{width}}{summary}" for name, summary in SUMMARIES.items())
    parser = argparse.ArgumentParser(
        prog="puna",
        usage="puna [COMMAND] [OPTIONS]",
        description="A terminal workbench for running language models on the machine you are logged in to.",
        epilog=f"{_SCREEN_HELP}\ncommands:\n{commands}\n\n`puna COMMAND --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"puna {tui.__version__}")
    parser.add_argument("command", nargs="?", choices=["chat", *SUMMARIES], metavar="COMMAND", help=argparse.SUPPRESS)
    return parser
