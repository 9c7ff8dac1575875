"""What the load panel says of the settings on it, as lines of coloured words: the verdict and the speed, bytes by
device and part, where they come from, and what could be changed. Pure: no drawing, no asking.

Nothing is cut: sentences are wrapped, and where there are too few lines, whole parts are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from rich.cells import cell_len, chop_cells

from tui.app.glyphs import Glyphs
from tui.app.panels.load.price import (
    LETTERS,
    Line,
    Lines,
    Price,
    Word,
    brief_size,
    device_names,
)
from tui.app.text import clean, fit, fit_right, plural
from tui.fit.fixes import Fix
from tui.models.fit_words import (
    PARTS,
    VERDICTS,
    Pool,
    answer_words,
    beside_words,
    free_bytes,
    goal,
    kept_free,
    origins,
    parts_of,
    speed_words,
)
from tui.models.receipt_words import last_load_words

_COLUMN: Final = 8
_MOST_NAME: Final = 12
_OVER: Final = 13
"""Cells for "  29.9 G over"."""
_TOO_MUCH: Final = 17
"""Cells for "  29.9 G too much"."""
_SHORT_ROW: Final = 34
"""Cells of a row without parts, before what it says of the room."""
_COLORS: Final = {"gpu": "success", "partial": "warning", "ram": "success", "no": "error"}
_ASCII: Final = str.maketrans({"−": "-", "–": "-", "×": "x", "·": "-", "…": "~"})


def full(price: Price, width: int, glyphs: Glyphs) -> Lines:
    """Everything, in lines of at most `width` cells."""
    parts = Parts(price, width, glyphs)
    return (parts.head, *parts.table, *parts.sources, *_flat(parts.said), *_flat(parts.fixes), *parts.last)


def fitted(price: Price, width: int, height: int, glyphs: Glyphs) -> tuple[Lines, bool]:
    """What matters most in at most `height` lines, and whether something was left out for it.

    The verdict comes first, then what each pool would hold (summed up where there are too many), then the fixes, then
    what the plan says, then the rest.
    """
    everything = full(price, width, glyphs)
    if len(everything) <= height:
        return everything, False
    parts = Parts(price, width, glyphs)
    left = height - 1
    table = parts.table if len(parts.table) + min(3, len(_flat(parts.fixes))) <= left else parts.sums[: max(0, left)]
    left -= len(table)
    fixes, left = _as_many(parts.fixes, left)
    if len(fixes) == 1 < len(parts.fixes):  # a heading alone says nothing
        fixes, left = (), left + 1
    said, left = _as_many(parts.said, left)
    last, left = _as_many([parts.last], left)
    sources, left = _as_many([parts.sources], left)
    return (parts.head, *table, *sources, *said, *fixes, *last)[: max(0, height)], True


def wrapped(text: str, width: int, *, hang: int = 0) -> list[str]:
    """`text` in lines of at most `width` cells, broken between words; lines after the first begin `hang` cells in."""
    lines, line, used = [], "", 0
    for word in text.split(" "):
        more = f" {word}" if line.strip() else word
        cells = cell_len(more)
        if used + cells <= width:
            line, used = line + more, used + cells
            continue
        if line.strip():
            lines.append(line)
        *whole, line = chop_cells(" " * min(hang if lines else 0, width - 1) + word, max(1, width)) or [""]
        lines += whole
        used = cell_len(line)
    return [*lines, line]


def plain(text: str, glyphs: Glyphs) -> str:
    """`text` with the signs that the terminal can show."""
    return text.translate(_ASCII) if glyphs.ascii else text


class Parts:
    """The parts of the answer, each in lines of at most `width` cells."""

    def __init__(self, price: Price, width: int, glyphs: Glyphs) -> None:
        self._price, self._width, self._glyphs = price, max(1, width), glyphs
        self._names = device_names(price.machine)
        self._devices = tuple((self._names[device.name], device) for device in price.assessment.devices)
        self._pools: tuple[tuple[str, Pool], ...] = (*self._devices, ("host", price.assessment.host))
        self._name_cells = min(_MOST_NAME, max(cell_len(name) for name, _ in self._pools)) + 1

    @property
    def head(self) -> Line:
        """The verdict, and the speed that goes with it."""
        price, glyphs = self._price, self._glyphs
        words, color = VERDICTS[price.assessment.verdict], _COLORS[price.assessment.verdict]
        head = [Word(f"{glyphs.loaded} ", color), Word(fit(words, min(len(words), self._width - 2)), color, "bold")]
        if price.speed is not None and price.assessment.verdict != "no":
            dash = "-" if glyphs.ascii else "–"
            more = (f"   {speed_words(price.speed, dash)}", f" {glyphs.dot} {answer_words(price.speed, dash)}")
            for text, shade in zip(more, ("foreground", "muted"), strict=True):
                if sum(cell_len(word.text) for word in head) + cell_len(text) > self._width:
                    break
                head.append(Word(text, shade))
        return tuple(head)

    @property
    def is_wide(self) -> bool:
        """Whether there is room for a column for each part."""
        return self._width >= self._name_cells + 6 * _COLUMN + _OVER

    @property
    def table(self) -> Lines:
        """Every pool: by part where there is room for that."""
        cells = self._name_cells
        if not self.is_wide:
            return tuple(self._short_row(name, pool, cells) for name, pool in self._pools)
        titles = "".join(fit_right(title, _COLUMN) for title in (*PARTS, "sum", "free"))
        rows = (self._row(fit(name, cells, self._glyphs.ellipsis), pool) for name, pool in self._pools)
        return ((Word(" " * cells + titles, "faint"),), *rows)

    @property
    def sums(self) -> Lines:
        """The devices together, or the worst of those that are too full, and the host, a line each."""
        host = self._price.assessment.host
        used = [(name, device) for name, device in self._devices if device.need_bytes]
        lines: list[Line] = []
        if too_full := [(name, device) for name, device in used if not device.fits]:
            name, worst = max(too_full, key=lambda one: one[1].over_bytes)
            lines.append(self._short_row(name, worst, 0))
        elif used:
            name = used[0][0] if len(used) == 1 else plural(len(used), "GPU")
            need = sum(device.need_bytes for _, device in used)
            free = sum(device.free_bytes for _, device in used)
            lines.append(self._short_line(name, need, free, (Word("  fits", "success"),), 0))
        lines.append(self._short_row("host", host, 0))
        return tuple(lines if host.fits else reversed(lines))

    @property
    def sources(self) -> Lines:
        """Where the numbers come from."""
        price = self._price
        parts = [clean(origin) for origin in origins(price)]
        if kept := kept_free(price, brief_size):
            parts.append(f"kept free: {kept}")
        parts += (f"with {clean(words)}" for words in beside_words(price))
        if price.speed is not None and price.assessment.verdict != "no":
            parts.append(f"speed: {price.speed.source}")
        return self._sentence(f" {self._glyphs.dot} ".join(parts), "faint")

    @property
    def said(self) -> list[Lines]:
        """What is less than usual, and what else is worth knowing, sentence by sentence."""
        price = self._price
        return [
            *(self._sentence(clean(sentence), "warning") for sentence in price.said),
            *(self._sentence(clean(sentence), "muted") for sentence in price.notes),
        ]

    @property
    def fixes(self) -> list[Lines]:
        """What could be changed: a heading, then each."""
        price = self._price
        if not price.may_be_better or price.fixes is None:
            return []
        if not price.fixes:
            return [self._sentence(f"No single change would {goal(price)}.", "muted")]
        offered = price.offered
        letters = [LETTERS[offered.index(fix)] if fix in offered else self._glyphs.dot for fix in price.fixes]
        return [
            self._sentence(f"To {goal(price)}:", "muted"),
            *(self._fix(letter, fix) for letter, fix in zip(letters, price.fixes, strict=True)),
        ]

    @property
    def last(self) -> Lines:
        """How the last load of this model compared with what had been said of it."""
        record = self._price.last
        words = map(clean, last_load_words(record, self._names)) if record else ()
        return self._sentence(f" {self._glyphs.dot} ".join(words), "faint") if record else ()

    def _fix(self, letter: str, fix: Fix) -> Lines:
        texts = wrapped(plain(clean(fix.words), self._glyphs), self._width - 3, hang=2)
        first, *others = texts
        change = len(plain(clean(fix.change), self._glyphs))
        return (
            (Word(f" {letter} ", "accent", "bold"), Word(first[:change]), Word(first[change:], "muted")),
            *((Word(f"   {text}", "muted"),) for text in others),
        )

    def _row(self, name: str, pool: Pool) -> Line:
        color = "foreground" if pool.need_bytes else "muted"
        return (
            Word(name, "muted"),
            Word("".join(self._cell(part) for part in parts_of(pool)), "muted"),
            Word(self._cell(pool.need_bytes), color),
            Word(fit_right(brief_size(free_bytes(pool)), _COLUMN), color),
            *self._fits(pool),
        )

    def _cell(self, size_bytes: int) -> str:
        return fit_right(brief_size(size_bytes) if size_bytes else self._glyphs.rule, _COLUMN)

    def _short_row(self, name: str, pool: Pool, name_cells: int) -> Line:
        return self._short_line(name, pool.need_bytes, free_bytes(pool), self._fits(pool), name_cells)

    def _short_line(self, name: str, need: int, free: int, fits: Line, name_cells: int) -> Line:
        """What is left out first where there is little room: the words around the figures, then what is free."""
        label = fit(name, name_cells or cell_len(name) + 1, self._glyphs.ellipsis)
        for text in (f"{brief_size(need)} of {brief_size(free)} free", f"{brief_size(need)} of {brief_size(free)}"):
            line = (Word(label, "muted"), Word(text), *fits)
            if sum(cell_len(word.text) for word in line) <= self._width:
                return line
        room = self._width - cell_len(brief_size(need)) - sum(cell_len(word.text) for word in fits)
        return (Word(fit(label, room, self._glyphs.ellipsis), "muted"), Word(brief_size(need)), *fits)

    def _fits(self, pool: Pool) -> Line:
        if not pool.need_bytes:
            return ()
        if pool.fits:
            return (Word("  fits", "success"),)
        left = self._width - (self._name_cells + 6 * _COLUMN if self.is_wide else _SHORT_ROW)
        return (Word(f"  {brief_size(pool.over_bytes)} {'too much' if left >= _TOO_MUCH else 'over'}", "error"),)

    def _sentence(self, text: str, color: str) -> Lines:
        return tuple((Word(line, color),) for line in wrapped(plain(text, self._glyphs), self._width))


def _flat(blocks: Iterable[Lines]) -> Lines:
    return tuple(chain.from_iterable(blocks))


def _as_many(blocks: Sequence[Lines], left: int) -> tuple[Lines, int]:
    """The first of these that fit into `left` lines whole, and how many are left then."""
    taken: Lines = ()
    for block in blocks:
        if len(taken) + len(block) > left:
            break
        taken += block
    return taken, left - len(taken)
