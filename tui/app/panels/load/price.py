"""What the settings on the load panel come to, as values, and how its sizes and speeds read. Pure: it asks nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from tui.app.glyphs import Glyphs
from tui.app.text import GIB, MIB, clean
from tui.fit.fixes import Fix
from tui.fit.receipts import LoadRecord
from tui.fit.speed import ANSWER_TOKENS, Speed
from tui.fit.values import Machine, Prediction
from tui.fit.verdict import Assessment
from tui.hardware.names import card_name
from tui.llama.settings import LoadSettings

LETTERS: Final = "ABCDEFGH"
"""The keys of the fixes that are offered, in order: more than there are kinds of change, so that each has one."""
_LONG_S: Final = 120.0
"""An answer that takes longer is told in minutes."""


class Word(NamedTuple):
    """A piece of a line."""

    text: str
    color: str = "foreground"
    attributes: str = ""


Line = tuple[Word, ...]
Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """What the settings on the panel come to."""

    settings: LoadSettings
    """Resolved: numbers in place of "auto"."""
    machine: Machine
    prediction: Prediction
    assessment: Assessment
    speed: Speed | None = None
    said: tuple[str, ...] = ()
    """What automatic settings have less of than is usual, in sentences."""
    fixes: tuple[Fix, ...] | None = None
    """None while nobody has looked for any."""
    notes: tuple[str, ...] = ()
    """What else is worth knowing, in sentences."""
    last: LoadRecord | None = None
    """The last load of this model here."""

    @property
    def offered(self) -> tuple[Fix, ...]:
        """The fixes that have a key: those that are settings."""
        return tuple(change for change in self.fixes or () if change.settings is not None)[: len(LETTERS)]

    @property
    def may_be_better(self) -> bool:
        """True where a change could make it fit, or bring all of it to the GPUs."""
        verdict = self.assessment.verdict
        return verdict == "no" or (verdict != "gpu" and bool(self.machine.devices))


def device_names(machine: Machine) -> tuple[str, ...]:
    """The devices as people know them: a card's name, or llama.cpp's own where two cards are alike."""
    cards = [card_name(clean(device.description)) if device.description else "" for device in machine.devices]
    return tuple(
        card if card and cards.count(card) == 1 else clean(device.name)
        for card, device in zip(cards, machine.devices, strict=True)
    )


def speed_words(speed: Speed, glyphs: Glyphs) -> str:
    """A range of tokens a second: 6–9 tok/s."""
    return f"{_range(*speed.decode_tok_s, glyphs)} tok/s"


def answer_words(speed: Speed, glyphs: Glyphs) -> str:
    """How long an answer takes: 300 words in 45–65 s."""
    soon, late = (ANSWER_TOKENS / rate for rate in reversed(speed.decode_tok_s))
    if late > _LONG_S:
        return f"300 words in {_range(soon / 60, late / 60, glyphs)} min"
    return f"300 words in {_range(soon, late, glyphs)} s"


def brief_size(size_bytes: int) -> str:
    """Bytes in at most seven cells: 93 M, 29.9 G."""
    if size_bytes < 0:
        return f"-{brief_size(-size_bytes)}"
    if size_bytes < 999.5 * MIB:
        return f"{size_bytes / MIB:.0f} M" if size_bytes >= 9.95 * MIB else f"{size_bytes / MIB:.1f} M"
    value = size_bytes / GIB
    return f"{value:.1f} G" if value < 99.95 else f"{value:.0f} G"


def _range(low: float, high: float, glyphs: Glyphs) -> str:
    dash = "-" if glyphs.ascii else "–"
    first, last = (f"{value:.1f}" if high < 9.95 else f"{value:.0f}" for value in (low, high))
    return first if first == last else f"{first}{dash}{last}"
