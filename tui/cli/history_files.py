"""Conversations to files and from files, for `puna history export` and `import`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tui.chat.exchange.files import Format, file_stem, read_file, read_text, written
from tui.chat.exchange.moving import taken_out
from tui.chat.exchange.values import ExchangeError, Portable
from tui.chat.store import Store
from tui.cli.main import CommandError, say
from tui.cli.output import show
from tui.config.errors import ConfigError
from tui.config.files import write_atomic


def export(store: Store, ids: Sequence[int], kind: Format, output: str | None) -> None:
    """Write conversations to stdout, into one file, or one each into a folder. Raises CommandError, StoreError."""
    if output is None:
        _print(store, ids, kind)
        return
    target = Path(output).expanduser()
    if target.is_dir() or output.endswith("/"):
        for conversation_id in ids:
            one = taken_out(store, conversation_id)
            _write(target / f"{_file_name(conversation_id, one.title)}.{kind}", written([one], kind))
    elif kind == "md" and len(ids) > 1:
        raise CommandError(f"{output} is one file, and Markdown holds one conversation; name a folder, or take json")
    else:
        _write(target, written([taken_out(store, conversation_id) for conversation_id in ids], kind))


def read(files: Sequence[str]) -> list[Portable]:
    """The conversations in files; `-` is stdin. Raises CommandError, which names the file."""
    found: list[Portable] = []
    for name in files:
        try:
            found += read_text(_stdin()) if name == "-" else read_file(Path(name).expanduser())
        except ExchangeError as error:
            raise CommandError(f"stdin: {error}" if name == "-" else str(error)) from error
    return found


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExchangeError(f"it is not text in UTF-8 (byte {error.start})") from error


def _print(store: Store, ids: Sequence[int], kind: Format) -> None:
    if kind == "md" and len(ids) > 1:
        raise CommandError("Markdown holds one conversation; name one, a folder by --output, or take --format json")
    text = written([taken_out(store, conversation_id) for conversation_id in ids], kind)
    if sys.stdout.isatty():
        show(text.removesuffix("\n"))  # what a model wrote may harm a terminal
    else:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()


def _write(path: Path, text: str) -> None:
    try:
        write_atomic(path, text.encode())
    except ConfigError as error:
        raise CommandError(str(error)) from error
    say(f"wrote {path}")


def _file_name(conversation_id: int, title: str) -> str:
    """Number and title."""
    return f"{conversation_id:04}-{file_stem(title)}".rstrip("-")
