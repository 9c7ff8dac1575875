"""The units around the text of a message: labels, the thinking line, notes and cards."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui.app.panels.chat.glyphs import Glyphs
from tui.app.panels.chat.lines import BLANK, PAD, Line, emphasised, line, prefixed
from tui.app.panels.chat.sanitize import clean_lines, expand_tabs, one_line, steady
from tui.app.panels.chat.units import Unit
from tui.app.panels.chat.wrap import clip, wrap


class Space(Unit):
    """A blank line."""

    __slots__ = ()

    def draw(self, width: int, glyphs: Glyphs) -> None:
        self.lines = [BLANK]


class Label(Unit):
    """Who speaks. Without a name it is only the blank line between two messages."""

    __slots__ = ("_gap", "_name", "_selected", "_style")

    def __init__(self, name: str, role: str, *, gap: bool, selected: bool = False) -> None:
        super().__init__()
        self._name = one_line(name)
        self._selected = selected
        self._style = "you" if role == "user" else "label"
        self._gap = gap

    def estimate(self, width: int) -> int:
        return self._gap + bool(self._name)

    def draw(self, width: int, glyphs: Glyphs) -> None:
        self.lines = [BLANK] * self._gap
        if self._name:
            mark = f"{glyphs.bar} " if self._selected else ""
            self.lines.append(line((mark, "key"), (clip(self._name, width - len(mark), glyphs.ellipsis), self._style)))


class Thought(Unit):
    """The line that stands for a model's thinking, or for files that a person sent along: `name`."""

    __slots__ = ("_name", "_now", "_seconds", "_shows")

    def __init__(self, now: bool, seconds: float | None, *, shows: bool, name: str = "") -> None:
        super().__init__()
        self._name = one_line(name)
        self._now = now
        self._seconds = seconds
        self._shows = shows

    def draw(self, width: int, glyphs: Glyphs) -> None:
        mark = glyphs.unfolded if self._shows else glyphs.folded
        if self._name:
            text = clip(self._name, width - len(mark) - 1, glyphs.ellipsis)
        elif self._now:
            text = "thinking" + glyphs.going_on
        elif self._seconds is None:
            text = "thought"
        else:
            text = f"thought for {duration(self._seconds)}"
        self.lines = [line((f"{mark} {text}", "thought"))]


class Note(Unit):
    """What became of an answer, or what it is waiting for."""

    __slots__ = ("_failed", "_gap", "_plain", "_text")

    def __init__(self, text: str, *, failed: bool, gap: bool, plain: bool = False) -> None:
        super().__init__()
        self._text = text
        self._failed = failed
        self._gap = gap
        self._plain = plain

    def draw(self, width: int, glyphs: Glyphs) -> None:
        style = "error" if self._failed else "note"
        mark = "" if self._plain else (glyphs.error if self._failed else glyphs.note) + " "
        lines = [
            made for text in clean_lines(self._text) for made in wrap([(one_line(text), style)], width - len(mark))
        ]
        self.lines = [BLANK] * self._gap + prefixed(lines, [(mark, style)], [(" " * len(mark), "")])


class Card(Unit):
    """A framed notice in the transcript, such as what happened to the engine. `**key**` stands out in its lines."""

    __slots__ = ("_texts", "title")

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self.title = one_line(title)
        self._texts = [expand_tabs(steady(part)) for text in lines for part in clean_lines(text)]

    def estimate(self, width: int) -> int:
        return 2 + len(self._texts)

    def draw(self, width: int, glyphs: Glyphs) -> None:
        inner = width - 4
        title = clip(self.title, inner - 2, glyphs.ellipsis)
        fill = glyphs.horizontal * (width - 5 - cell_len(title))
        made = [
            line(
                (glyphs.card[0] + glyphs.horizontal, "card"),
                (f" {title} ", "card-title"),
                (fill + glyphs.card[1], "card"),
            )
        ]
        for text in self._texts:
            indent = len(text) - len(text.lstrip(" "))
            for wrapped in _hanging(text, indent, inner):
                free = inner - cell_len(wrapped.text)
                sides = line(
                    (glyphs.vertical + " ", "card"), *wrapped.runs, (" " * free, PAD), (" " + glyphs.vertical, "card")
                )
                made.append(Line(sides.runs, wrapped.joint))
        bottom = glyphs.card[2] + glyphs.horizontal * (width - 2) + glyphs.card[3]
        self.lines = [*made, line((bottom, "card"))]


def _hanging(text: str, indent: int, width: int) -> list[Line]:
    """A line wrapped with its own indentation kept on the lines that continue it."""
    indent = min(indent, width // 2)
    blanks = [(" " * indent, "")]
    return prefixed(wrap(emphasised(text.strip(" "), ""), width - indent), blanks, blanks)


def duration(seconds: float) -> str:
    """Seconds as a person says them: "3.1 s", "2 min 5 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
