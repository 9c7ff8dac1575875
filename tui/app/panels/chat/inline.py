"""Turns the inline Markdown of one block into styled runs. Parsing is markdown-it-py's, imported when first needed.

Raw HTML stays as it is written, and so does mathematics: its backslashes and underscores are not Markdown's. Link
targets are shown as text and never become terminal hyperlinks: what a model wrote must not be a click away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.lines import Run
from tui.app.panels.chat.sanitize import clean, steady

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_SPECIAL = re.compile(r"[\\`*_\[<&~!$]")
_MATH_PAIRS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_DOLLARS = re.compile(r"\$(?=[^\s$])(?:[^$\\\n]|\\.)*?(?<=[^\s\\])\$(?!\d)")
_LONGEST_MATH = 1000
_MOST_BRACKETS = 200
"""Opening brackets above which a piece is no text that anyone wrote: parsing links takes their number squared."""
_OPENS = {"strong_open": "strong", "em_open": "em", "s_open": "strike", "link_open": "link"}
_CLOSES = {"strong_close": "strong", "em_close": "em", "s_close": "strike", "link_close": "link"}
_LONGEST_URL = 80


@cache
def parser() -> MarkdownIt:
    """The one parser of the process. Reference definitions stay text: a piece does not know the pieces around it."""
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "maxNesting": 30})
    made.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline"])
    made.inline.ruler.before("escape", "math", _math_rule)
    return made


def _math_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: mathematics is one literal token."""
    source, start = state.src, state.pos
    if source[start] not in "\\$":
        return False
    if (closing := _MATH_PAIRS.get(source[start : start + 2])) is not None:
        end = source.find(closing, start + 3, min(state.posMax, start + _LONGEST_MATH)) + 2
    else:
        found = _DOLLARS.match(source, start, state.posMax)
        end = found.end() if found is not None else 0
    if end <= start:
        return False
    if not silent:
        state.push("math_inline", "", 0).content = source[start:end]
    state.pos = end
    return True


def inline(text: str, style: str, glyphs: Glyphs) -> list[Run]:
    """Runs of a paragraph's source. Line breaks of the source stay newlines in the runs."""
    if not _SPECIAL.search(text) or text.count("[") > _MOST_BRACKETS:
        return [(text, style)] if text else []
    runs: list[Run] = []
    for token in parser().parseInline(text):
        runs.extend(token_runs(token.children or (), style, glyphs))
    return runs


def token_runs(tokens: Iterable[Token], style: str, glyphs: Glyphs) -> list[Run]:
    """Runs of inline tokens."""
    writer = _Writer(style, glyphs)
    for token in tokens:
        writer.take(token)
    return writer.runs


class _Writer:
    """Collects runs while walking over inline tokens."""

    def __init__(self, style: str, glyphs: Glyphs) -> None:
        self.runs: list[Run] = []
        self._names = [style] if style else []
        self._glyphs = glyphs
        self._links: list[tuple[str, int]] = []  # target, and where its text begins in `runs`

    def take(self, token: Token) -> None:
        kind = token.type
        if kind in _OPENS:
            if kind == "link_open":
                self._links.append((str(token.attrGet("href") or ""), len(self.runs)))
            self._names.append(_OPENS[kind])
        elif kind in _CLOSES:
            self._drop(_CLOSES[kind])
            if kind == "link_close":
                self._end_link()
        elif kind == "code_inline":
            mark = self._glyphs.code_mark
            self._write(mark + token.content + mark, "code")
        elif kind in ("softbreak", "hardbreak"):
            self._write("\n")
        elif kind == "image":
            self._image(token)
        else:  # text, math, entities, escapes
            self._write(token.content)

    def _write(self, text: str, *names: str) -> None:
        if not text:
            return
        text = clean_runs(text)
        style = " ".join([*self._names, *names])
        if self.runs and self.runs[-1][1] == style:
            self.runs[-1] = (self.runs[-1][0] + text, style)
        else:
            self.runs.append((text, style))

    def _drop(self, name: str) -> None:
        for index in range(len(self._names) - 1, -1, -1):
            if self._names[index] == name:
                del self._names[index]
                return

    def _end_link(self) -> None:
        if not self._links:
            return
        target, start = self._links.pop()
        shown = "".join([text for text, _ in self.runs[start:]])
        self._target(target, shown)

    def _target(self, target: str, shown: str) -> None:
        """Say where a link leads, unless its text says so already."""
        target = readable(target)
        if not target or _bare(target) == _bare(shown):
            return
        if len(target) > _LONGEST_URL:
            target = target[:_LONGEST_URL] + self._glyphs.ellipsis
        self._write(f" ({target})", "url")

    def _image(self, token: Token) -> None:
        self._write(token.content or "image", "link")
        self._target(str(token.attrGet("src") or ""), token.content)


def _bare(url: str) -> str:
    """A link target without what adds nothing to it for a reader."""
    return url.removeprefix("mailto:").split("://")[-1].strip("/")


def clean_runs(text: str) -> str:
    """Entities such as `&#27;` become characters while parsing: what they make is cleaned as well."""
    if text.isascii() and "\t" not in text and text.isprintable():
        return text
    return "\n".join([steady(clean(part)).replace("\t", " ") for part in text.split("\n")])


def readable(url: str) -> str:
    """A link target as a person wrote it, percent signs decoded where that gives plain text."""
    from urllib.parse import unquote

    decoded = unquote(url, errors="replace")
    if "\ufffd" in decoded or any(c.isspace() for c in decoded):
        decoded = url
    return clean(decoded.replace("\n", " "))


def strip_runs(runs: Sequence[Run]) -> list[Run]:
    """The runs without blanks at their two ends."""
    trimmed = list(runs)
    while trimmed and not trimmed[0][0].strip():
        trimmed.pop(0)
    while trimmed and not trimmed[-1][0].strip():
        trimmed.pop()
    if trimmed:
        trimmed[0] = (trimmed[0][0].lstrip(), trimmed[0][1])
        trimmed[-1] = (trimmed[-1][0].rstrip(), trimmed[-1][1])
    return trimmed
