"""Draws fenced code in its numbered frame and colours it once it is complete, a few lines at a time if it is long.

While a fence is open, lines are only appended: nothing of it is parsed or drawn again, however long it gets. Pygments
is imported when the first fence closes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.lines import FRAME, FRAME_TITLE, PAD, Line, Run, line
from tui.app.panels.chat.sanitize import expand_tabs, steady
from tui.app.panels.chat.wrap import clip, wrap_hard

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

CODE = "source"
LONGEST_COLOURED = 200_000
"""Characters of code above which it stays plain."""
LONGEST_COLOURED_LINE = 2_000
_STYLES = (
    ("Comment", "comment"),
    ("Keyword", "keyword"),
    ("Operator.Word", "keyword"),
    ("Operator", "operator"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Name.Function", "name"),
    ("Name.Class", "name"),
    ("Name.Decorator", "name"),
    ("Name.Tag", "keyword"),
    ("Name.Attribute", "name"),
    ("Name.Builtin.Pseudo", ""),
    ("Name.Builtin", "builtin"),
    ("Name.Exception", "builtin"),
    ("Name.Namespace", "name"),
    ("Generic.Deleted", "deleted"),
    ("Generic.Inserted", "inserted"),
    ("Generic.Heading", "keyword"),
    ("Generic.Subheading", "keyword"),
)


def language(info: str) -> str:
    """The language of a fence: the first word after its marks."""
    words = info.replace("{", " ").replace("}", " ").replace(",", " ").split()
    return words[0].lstrip(".") if words else ""


def frame_top(info: str, number: int, width: int, glyphs: Glyphs) -> Line:
    """The upper border with language and number."""
    inner = width - 2
    right = f" {number} " if number else ""
    title = clip(language(info), inner - len(right) - 4, glyphs.ellipsis)
    left = f" {title} " if title else ""
    return line(
        (glyphs.frame[0], FRAME),
        (left, FRAME_TITLE),
        (glyphs.horizontal * (inner - cell_len(left) - len(right)), FRAME),
        (right, FRAME_TITLE),
        (glyphs.frame[1], FRAME),
    )


def frame_bottom(width: int, glyphs: Glyphs) -> Line:
    """The lower border."""
    return line((glyphs.frame[2] + glyphs.horizontal * (width - 2) + glyphs.frame[3], FRAME))


def frame_line(runs: list[Run], width: int, glyphs: Glyphs, *, glued: bool = False) -> list[Line]:
    """One line of code between the borders; a long one takes several lines."""
    inner = width - 4
    made: list[Line] = []
    for wrapped in wrap_hard(runs, inner):
        free = inner - cell_len(wrapped.text)
        framed = line((glyphs.vertical + " ", FRAME), *wrapped.runs, (" " * free, PAD), (" " + glyphs.vertical, FRAME))
        made.append(Line(framed.runs, "" if glued and not made else wrapped.joint))
    return made


def plain_runs(text: str) -> list[Run]:
    """A line of code before it is coloured."""
    text = expand_tabs(steady(text))
    return [(text, CODE)] if text else []


def coloured_lines(source: str, info: str) -> Iterator[list[Run]]:
    """The runs of each line of the source, made as they are asked for; the characters are exactly the source's."""
    source = steady(source)
    lexer = _lexer(language(info)) if _may_colour(source) else None
    if lexer is None:
        for text in source.split("\n"):
            yield plain_runs(text)
        return
    runs: list[Run] = []
    column = 0
    for _, kind, value in lexer.get_tokens_unprocessed(source):
        style = _style(kind)
        for index, part in enumerate(value.split("\n")):
            if index:
                yield runs
                runs, column = [], 0
            if part:
                text = (" " * column + part).expandtabs(4)[column:] if "\t" in part else part
                column += len(text)
                runs.append((text, style))
    yield runs


def _may_colour(source: str) -> bool:
    if len(source) > LONGEST_COLOURED:
        return False
    return max(map(len, source.split("\n"))) <= LONGEST_COLOURED_LINE


def _lexer(name: str) -> Lexer | None:
    if not name:
        return None
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        return get_lexer_by_name(name.lower())
    except ClassNotFound:
        return None


_style_cache: dict[_TokenType, str] = {}


def _style(kind: _TokenType) -> str:
    known = _style_cache.get(kind)
    if known is None:
        path = str(kind).removeprefix("Token.")
        found = next((style for prefix, style in _STYLES if (path + ".").startswith(prefix + ".")), "")
        known = f"{CODE} {found}".strip()
        _style_cache[kind] = known
    return known
