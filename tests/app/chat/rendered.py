"""Rendering without a widget: what the transcript would draw for a message, as lines."""

from __future__ import annotations

from collections.abc import Iterable

from tui.app.panels.chat.document import Document
from tui.app.panels.chat.entry import Entry
from tui.app.panels.chat.glyphs import UNICODE, Glyphs
from tui.app.panels.chat.lines import Line
from tui.app.panels.chat.message import TranscriptMessage


def document(width: int, *messages: TranscriptMessage, glyphs: Glyphs = UNICODE) -> Document:
    """A document of these messages."""
    made = Document(glyphs)
    made.set_width(width)
    made.replace([Entry(message) for message in messages])
    return made


def all_lines(made: Document) -> list[Line]:
    """Every line, with everything drawn and coloured."""
    made.settle(0, 1_000_000, follow=False)
    for entry in made.entries:
        for unit in entry.units:
            while unit.colouring:
                unit.colour(made.glyphs)
    return [(unit.lines or [])[index] for unit, index in made.rows(0, 1_000_000)]


def answer_lines(text: str, width: int, glyphs: Glyphs = UNICODE) -> list[Line]:
    """The lines of an answer given at once."""
    return all_lines(document(width, TranscriptMessage("1", "assistant", text), glyphs=glyphs))


def streamed_lines(pieces: Iterable[str], width: int) -> list[Line]:
    """The lines of an answer that came in pieces, each of them shown before the next one came."""
    made = Document()
    made.set_width(width)
    entry = Entry(TranscriptMessage("1", "assistant", ""), live=True)
    made.add(entry)
    for piece in pieces:
        entry.append(piece, "answer")
        made.advance(0)
    entry.finish("", failed=False)
    made.advance(0)
    return all_lines(made)


def texts(lines: Iterable[Line]) -> list[str]:
    """What the lines show, without blanks at their ends."""
    return [line.text.rstrip() for line in lines]


def shown(text: str, width: int = 60) -> list[str]:
    """What an answer looks like."""
    return texts(answer_lines(text, width))
