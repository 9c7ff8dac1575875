"""Renders one piece of Markdown into lines of a given width: everything but fences, which grow line by line elsewhere.

Paragraphs and headings go straight to the inline parser; quotes and tables are parsed as blocks by markdown-it-py, with
whatever is nested in them. A line break in the source stays a line break: models write verse and addresses that way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.app.panels.chat.chunk import Chunk
from tui.app.panels.chat.code import frame_bottom, frame_line, frame_top, plain_runs
from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.inline import inline, parser, strip_runs, token_runs
from tui.app.panels.chat.lines import BLANK, FRAME, Line, Run, line, prefixed
from tui.app.panels.chat.sanitize import clean, expand_tabs
from tui.app.panels.chat.table import Align, Table, break_cell, layout_table
from tui.app.panels.chat.wrap import wrap

if TYPE_CHECKING:
    from markdown_it.token import Token

NARROWEST = 16
"""Margins of lists and quotes leave at least this many columns to the text."""
_DEEPEST = 12
"""Containers nested deeper than this are drawn without a further margin."""
_LOST = 25
"""Levels of nesting near which markdown-it stops to look, and leaves out what stands there."""
_MOST_CELLS = 1000
"""Cells above which a piece is no table that anyone wrote: rows that are too short are filled up while parsing."""


def layout_chunk(chunk: Chunk, width: int, glyphs: Glyphs) -> list[Line]:
    """The lines of a piece with its list margin, marker and the blank line before it."""
    margin = margin_of(chunk, width)
    body = _body(chunk, width - margin, glyphs) or [BLANK]
    if margin:
        body = prefixed(body, marker_runs(chunk, margin, glyphs), [(" " * margin, "")])
    return [BLANK] * space_before(chunk) + body


def margin_of(chunk: Chunk, width: int) -> int:
    """Columns of list margin: less where they would leave too few to the text, but always enough for the marker."""
    return min(chunk.margin, max(width - NARROWEST, len(chunk.marker) + 1 if chunk.marker else 0))


def space_before(chunk: Chunk) -> int:
    """Blank lines above a piece. Frames and headings carry some air of their own."""
    if not chunk.after or chunk.after == "heading":
        return 0
    if chunk.kind == "fence" and chunk.after == "text":
        return 0
    return int(chunk.gap or chunk.kind in ("heading", "table", "rule") or chunk.after in ("table", "rule"))


def marker_runs(chunk: Chunk, margin: int, glyphs: Glyphs) -> list[Run]:
    """What stands in the margin of a list item's first line."""
    if not chunk.marker:
        return [(" " * margin, "")]
    marker = chunk.marker
    if marker == "-":
        task = _task(chunk)
        if task is not None:
            marker = glyphs.done_task if task else glyphs.open_task
        else:
            marker = glyphs.bullets[max(0, chunk.depth - 1) % len(glyphs.bullets)]
    marker = marker[: max(1, margin - 1)]
    return [(" " * (margin - len(marker) - 1), ""), (marker, "marker"), (" ", "")]


def _task(chunk: Chunk) -> bool | None:
    """Whether a task list item is done; None for any other item."""
    if chunk.kind != "text" or chunk.marker != "-":
        return None
    first = chunk.lines[0]
    if first[:4] in ("[ ] ", "[x] ", "[X] ") and len(first) > 4:
        return first[1] != " "
    return None


def _body(chunk: Chunk, width: int, glyphs: Glyphs) -> list[Line]:
    if chunk.kind == "text":
        text = chunk.text
        if _task(chunk) is not None:
            text = text[4:]
        return wrap(inline(text, "", glyphs), width)
    if chunk.kind == "heading":
        return wrap(inline(chunk.text, f"h{chunk.info}", glyphs), width)
    if chunk.kind == "rule":
        return [line((glyphs.horizontal * width, FRAME))]
    if chunk.kind in ("code", "math"):
        style = "source" if chunk.kind == "code" else "math"
        return [made for text in chunk.lines for made in wrap([(expand_tabs(text), style)], width)]
    if chunk.kind == "table":
        source = "\n".join([*chunk.head, *chunk.lines])
        lines = _Tree(glyphs, headless=bool(chunk.head)).render(source, width)
        return lines or wrap([(chunk.text, "")], width)
    if chunk.kind == "quote":
        return _Tree(glyphs).render(chunk.text, width) or _literal(chunk, width, glyphs)
    return [made for text in chunk.lines for made in wrap([(expand_tabs(text), "")], width)]


def _literal(chunk: Chunk, width: int, glyphs: Glyphs) -> list[Line]:
    """A quote as it is written, behind one bar."""
    bar = [(glyphs.bar + " ", FRAME)]
    lines = [made for text in chunk.lines for made in wrap([(expand_tabs(text.removeprefix(">")), "quote")], width - 2)]
    return prefixed(lines, bar, bar)


