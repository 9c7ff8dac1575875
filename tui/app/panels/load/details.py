"""All that is known of a price, to be read over the load panel: what `puna fit --explain` tells, and what the last load
took. It follows the price while it is open; the settings are changed on the panel only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual import events
from textual.content import Content

from tui.app.glyphs import Glyphs
from tui.app.keys import Keymap
from tui.app.panels.load.lines import Parts, plain, wrapped
from tui.app.panels.load.price import Line, Lines, Price, Word, brief_size, device_names
from tui.app.panels.load.receipt import receipt_table
from tui.app.screens.read import ReadScreen
from tui.app.text import clean
from tui.models.fit_words import PARTS, SPEED_UNKNOWN, explained, facts, parts_of, range_words, settings_words

_MOST = 97
"""Cells of a line in the box that texts are read in, where the terminal has room for it; one more is its scroll bar."""
_FRAME = 11
"""Cells that the box, its scroll bar and what is left free around it take from the terminal's width."""


class DetailsScreen(ReadScreen):
    """The text of one price after another."""

    def __init__(self, title: str, price: Price, keymap: Keymap, glyphs: Glyphs) -> None:
        super().__init__(title, Content(""), keymap)
        self._price: Price | None = price
        self._glyphs, self._words = glyphs, ""

    def show(self, price: Price | None, words: str = "") -> None:
        """The price is another now; without one, in `words`, why there is none."""
        self._price, self._words = price, words
        self._write()

    def on_resize(self, _event: events.Resize) -> None:
        self._write()

    def _write(self) -> None:
        width = max(10, min(_MOST, self.size.width - _FRAME))
        self.put(details_text(self._price, width, self._glyphs) if self._price is not None else Content(self._words))


def details_text(price: Price, width: int, glyphs: Glyphs) -> Content:
    """The text, in lines of at most `width` cells."""
    blocks = [block for block in _blocks(price, width, glyphs) if block]
    lines = [line for block in blocks for line in (*block, ())][:-1]
    return Content("\n").join(
        Content.assemble(*((word.text, f"{word.attributes} ${word.color}".strip()) for word in line)) for line in lines
    )


def _blocks(price: Price, width: int, glyphs: Glyphs) -> Iterator[Lines]:
    """What belongs together, an empty line between each."""
    parts = Parts(price, width, glyphs)
    yield _sentences([facts(price.subject), settings_words(price)], width, glyphs)
    yield parts.head, *_sentences(_speed(price, glyphs), width, glyphs)
    yield parts.table if parts.is_wide else tuple(_by_pool(price, parts, width))
    yield tuple(line for sentence in parts.said for line in sentence)
    yield tuple(line for fix in parts.fixes for line in fix)
    origins = explained(price, device_names(price.machine))
    yield (Word("Where the numbers come from"),), *_sentences(origins, width, glyphs, indent=2)
    yield receipt_table(price.last, price.machine, glyphs) if price.last is not None else ()


def _speed(price: Price, glyphs: Glyphs) -> Iterator[str]:
    if price.speed is None:
        if price.assessment.verdict != "no":
            yield f"speed {SPEED_UNKNOWN}"
    elif price.speed.prefill_tok_s is not None:
        dash = "-" if glyphs.ascii else "–"
        yield f"a prompt is read at {range_words(price.speed.prefill_tok_s, dash)} tok/s"


def _by_pool(price: Price, parts: Parts, width: int) -> Iterator[Line]:
    """The table where there is no room for its columns: each pool, and under it what would lie there."""
    for row, pool in zip(parts.table, price.assessment.pools, strict=True):
        yield row
        told = [f"{name} {brief_size(size)}" for name, size in zip(PARTS, parts_of(pool), strict=True) if size]
        yield from ((Word(f"  {line}", "muted"),) for line in wrapped(", ".join(told), width - 2) if told)


def _sentences(texts: Iterable[str], width: int, glyphs: Glyphs, *, indent: int = 0) -> Lines:
    """Sentences, each on lines of its own and as far in as it stands."""
    lines: list[Line] = []
    for text in texts:
        blank = " " * (indent + len(text) - len(text.lstrip()))
        rest = wrapped(plain(clean(text), glyphs), width - len(blank), hang=2)
        lines += ((Word(blank + line, "muted"),) for line in rest)
    return tuple(lines)
