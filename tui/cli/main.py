"""The command line: finds the command's module, parses its arguments, runs it. A module a command, imported when
named.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Protocol, cast

import tui
from tui.config.plain import lines, one_line

DONE, FAILED, USAGE = 0, 1, 2
"""Exit codes; a signal's is 128 + its number."""

SUMMARIES = {
    "run": "ask a model once and print the answer",
    "ls": "list the models on this disk",
    "add": "remember a model file or folder where it is",
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
    try:
        return _dispatch(arguments)
    except CommandError as error:
        say(f"puna: {one_line(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more while it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except SystemExit as stop:  # argparse, after its own message
        return stop.code if isinstance(stop.code, int) else USAGE


def say(text: str) -> None:
    """Lines for the person, on stderr: stdout is for results. Nothing in them can harm the terminal."""
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
    code = module.run(parser.parse_args(arguments[1:]))
    sys.stdout.flush()
    return code


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
    parser.add_argument("command", nargs="?", choices=list(SUMMARIES), metavar="COMMAND", help=argparse.SUPPRESS)
    return parser
