"""What is known of one model: every quantization with what it would take, where that comes from, and its card. A value,
and its lines. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from tui.app.glyphs import Glyphs
from tui.app.panels.finder import words
from tui.app.panels.load.lines import wrapped
from tui.app.panels.load.price import Line, Word
from tui.app.text import clean, clean_lines, fit, fit_right
from tui.hub.listing import Listing
from tui.models.finder.values import FinderRow

QUANT, FIGURE, SPEED = 12, 8, 16
PHRASE: Final = 18
WIDE: Final = 77
"""Cells from which a verdict is told in a few words instead of one."""

NARROW: Final = 48
"""Cells below which there is no room for the size of the file beside what it needs."""


@dataclass(frozen=True, slots=True)
class About:
    """One model, as far as it is known by now."""

    listing: Listing
    rows: tuple[FinderRow, ...] = ()
    """Smallest first."""
    note: str = ""
    """Where the figures come from, or what is being fetched for better ones."""
    problem: str = ""
    """Why there are no better ones."""
    fixes: tuple[str, ...] = ()
    """What would make the quantization under the cursor fit, or bring all of it on the GPU."""
    page: str = ""
    """Address of the repository's page."""
    card: str | None = None
    """The model card's text; None while it has not been read."""

    @property
    def recommended(self) -> int:
        """Which row is proposed."""
        return next((at for at, row in enumerate(self.rows) if row.best), 0)

    def at(self, quant: str, file: str | None = None) -> int:
        """Which row has that file, or that quantization; the recommended one where there is none."""
        for at, row in enumerate(self.rows):
            if (file is not None and row.file == file) or ((file is None or row.file is None) and row.quant == quant):
                return at
        return self.recommended


def title(about: About, width: int, glyphs: Glyphs) -> str:
    """The line over it: the repository, and what speaks for it; what there is no room for is left out."""
    listing = about.listing
    facts = [
        clean(listing.repo.rpartition("/")[2]),
        clean(listing.owner),
        words.parameters(listing),
        clean(listing.licence or ""),
        f"{glyphs.down} {words.many(listing.downloads)}" if listing.downloads is not None else "",
        words.month(listing),
        f"{glyphs.heart} {words.many(listing.likes)}" if listing.likes is not None else "",
    ]
    told = fit(facts[0], min(width, cell_len(facts[0])), glyphs.ellipsis)
    for fact in facts[1:]:
        more = f" {glyphs.dot} {fact}" if fact else ""
        if cell_len(told) + cell_len(more) <= width:
            told += more
    return told


def lines(about: About, at: int, width: int, glyphs: Glyphs) -> list[Line]:
    """All of it in lines of at most `width` cells: first one for each quantization, with the cursor on row `at`."""
    found = [_quantization(row, number == at, width, glyphs) for number, row in enumerate(about.rows)]
    found += list(_told(about, at, max(10, width - 4)))
    if about.card:
        found += [(), *_card(about.card, max(10, width - 4))]
    return found


@lru_cache(maxsize=2)
def _card(card: str, width: int) -> tuple[Line, ...]:
    """A card's text; what is indented, such as code, stays so. Kept, as a key must not wait for a long one."""
    found: list[Line] = []
    for line in clean_lines(card).split("\n"):
        text = line.lstrip(" ")
        indent = min(len(line) - len(text), width // 2)
        parts = wrapped(text, width - indent) if text else ()
        found += [(Word(" " * (4 + indent)), Word(part, "muted")) for part in parts] or [()]
    return tuple(found)


def _quantization(row: FinderRow, here: bool, width: int, glyphs: Glyphs) -> Line:
    brief, phrase, color = words.VERDICTS[row.verdict]
    rate = words.speed(row, glyphs)
    rate_words = f"{rate} tok/s" if rate else ""
    best = "best" if row.best else ""
    cells = [
        Word(f" {glyphs.pointer if here else ' '} ", "accent"),
        Word(f"{glyphs.here if row.installed else ' '} ", "success"),
        Word(fit(clean(row.quant) or "?", QUANT, glyphs.ellipsis), "foreground", "bold" if here else ""),
        Word(fit_right(words.file_size(row), FIGURE if width >= NARROW else 0), "muted"),
        Word(fit_right(words.need(row), FIGURE), "foreground"),
        Word(f"  {words.verdict_sign(row.verdict, glyphs)} ", color),
    ]
    room = width - sum(cell_len(word.text) for word in cells)
    told = phrase if width >= WIDE else brief
    cells.append(Word(fit(told, min(room, PHRASE if width >= WIDE else 5)), color))
    for word, least in ((Word(fit_right(rate_words, SPEED), "muted"), SPEED), (Word(f"  {best}", "accent"), 6)):
        room = width - sum(cell_len(word.text) for word in cells)
        if room > least:
            cells.append(word)
    return tuple(cells)


def _told(about: About, at: int, width: int) -> Iterator[Line]:
    """What is to be said of the row under the cursor, and of the repository."""
    row = about.rows[at] if at < len(about.rows) else None
    best = next((one for one in about.rows if one.best and one.reason), None)
    yield ()
    if best is not None:
        yield from _sentence(f"{best.quant} is recommended: {best.reason}.", width, "muted")
    yield from _sentence(about.problem, width, "warning")
    yield from _sentence(about.note, width, "faint")
    if row is not None:
        for number, words_ in enumerate(about.fixes):
            lead = "to help: " if number == 0 else "         "
            yield from _sentence(lead + words_, width, "foreground")
    yield from _sentence(about.page, width, "accent")


def _sentence(text: str, width: int, color: str) -> Iterable[Line]:
    """A text in lines, indented; none for an empty one."""
    if not text:
        return []
    return [(Word("    "), Word(line, color)) for line in wrapped(text, max(8, width))]
