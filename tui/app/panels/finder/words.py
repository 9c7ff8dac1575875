"""Facts of a finder row as words and signs: verdict, parameters, speed, popularity, date. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tui.app.glyphs import Glyphs
from tui.app.panels.load.price import Word, brief_size
from tui.fit.verdict import Verdict
from tui.hub.listing import Listing, UseCase
from tui.models.finder.values import FinderRow

VERDICTS: Final[Mapping[Verdict | None, tuple[str, str, str]]] = {
    "gpu": ("GPU", "all on the GPU", "success"),
    "partial": ("part", "part GPU, part RAM", "warning"),
    "ram": ("RAM", "all in RAM", "success"),
    "no": ("no", "does not fit", "error"),
    None: ("?", "not known yet", "faint"),
}
"""A verdict in a word, in a few, and its colour."""
_SPECIAL: Final[Sequence[UseCase]] = ("embedding", "vision", "code", "reasoning")
"""What a model is for when it is for more than to chat, the most telling first."""
_COUNTS: Final = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))
_MANY: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def verdict_sign(verdict: Verdict | None, glyphs: Glyphs) -> str:
    """The sign of a verdict: they differ in shape, so that they differ without colour too."""
    signs = {"gpu": glyphs.loaded, "partial": glyphs.half, "ram": glyphs.ring, "no": glyphs.cross}
    return signs[verdict] if verdict is not None else " "


def verdict_word(verdict: Verdict | None, glyphs: Glyphs) -> Word:
    """A verdict in a sign and a word: ● GPU."""
    brief, _, color = VERDICTS[verdict]
    return Word(f"{verdict_sign(verdict, glyphs)} {brief}", color)


def parameters(listing: Listing) -> str:
    """30B, 135M, and with experts how many a token uses: 30B-A3B. Empty where nobody knows."""
    if listing.parameters is None:
        return ""
    active = listing.active_parameters
    more = f"-A{_count(active)}" if active and active < listing.parameters else ""
    return _count(listing.parameters) + more


def _count(number: float) -> str:
    for least, unit in _COUNTS:
        if number >= 0.9995 * least:
            value = number / least
            return f"{value:.1f}{unit}".replace(".0", "") if value < 9.95 else f"{value:.0f}{unit}"
    return f"{number:.0f}"


def many(number: int | None) -> str:
    """Downloads and likes: 1.2 M, 345 k, 78; empty where nobody knows."""
    if number is None:
        return ""
    for least, unit in _MANY:
        if number >= 0.9995 * least:
            value = number / least
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return str(number)


def speed(row: FinderRow, glyphs: Glyphs) -> str:
    """Tokens a second from the low to the high end, in at most eight cells: 58–74, 6.1–9.4, 2.5k–22k; empty where it
    cannot be told.
    """
    if row.decode_tok_s is None:
        return ""
    low, high = row.decode_tok_s
    first, last = (_rate(value, tenths=high < 9.95) for value in (low, high))
    return first if first == last else f"{first}{'-' if glyphs.ascii else '–'}{last}"


def _rate(tok_s: float, *, tenths: bool) -> str:
    if tok_s < 999.5:
        return f"{tok_s:.1f}" if tenths else f"{tok_s:.0f}"
    thousand = tok_s / 1000
    return f"{thousand:.1f}k" if thousand < 9.95 else f"{min(99, thousand):.0f}k"


def size(size_bytes: int | None) -> str:
    """Bytes in at most six cells: 18.6 G; empty where they are not known."""
    return brief_size(size_bytes) if size_bytes is not None else ""


def file_size(row: FinderRow) -> str:
    """What its file takes; with a sign before it where no file is known, and it is guessed."""
    return _guessed(size(row.file_bytes), known=row.file is not None)


def need(row: FinderRow) -> str:
    """What it needs; with a sign before it where no dry run told."""
    return _guessed(size(row.need_bytes), known=row.exact)


def _guessed(words: str, *, known: bool) -> str:
    return words if known or not words else f"~{words}"


def month(listing: Listing) -> str:
    """When it last changed: 2026-05."""
    return (listing.updated or "")[:7]


def purpose(listing: Listing) -> str:
    """What it is for, in one word."""
    for use in _SPECIAL:
        if use in listing.use_cases:
            return use
    return listing.use_cases[0] if listing.use_cases else ""
