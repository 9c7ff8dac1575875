"""Cuts Markdown into its top-level pieces, line by line, as it streams in.

A piece that is closed never changes again, so only the open one has to be rendered at each flush. What is cut depends
on the text alone and never on how it arrived: the same text gives the same pieces, whole or in fragments. Lists are
taken apart into their items (each piece carries its margin and its marker), so that a long list or a fence inside one
costs no more than a paragraph; what stands inside a piece is left to the Markdown parser. No character is dropped but
the syntax.
"""

from __future__ import annotations

from dataclasses import replace

from tui.app.panels.chat import syntax
from tui.app.panels.chat.chunk import Chunk, Kind, ListItem
from tui.app.panels.chat.sanitize import clean, expand_tabs, steady

DEEPEST = 64
"""Lists nested deeper than this are text."""


class Segmenter:
    """Takes lines, gives pieces. `closed` only ever grows; `open` is what the next line may still change."""

    def __init__(self) -> None:
        self.closed: list[Chunk] = []
        self.open: Chunk | None = None
        self._items: list[ListItem] = []
        self._marker = ""
        self._gap = False
        self._last = ""
        self._fence: tuple[str, int] = ("", 0)  # the opening marks and their column

    def copy(self) -> Segmenter:
        """The same state with an empty `closed`, to try a line that is not complete yet. An open fence is shared."""
        twin = Segmenter()
        if self.open is not None and self.open.kind != "fence":
            twin.open = replace(self.open, lines=self.open.lines.copy())
        else:
            twin.open = self.open
        twin._items = self._items.copy()
        twin._marker, twin._gap, twin._last, twin._fence = self._marker, self._gap, self._last, self._fence
        return twin

    def feed(self, raw: str, *, glued: bool = False) -> None:
        """Take one complete line, without its newline. `glued`: it continues the line before."""
        line = clean(raw)
        chunk = self.open
        if chunk is not None and chunk.kind == "fence":
            self._feed_fence(chunk, line, glued)
            return
        line = steady(line)
        if chunk is not None and chunk.kind == "math":
            self._feed_math(chunk, line)
        elif glued:
            self._continue(line)
        elif not line.strip():
            self._feed_blank(chunk)
        else:
            self._feed_line(expand_tabs(line).rstrip())

    def end(self) -> None:
        """No more lines: close what is open."""
        self._close()
        self._flush_marker()

    # ---- inside literal blocks ------------------------------------------------------------------------------------

    def _feed_fence(self, chunk: Chunk, line: str, glued: bool) -> None:
        marks, column = self._fence
        indent = len(line) - len(line.lstrip(" "))
        if glued:
            chunk.add(line, glued=True)
        elif indent <= column + 3 and syntax.closes_fence(line, marks):
            self._close()
        else:
            chunk.add(line[min(column, indent) :])

    def _feed_math(self, chunk: Chunk, line: str) -> None:
        if not line.strip():
            self._close()
            self._gap = True
            return
        self._add(chunk, line.strip())
        if syntax.MATH_PAIRS[chunk.info] in line:
            self._close()

    def _feed_blank(self, chunk: Chunk | None) -> None:
        if chunk is not None and chunk.kind == "code":
            self._add(chunk, "")
            return
        self._close()
        self._gap = True

    def _continue(self, line: str) -> None:
        """Part of a very long line of text: never syntax."""
        if self.open is None:
            self._start("text", line, glued=True)
        else:
            self._add(self.open, line, glued=True)

    # ---- containers -----------------------------------------------------------------------------------------------

    def _feed_line(self, line: str) -> None:
        rest = line.lstrip(" ")
        indent = len(line) - len(rest)
        depth, base = self._matched(indent, rest)
        chunk = self.open
        before: ListItem | None = None
        if depth < len(self._items):
            if chunk is not None and chunk.kind in ("text", "quote") and not syntax.leaves_paragraph(rest):
                self._add(chunk, rest)  # a lazy continuation of the paragraph
                return
            self._close()
            self._flush_marker()
            before = self._items[depth]
            del self._items[depth:]
        self._feed_block(rest, indent, base, before)

    def _matched(self, indent: int, rest: str) -> tuple[int, int]:
        """How many open items a line belongs to, and the column that its own content is counted from."""
        depth = base = 0
        while depth < len(self._items):
            item = self._items[depth]
            if indent >= item.content:
                base = item.content
            elif indent >= item.column + 2 and (found := syntax.ITEM.match(rest)) is not None:
                # Bullets two columns in below "1." are meant to be inside the item, whatever the specification counts.
                if (found["bullet"] is None) == (item.delimiter in ".)"):
                    break
                base = indent
            else:
                break
            depth += 1
        return depth, base

    def _feed_block(self, rest: str, indent: int, base: int, before: ListItem | None) -> None:
        """Find out what begins here; list markers are taken off one after the other."""
        while True:
            inside = self._items != []
            if indent - base >= 4 and not (inside and syntax.starts_block(rest)):
                self._feed_indented(rest, indent - base)
                return
            found = syntax.ITEM.match(rest) if rest[0] in syntax.ITEM_STARTS else None
            if found is None or syntax.RULE.match(rest) or not self._may_begin_item(found):
                self._feed_leaf(rest, indent)
                return
            self._begin_item(found, indent, before)
            before = None
            rest = found["rest"]
            base = self._items[-1].content
            if not rest:
                return
            indent += found.end() - len(rest)

    def _may_begin_item(self, found: syntax.Match) -> bool:
        """A paragraph is interrupted only by an item that has text, and by a number only when it is 1."""
        if len(self._items) >= DEEPEST:
            return False
        if self.open is None or self.open.kind not in ("text", "quote"):
            return True
        if not found["rest"]:
            return False
        return found["bullet"] is not None or int(found["number"]) == 1

    def _begin_item(self, found: syntax.Match, indent: int, before: ListItem | None) -> None:
        self._close()
        self._flush_marker()
        margin = self._items[-1].margin if self._items else 0
        bullet = found["bullet"]
        if bullet is not None:
            delimiter, number, marker = bullet, 0, "-"
        else:
            delimiter, number = found["delimiter"], int(found["number"])
            if before is not None and before.delimiter == delimiter and number <= before.number:
                number = before.number + 1
            marker = f"{number}{delimiter}"
        wide = len(found["space"]) > 4 or not found["rest"]
        content = indent + found.start("space") + (1 if wide else len(found["space"]))
        self._items.append(ListItem(indent, content, delimiter, number, margin + len(marker) + 1))
        self._marker = marker

    def _flush_marker(self) -> None:
        """An item without any text is still shown."""
        if self._marker:
            self._start("text", "")
            self._close()

    # ---- leaves ---------------------------------------------------------------------------------------------------

    def _feed_indented(self, rest: str, columns: int) -> None:
        chunk = self.open
        if chunk is not None and chunk.kind in ("text", "quote"):
            self._add(chunk, rest)
        elif chunk is not None and chunk.kind == "code":
            self._add(chunk, " " * (columns - 4) + rest)
        else:
            self._close()
            self._start("code", " " * (columns - 4) + rest)

    def _feed_leaf(self, rest: str, indent: int) -> None:
        chunk = self.open
        paragraph = chunk if chunk is not None and chunk.kind == "text" else None
        level = syntax.underline_level(rest)
        if paragraph is not None and level and len(paragraph.lines) == 1 and not paragraph.glued:
            paragraph.kind, paragraph.info = "heading", str(level)
            self._close()
        elif paragraph is not None and syntax.is_delimiter_row(rest, paragraph.lines[-1]):
            self._begin_table(paragraph, rest)
        elif syntax.starts_block(rest) and self._begin_leaf(rest, indent):
            pass
        elif chunk is not None and chunk.kind in ("text", "quote", "table"):
            self._add(chunk, rest)
        else:
            self._close()
            self._start("text", rest)

    def _begin_leaf(self, rest: str, indent: int) -> bool:
        """Begin the block whose syntax opens `rest`; False when it turns out to be text."""
        if (found := syntax.FENCE.match(rest)) is not None:
            self._close()
            chunk = self._start("fence")
            chunk.info = found["info"].strip()
            self._fence = (found["marks"], indent)
        elif (found := syntax.HEADING.match(rest)) is not None:
            self._close()
            chunk = self._start("heading", syntax.heading_text(found))
            chunk.info = str(len(found["marks"]))
            self._close()
        elif syntax.RULE.match(rest):
            self._close()
            self._start("rule", rest)
            self._close()
        elif rest[0] == ">":
            quote = self.open
            if quote is None or quote.kind != "quote":
                self._close()
                quote = self._start("quote")
            self._add(quote, rest)
        elif rest in syntax.MATH_PAIRS:
            self._close()
            chunk = self._start("math", rest)
            chunk.info = rest
        else:
            return False
        return True

    def _begin_table(self, paragraph: Chunk, row: str) -> None:
        """The last line of the paragraph was the header."""
        header = paragraph.lines[-1]
        if len(paragraph.lines) > 1:
            paragraph.lines.pop()
            self._close()
            chunk = self._start("table", header)
        else:
            paragraph.kind = "table"
            chunk = paragraph
        chunk.columns = syntax.columns(header)
        chunk.add(row)

    def _start(self, kind: Kind, *lines: str, glued: bool = False) -> Chunk:
        margin = self._items[-1].margin if self._items else 0
        bullets = sum([item.delimiter not in ".)" for item in self._items])
        chunk = Chunk(kind, margin=margin, marker=self._marker, depth=bullets, gap=self._gap, after=self._last)
        for line in lines:
            chunk.add(line, glued=glued)
        self._marker, self._gap = "", False
        self.open = chunk
        return chunk

    def _close(self) -> None:
        chunk = self.open
        if chunk is None:
            return
        if chunk.kind == "code":
            while chunk.lines and not chunk.lines[-1]:
                chunk.lines.pop()
                self._gap = True
        chunk.closed = True
        self.closed.append(chunk)
        self.open = None
        self._last = chunk.kind

    def _add(self, chunk: Chunk, line: str, *, glued: bool = False) -> None:
        """Append a line to the open piece, or to one that continues it where it has grown too long: so no flush renders
        more than that."""
        if chunk.full:
            self._close()
            full, chunk = chunk, self._start(chunk.kind)
            chunk.info, chunk.columns = full.info, full.columns
            if full.kind == "table":
                chunk.head = full.head or tuple(full.lines[:2])
            elif full.kind == "quote" and glued:
                line = "> " + line
        chunk.add(line, glued=glued)
