"""In which lines of a TOML text each key stands, which tomllib tells for syntax errors only.

The scanner expects a text that tomllib accepts; on a broken one it stops where it no longer understands and keeps what
it has found by then, which is enough to say in which key the break is. It never judges a text and never changes one.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Keys from the top of the document, with indices for the elements of arrays."""

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_BLANK = " \t"
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Span:
    """First and last line of a key and its value, counted from 1, both included."""

    first: int
    last: int


def key_spans(text: str) -> dict[KeyPath, Span]:
    """Where each table header, key and array element of the text stands.

    A table that is only implied, by a header below it or a dotted key, stands where it is first mentioned.
    """
    scanner = _Scanner(text)
    try:
        scanner.scan()
    except (_Stop, RecursionError):
        pass  # a broken text, or one nested too deeply for tomllib as well: what was found so far is the answer
    return scanner.spans


def keys_at(text: str, line: int) -> list[tuple[KeyPath, Span]]:
    """The keys whose lines hold `line`, with their lines, from the outermost to the innermost."""
    found = [(path, span) for path, span in key_spans(text).items() if span.first <= line <= span.last]
    return sorted(found, key=lambda item: (item[1].first, len(item[0])))


class _Stop(Exception):
    """The text is not TOML from here on."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.spans: dict[KeyPath, Span] = {}
        self.line_starts = [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]
        self.array_counts: dict[KeyPath, int] = {}

    def scan(self) -> None:
        table: KeyPath = ()
        while self._skip_to_content():
            if self.text[self.position] == "[":
                table = self._header()
            else:
                self._pair(table)

    # ---- statements

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`; answers the path that the following keys belong to."""
        start = self.position
        is_array = self.text.startswith("[[", start)
        self.position += 2 if is_array else 1
        path: KeyPath = ()
        parts = self._key()
        for depth, part in enumerate(parts, 1):
            path = (*path, part)
            self._note(path, start)
            if depth == len(parts) and is_array:
                self.array_counts[path] = self.array_counts.get(path, 0) + 1
            if path in self.array_counts:
                path = (*path, self.array_counts[path] - 1)
                self._note(path, start)
        self._expect("]]" if is_array else "]")
        return path

    def _pair(self, table: KeyPath) -> None:
        """`key = value`; noted before the value is read, so that a break in the value is a break in this key."""
        start = self.position
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path, start)
        first = self._line(start)
        self.spans[path] = Span(first, len(self.line_starts))
        self._expect("=")
        self._skip(_BLANK)
        self._value(path)
        self.spans[path] = Span(first, self._line(self.position - 1))

    def _value(self, path: KeyPath) -> None:
        opening = self.text[self.position : self.position + 1]
        if opening in ('"', "'") and opening:
            self._string()
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            start = self.position
            while self.position < len(self.text) and self.text[self.position] not in ",]}#\r\n":
                self.position += 1
            self.position = start + len(self.text[start : self.position].rstrip(_BLANK))

    def _array(self, path: KeyPath) -> None:
        self.position += 1
        index = 0
        while self._skip_to_content() and self.text[self.position] != "]":
            start = self.position
            element = (*path, index)
            self._note(element, start)
            self._value(element)
            self.spans[element] = Span(self._line(start), self._line(self.position - 1))
            self._skip_to_content()
            self._take(",")
            if self.position == start:
                raise _Stop
            index += 1
        self._expect("]")

    def _inline_table(self, path: KeyPath) -> None:
        self.position += 1
        while self._skip_to_content() and self.text[self.position] != "}":
            self._pair(path)
            self._skip_to_content()
            self._take(",")
        self._expect("}")

    # ---- words

    def _key(self) -> list[str]:
        parts = [self._key_part()]
        self._skip(_BLANK)
        while self._take("."):
            self._skip(_BLANK)
            parts.append(self._key_part())
            self._skip(_BLANK)
        return parts

    def _key_part(self) -> str:
        self._skip(_BLANK)
        start = self.position
        if self.text[start : start + 1] in ('"', "'"):
            self._string()
            try:
                return next(iter(tomllib.loads(f"{self.text[start : self.position]}=0")))
            except (tomllib.TOMLDecodeError, StopIteration):
                raise _Stop from None
        while self.position < len(self.text) and self.text[self.position] in _BARE:
            self.position += 1
        if self.position == start:
            raise _Stop
        return self.text[start : self.position]

    def _string(self) -> None:
        """Past a string of any of the four kinds."""
        quote = self.text[self.position]
        is_long = self.text.startswith(quote * 3, self.position)
        closing = quote * 3 if is_long else quote
        self.position += len(closing)
        while not self.text.startswith(closing, self.position):
            if self.position >= len(self.text) or (not is_long and self.text[self.position] == "\n"):
                raise _Stop
            self.position += 2 if quote == '"' and self.text[self.position] == "\\" else 1
        self.position += len(closing)
        # A long string may end in one or two quotes of its own before the closing three.
        for _ in range(2):
            if is_long:
                self._take(quote)

    def _skip(self, characters: str) -> None:
        while self.position < len(self.text) and self.text[self.position] in characters:
            self.position += 1

    def _skip_to_content(self) -> bool:
        """Past blanks, line ends and comments; False at the end of the text."""
        self._skip(_SPACE)
        while self.text.startswith("#", self.position):
            end = self.text.find("\n", self.position)
            self.position = len(self.text) if end < 0 else end
            self._skip(_SPACE)
        return self.position < len(self.text)

    def _take(self, text: str) -> bool:
        if not self.text.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def _expect(self, text: str) -> None:
        self._skip(_BLANK)
        if not self._take(text):
            raise _Stop

    def _line(self, position: int) -> int:
        return bisect_right(self.line_starts, position)

    def _note(self, path: KeyPath, position: int) -> None:
        line = self._line(position)
        self.spans.setdefault(path, Span(line, line))
