"""Files of conversations: written in one of two formats, recognised by what is in them, whatever they are called."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from tui.chat.exchange import document, foreign, markdown
from tui.chat.exchange.reader import Part, parts_of
from tui.chat.exchange.values import ExchangeError, Portable

Format = Literal["md", "json"]
"""md: the branch that is shown, readable; json: everything, of any number of conversations."""
MOST_BYTES = 1 << 30
"""A larger file is refused: all of it has to be in memory at once."""
_KNOWN = "puna's own JSON or Markdown, OpenAI-style messages, ShareGPT, ChatGPT's conversations.json"


def written(conversations: Sequence[Portable], kind: Format) -> str:
    """The text of a file of conversations; Markdown takes one."""
    return document.write(conversations) + "\n" if kind == "json" else markdown.write(conversations[0])


def file_stem(title: str) -> str:
    """A title in characters that every file system takes; empty when there are none."""
    words = "".join(char if char.isalnum() else "-" for char in title[:40])
    return "-".join(filter(None, words.split("-")))


def read_file(path: Path) -> tuple[Portable, ...]:
    """The conversations in a file. Raises ExchangeError, whose text names the file."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ExchangeError(f"it is larger than {MOST_BYTES >> 30} GiB; divide it")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExchangeError(f"{path} is not text in UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise ExchangeError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except ExchangeError as error:
        raise ExchangeError(f"{path}: {error}") from error
    try:
        return read_text(text)
    except ExchangeError as error:
        raise ExchangeError(f"{path}: {error}") from error


def read_text(text: str) -> tuple[Portable, ...]:
    """The conversations in a text. Raises ExchangeError."""
    text = text.replace("\r\n", "\n")
    if markdown.is_ours(text):
        return (markdown.read(text),)
    if not text.strip():
        raise ExchangeError("it is empty")
    try:
        return tuple(_conversations(json.loads(text)))
    except RecursionError as error:
        raise ExchangeError("it is nested too deeply") from error
    except ValueError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and lines[0].lstrip().startswith("{") and lines[0].rstrip().endswith("}"):
            return tuple(one for at, line in enumerate(lines, start=1) for one in _line(line, at))
        raise ExchangeError(f"no conversation that is known ({error}); known are {_KNOWN}") from error


def _line(line: str, number: int) -> Iterator[Portable]:
    try:
        yield from _conversations(json.loads(line))
    except RecursionError as error:
        raise ExchangeError(f"line {number} is nested too deeply") from error
    except ValueError as error:
        raise ExchangeError(f"line {number}: {error}") from error
    except ExchangeError as error:
        raise ExchangeError(f"line {number}: {error}") from error


def _conversations(found: Any) -> Iterator[Portable]:
    if isinstance(found, dict) and document.MARK in found:
        yield from document.read(Part(found, ""))
        return
    if isinstance(found, list) and found and all(isinstance(one, dict) and foreign.is_message(one) for one in found):
        found = {"messages": found}
    for part in [Part(found, "")] if isinstance(found, dict) else parts_of(_list(found), "document"):
        one = foreign.read(part)
        if one is None:
            raise ExchangeError(f"{part.where or 'it'} is no conversation that is known; known are {_KNOWN}")
        yield one


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]
