"""One TOML file as it was read: its text, its plain tables, and where in the file a key stands.

A file that cannot be read as TOML becomes one ConfigError that names file, line and, where it can be told, the key.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tui.config.errors import ConfigError
from tui.config.files import read_text
from tui.config.toml_lines import KeyPath, Span, key_spans, keys_at

BYTE_ORDER_MARK = "\ufeff"

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HUGE_INTEGER = re.compile(r"[0-9_]{4300,}")  # CPython refuses to convert integers of more than 4300 digits
_IN_WORDS = {
    "Cannot overwrite a value": "this key is set twice",
    "Cannot declare": "this table is opened twice",
    "Invalid value": "this is no value; text needs quotes",
    "Illegal character '\\n'": "the closing quote is missing",
    "Unterminated string": "the closing quotes are missing",
    "Expected \"'": "the closing quote is missing",
    "Invalid initial character for a key part": "a key is missing here",
}
_FIX_IT = "Correct this line; until then the file's settings do not count, and puna does not write to it."


@dataclass(frozen=True)
class Document:
    """A file's content. `text` has no byte order mark; `mark` is the one that was there, to be written back."""

    file: Path
    text: str = ""
    table: dict[str, Any] = field(default_factory=dict)
    mark: str = ""

    @cached_property
    def spans(self) -> dict[KeyPath, Span]:
        """Where each key stands; scanned when first asked for, which is when something is wrong."""
        return key_spans(self.text)

    def line_of(self, *path: str | int) -> int | None:
        """The line of that key, or of the nearest table or array around it that stands in the file."""
        for length in range(len(path), 0, -1):
            if span := self.spans.get(path[:length]):
                return span.first
        return None


def read_document(file: Path) -> Document:
    """The file's content; an empty document when there is no such file. Raises ConfigError when it is broken."""
    raw = read_text(file)
    if raw is None:
        return Document(file)
    text = raw.removeprefix(BYTE_ORDER_MARK)
    mark = raw[: len(raw) - len(text)]
    try:
        return Document(file, text, tomllib.loads(text), mark)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, text, str(error)) from error
    except RecursionError as error:
        raise ConfigError("is nested too deeply", file=file, hint=_FIX_IT) from error
    except ValueError as error:
        huge = _HUGE_INTEGER.search(text)
        line = text.count("\n", 0, huge.start()) + 1 if huge else None
        raise ConfigError(f"holds a number that is too long: {error}", file=file, line=line, hint=_FIX_IT) from error


def canonical(value: Any) -> Any:
    """A form of a document's values in which 1, 1.0 and true differ and nan equals nan."""
    if isinstance(value, dict):
        return {name: canonical(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(inner) for inner in value]
    return type(value).__name__, repr(value)


def _syntax_error(file: Path, text: str, message: str) -> ConfigError:
    """tomllib's message with the place taken out of its end, in words for the slips that people make."""
    place = _PLACE.search(message)
    reason = message[: place.start()] if place else message
    for start, words in _IN_WORDS.items():
        if reason.startswith(start):
            reason = words
    at_the_end = place is None or place[1] is None
    if at_the_end and message.startswith("Invalid value"):
        reason = "the file ends before this value does"
    line = text.rstrip().count("\n") + 1 if place is None or place[1] is None else int(place[1])
    key, first = "", line
    if found := keys_at(text, line):
        path, span = found[0 if at_the_end else -1]
        key = ".".join(part for part in path if isinstance(part, str))
        if at_the_end:
            first = span.first  # what is never closed began here
    return ConfigError(
        f"not valid TOML: {reason[:1].lower()}{reason[1:]}", file=file, line=first, key=key, hint=_FIX_IT
    )
