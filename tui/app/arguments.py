"""What may follow `puna` and `puna chat`. Textual is imported only when the arguments are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def main(arguments: Sequence[str]) -> int:
    """Open the screen as `arguments` say; the exit code."""
    if not arguments:  # the usual way in; argparse is left out of the first frame
        from tui.app.main import run as open_screen

        return open_screen()
    chat = bool(arguments) and arguments[0] == "chat"
    try:
        args = (_chat_parser() if chat else _parser()).parse_args(arguments[1:] if chat else arguments)
    except SystemExit as stop:  # help, or a usage error after argparse's own message
        return stop.code if isinstance(stop.code, int) else 2
    from tui.app.main import Options, run

    options = Options(theme=args.theme, ascii=args.ascii, mouse=args.mouse)
    return run("chat" if chat else "workbench", args.model, args.conversation, options)


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog="puna", description="Open the workbench.")
    parser.set_defaults(model=None, conversation=None)
    _add_screen_options(parser)
    return parser


def _chat_parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog="puna chat", description="Open the workbench in the chat.")
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a path, a name that `puna ls` shows, org/repo")
    parser.add_argument("--conversation", metavar="ID", help="the number of a stored conversation to go on with")
    _add_screen_options(parser)
    return parser


def _add_screen_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--theme", metavar="NAME", help="theme of this session")
    parser.add_argument("--ascii", action="store_true", default=None, help="draw with ASCII characters only")
    parser.add_argument(
        "--no-mouse", dest="mouse", action="store_false", default=None, help="leave the mouse to the terminal"
    )
