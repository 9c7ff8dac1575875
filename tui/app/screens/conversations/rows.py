"""The rows of the list of conversations: one for each, and under it the places where the searched words are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from tui.app.look import Drawn
from tui.app.rows import RowList
from tui.app.text import brief, clean, fit, fit_right
from tui.app.when import ago
from tui.chat.finding import Listed
from tui.chat.search import Spans
from tui.chat.values import Conversation, SearchHit

DRAFT_CHARS = 60


class Row(NamedTuple):
    """A conversation, or one place in it."""

    listed: Listed
    hit: SearchHit | None = None

    @property
    def conversation(self) -> Conversation:
        """The conversation that it is about."""
        return self.listed.conversation

    @property
    def message_id(self) -> int | None:
        """The message that opening it leads to; None for the end of the conversation."""
        return self.hit.message_id if self.hit is not None else self.listed.message_id

    @property
    def key(self) -> tuple[int, int | None]:
        """What tells it from other rows."""
        return self.conversation.id, self.hit.message_id if self.hit is not None else None


class Columns(NamedTuple):
    """Cells of the columns right of the title; 0 is no such column."""

    model: int
    messages: int
    tokens: int
    age: int

    @property
    def total(self) -> int:
        """All of them with the two blanks before each."""
        return sum(width + 2 for width in self if width)


def columns_for(width: int) -> Columns:
    """The columns that a list so wide has room for."""
    if width < 56:
        return Columns(0, 0, 0, 10)
    if width < 96:
        return Columns(16, 4, 0, 10)
    return Columns(24, 8, 7, 10)


def rows_of(found: Sequence[Listed]) -> list[Row]:
    """Every conversation with its places."""
    return [row for listed in found for row in (Row(listed), *(Row(listed, hit) for hit in listed.hits))]


class Heads(Drawn):
    """What the columns are."""

    def render_line(self, y: int) -> Strip:
        columns = columns_for(self.size.width - 3)
        names = ("model", "messages" if columns.messages >= 8 else "msgs", "tokens", "last")
        tail = [
            "  " + (fit(name, width) if name == "model" else fit_right(name, width))
            for name, width in zip(names, columns, strict=True)
            if width
        ]
        title = fit("    title", self.size.width - 1 - sum(map(len, tail)))
        return self.line([Segment(title + "".join(tail), self.pen("faint"))])


class ConversationRows(RowList[Row]):
    """The list."""

    def draw_row(self, row: Row, width: int, selected: bool) -> Sequence[Segment]:
        on = "surface" if selected else ""
        pointer = Segment(f"{self.glyphs.pointer if selected else ' '} ", self.pen("accent", on=on))
        draw = self._conversation if row.hit is None else self._place
        return [pointer, *draw(row, width - 3, "bold" if selected else "", on), Segment(" ", self.pen(on=on))]

    def _conversation(self, row: Row, width: int, attributes: str, on: str) -> list[Segment]:
        one, columns = row.conversation, columns_for(width)
        room = width - columns.total - 2
        muted, faint = self.pen("muted", on=on), self.pen("faint", on=on)
        values = (
            fit(clean(one.model), columns.model, self.glyphs.ellipsis),
            fit_right(str(one.message_count or ""), columns.messages),
            fit_right(brief(one.tokens) if one.tokens else "", columns.tokens),
            fit_right(ago(one.updated), columns.age),
        )
        tail = [
            Segment("  " + value, faint if place == 3 else muted)
            for place, (value, cells) in enumerate(zip(values, columns, strict=True))
            if cells
        ]
        return [
            Segment(f"{self.glyphs.pinned if one.pinned is not None else ' '} ", self.pen("warning", on=on)),
            *self._title(row.listed, room, attributes, on),
            *tail,
        ]

    def _title(self, listed: Listed, room: int, attributes: str, on: str) -> list[Segment]:
        """Title and, as far as there is room, what else is to be known: a draft, tags, that it is put away."""
        one = listed.conversation
        unsent = not one.message_count
        title = one.title or (clean(one.draft)[:DRAFT_CHARS] if unsent else "(no title)")
        marks = [*(["draft"] if one.draft else []), *(["archived"] if one.archived is not None else [])]
        notes = "".join(f"  {note}" for note in (*marks, *(f"#{tag}" for tag in one.tags)))
        kept = min(cell_len(notes), max(room - cell_len(title), room // 4))
        color = "muted" if unsent else "foreground"
        shown = self._emphasised(title, listed.title_spans, room - kept, (color, attributes), on)
        used = sum(cell_len(segment.text) for segment in shown)
        return [*shown, Segment(fit(notes, room - used, self.glyphs.ellipsis), self.pen("meter-ours", on=on))]

    def _place(self, row: Row, width: int, _attributes: str, on: str) -> list[Segment]:
        """A line of a message, the searched words bright in it."""
        hit = row.hit
        assert hit is not None
        who = "you" if hit.role == "user" else clean(row.conversation.model) or "answer"
        who = fit(who, 12, self.glyphs.ellipsis)
        age = ago(hit.created)
        room = width - 18 - 12
        snippet = hit.snippet.replace("…", self.glyphs.ellipsis)
        text = self._emphasised(snippet, hit.spans, room, ("muted", ""), on)
        used = sum(cell_len(segment.text) for segment in text)
        return [
            Segment(f"    {who}  ", self.pen("faint", on=on)),
            *text,
            Segment(" " * (room - used) + fit_right(age, 12), self.pen("faint", on=on)),
        ]

    def _emphasised(self, text: str, spans: Spans, room: int, look: tuple[str, str], on: str) -> list[Segment]:
        """`text` in at most `room` cells with its spans bright; cut at the beginning where the first would be lost."""
        usual, bright = self.pen(*look, on), self.pen("accent", "bold", on)
        pieces, at = [], 0
        if spans and cell_len(text[: spans[0][1]]) > room - 2:
            at = max(0, min(spans[0][0] - room // 3, len(text) - room + 1))
            at = text.find(" ", at, spans[0][0]) + 1 or at
            pieces.append((self.glyphs.ellipsis, usual))
        for start, end in spans:
            pieces += [(text[at:start], usual), (text[start:end], bright)]
            at = max(at, end)
        pieces.append((text[at:], usual))
        segments: list[Segment] = []
        for piece, style in pieces:
            cells = cell_len(piece)
            if cells > room:
                piece = fit(piece, room, self.glyphs.ellipsis)
                cells = room
            if piece:
                segments.append(Segment(piece, style))
            room -= cells
            if room <= 0:
                break
        return segments