class _Tree:
    """Walks over markdown-it's block tokens and draws them; containers narrow the width of what is in them."""

    def __init__(self, glyphs: Glyphs, *, headless: bool = False) -> None:
        self._glyphs = glyphs
        self._headless = headless
        self._tokens: Sequence[Token] = ()
        self._at = 0
        self._depth = 0

    def render(self, source: str, width: int) -> list[Line]:
        """The lines of a source; none where not all of it can be drawn."""
        rows = source.split("\n")
        if max([row.count("|") for row in rows]) * len(rows) > _MOST_CELLS:
            return []
        self._tokens = parser().parse(source)
        if max([token.level for token in self._tokens], default=0) > _LOST:
            return []
        self._at = 0
        return self._until("", width, "")

    def _until(self, end: str, width: int, style: str) -> list[Line]:
        """Draw blocks up to the token that closes their container, and step over it."""
        made: list[Line] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.type == end:
                break
            hidden = token.hidden or token.type in ("list_item_open",)
            block = self._block(token, width, style)
            if made and block and not hidden:
                made.append(BLANK)
            made.extend(block)
        return made

    def _block(self, token: Token, width: int, style: str) -> list[Line]:
        glyphs = self._glyphs
        kind = token.type
        if kind == "paragraph_open":
            return wrap(self._inline(style), width)
        if kind == "heading_open":
            return wrap(self._inline(f"{style} {token.tag}".strip()), width)
        if kind == "blockquote_open":
            margin = self._margin(2, width)
            inner = f"{style} quote" if "quote" not in style else style
            bar = [(glyphs.bar + " ", FRAME)] if margin else []
            return prefixed(self._nested("blockquote_close", width - margin, inner.strip()), bar, bar)
        if kind in ("bullet_list_open", "ordered_list_open"):
            return self._list(token, width, style)
        if kind == "table_open":
            return layout_table(self._table(style), width, glyphs)
        if kind in ("fence", "code_block"):
            return self._code(token, width)
        if kind == "hr":
            return [line((glyphs.horizontal * width, FRAME))]
        return []

    def _margin(self, wanted: int, width: int) -> int:
        """Columns of margin for what is nested one level deeper: none where it would leave too few to the text."""
        return wanted if self._depth < _DEEPEST and width - wanted >= NARROWEST // 2 else 0

    def _nested(self, end: str, width: int, style: str) -> list[Line]:
        self._depth += 1
        lines = self._until(end, width, style)
        self._depth -= 1
        return lines or [BLANK]

    def _inline(self, style: str) -> list[Run]:
        """The runs of the inline token that follows; steps over it and the token that closes its block."""
        children = self._tokens[self._at].children or ()
        self._at += 2
        return token_runs(children, style, self._glyphs)

    def _list(self, token: Token, width: int, style: str) -> list[Line]:
        ordered = token.type.startswith("ordered")
        number = int(token.attrGet("start") or 1) if ordered else 0
        end = token.type.replace("_open", "_close")
        made: list[Line] = []
        while self._at < len(self._tokens) and self._tokens[self._at].type != end:
            self._at += 1  # list_item_open
            marker = f"{number}." if ordered else self._glyphs.bullets[token.level // 2 % len(self._glyphs.bullets)]
            margin = self._margin(len(marker) + 1, width)
            body = self._nested("list_item_close", width - margin, style)
            first: list[Run] = [(marker, "marker"), (" ", "")]
            made.extend(prefixed(body, first, [(" " * margin, "")]) if margin else [*wrap(first, width), *body])
            number += 1
        self._at += 1
        return made

    def _code(self, token: Token, width: int) -> list[Line]:
        """Code inside a quote: framed, without a number of its own."""
        lines = [frame_top(token.info if token.type == "fence" else "", 0, width, self._glyphs)]
        for text in token.content.removesuffix("\n").split("\n"):
            lines.extend(frame_line(plain_runs(clean(text)), width, self._glyphs))
        return [*lines, frame_bottom(width, self._glyphs)]

    def _table(self, style: str) -> Table:
        table = Table([], [], headless=self._headless)
        row: list[list[Run]] = []
        heading = False
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                row = []
            elif token.type in ("th_open", "td_open"):
                heading = token.type == "th_open"
                if heading:
                    table.aligns.append(_align(str(token.attrGet("style") or "")))
            elif token.type == "inline":
                name = f"{style} th".strip() if heading else style
                row.append(strip_runs(break_cell(token_runs(token.children or (), name, self._glyphs))))
            elif token.type == "tr_close" and heading and not table.header:
                table.header = row
            elif token.type == "tr_close":
                table.rows.append(row)
        return table


def _align(style: str) -> Align:
    if style.endswith("right"):
        return "right"
    return "center" if style.endswith("center") else "left"
