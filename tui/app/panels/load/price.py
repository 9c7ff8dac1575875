"""What the load panel says of the settings on it, as lines of coloured words: the verdict and the speed, bytes by
device and part, where they come from, and what could be changed. Pure: no drawing, no asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tui.app.glyphs import Glyphs
from tui.app.text import GIB, MIB, clean, fit, fit_right
from tui.fit.fixes import Fix
from tui.fit.speed import ANSWER_TOKENS, Speed
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.fit.verdict import Assessment, DeviceFit, HostFit
from tui.hardware.names import card_name

WIDE = 66
"""Cells from which the table has a column a part."""
_NAME, _COLUMN = 9, 9
LETTERS = "ABCDEF"
"""The keys of the fixes that are offered, in order."""
_VERDICTS = {
    "gpu": ("all on the GPU", "success"),
    "partial": ("part on the GPU, part in RAM", "warning"),
    "ram": ("all in RAM", "success"),
    "no": ("does not fit", "error"),
}


class Word(NamedTuple):
    """A piece of a line."""

    text: str
    color: str = "foreground"
    attributes: str = ""


Line = tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Price:
    """What the settings on the panel come to."""

    machine: Machine
    prediction: Prediction
    assessment: Assessment
    speed: Speed | None = None
    said: tuple[str, ...] = ()
    """What automatic settings have less of than is usual, in sentences."""
    fixes: tuple[Fix, ...] = ()
    notes: tuple[str, ...] = ()
    """What else is worth knowing, in sentences."""

    @property
    def offered(self) -> tuple[Fix, ...]:
        """The fixes that have a key: those that are settings."""
        return tuple(change for change in self.fixes if change.settings is not None)[: len(LETTERS)]


def lines(price: Price, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """Everything, in lines of at most `width` cells."""
    table = _table(price, glyphs) if width >= WIDE else _short_table(price, glyphs)
    return (
        _headline(price, width, glyphs),
        *table,
        (Word(_sources(price, glyphs), "faint"),),
        *((Word(clean(sentence), "warning"),) for sentence in (*price.said, *price.notes)),
        *_fixes(price, glyphs),
    )


def speed_words(speed: Speed, glyphs: Glyphs) -> str:
    """A range of tokens a second: 6-9 tok/s."""
    low, high = speed.decode_tok_s
    return f"{_range(low, high, glyphs)} tok/s"


def _headline(price: Price, width: int, glyphs: Glyphs) -> Line:
    words, color = _VERDICTS[price.assessment.verdict]
    head = [Word(f"{glyphs.loaded} ", color), Word(words, color, "bold")]
    if price.speed is not None:
        low, high = (ANSWER_TOKENS / rate for rate in reversed(price.speed.decode_tok_s))
        speed = f"   {speed_words(price.speed, glyphs)}"
        head.append(Word(speed))
        answer = f" {glyphs.dot} 300 words in {_range(low, high, glyphs)} s"
        if sum(len(word.text) for word in head) + len(answer) <= width:
            head.append(Word(answer, "muted"))
    return tuple(head)


def _table(price: Price, glyphs: Glyphs) -> Iterator[Line]:
    titles = ("weights", "context", "compute", "driver", "sum", "free")
    yield (Word(" " * _NAME + "".join(fit_right(title, _COLUMN) for title in titles), "faint"),)
    for device in price.assessment.devices:
        parts = (device.weights_bytes, device.context_bytes, device.compute_bytes, device.overhead_bytes)
        yield _row(device_label(price, device), parts, device, device.free_bytes, glyphs)
    host = price.assessment.host
    compute = host.compute_bytes + host.output_bytes
    yield _row("host", (host.weights_bytes, host.context_bytes, compute, None), host, host.available_bytes, glyphs)


def _row(name: str, parts: tuple[int | None, ...], pool: DeviceFit | HostFit, free: int, glyphs: Glyphs) -> Line:
    cells = "".join(fit_right(brief_size(part) if part else glyphs.rule, _COLUMN) for part in parts)
    held = fit_right(brief_size(pool.need_bytes) if pool.need_bytes else glyphs.rule, _COLUMN)
    color = "foreground" if pool.need_bytes else "muted"
    return (
        Word(fit(name, _NAME, glyphs.ellipsis), "muted"),
        Word(cells, "muted"),
        Word(held, color),
        Word(fit_right(brief_size(free), _COLUMN), color),
        *_fits(pool),
    )


def _short_table(price: Price, glyphs: Glyphs) -> Iterator[Line]:
    host = price.assessment.host
    rows: list[tuple[str, DeviceFit | HostFit, int]] = [
        (device_label(price, device), device, device.free_bytes) for device in price.assessment.devices
    ]
    for name, pool, free in (*rows, ("host", host, host.available_bytes)):
        text = f"{brief_size(pool.need_bytes)} of {brief_size(free)} free"
        yield (Word(fit(name, _NAME, glyphs.ellipsis), "muted"), Word(text), *_fits(pool))


def _fits(pool: DeviceFit | HostFit) -> tuple[Word, ...]:
    if not pool.need_bytes:
        return ()
    if pool.fits:
        return (Word("  fits", "success"),)
    return (Word(f"  {brief_size(pool.over_bytes)} too much", "error"),)


def device_label(price: Price, device: DeviceFit | DeviceSpec) -> str:
    """A device as people know it: its card's name, or llama.cpp's own where two cards are alike."""
    names = [card_name(clean(other.description)) for other in price.assessment.devices if other.description]
    name = card_name(clean(device.description)) if device.description else ""
    return name if name and names.count(name) == 1 else clean(device.name)


def _sources(price: Price, glyphs: Glyphs) -> str:
    prediction = price.prediction
    estimate = f"estimate: {clean(prediction.reason)}".rstrip(": ")
    parts = ["dry run of the header" if prediction.source == "dry-run" else estimate]
    used = [spec for spec, held in zip(price.machine.devices, price.assessment.devices, strict=True) if held.need_bytes]
    if used:
        measured = all(spec.overhead_origin == "measured" for spec in used)
        parts.append("driver measured here" if measured else "driver assumed")
    if price.speed is not None:
        parts.append(f"speed: {price.speed.source}")
    return f" {glyphs.dot} ".join(parts)


def _fixes(price: Price, glyphs: Glyphs) -> Iterator[Line]:
    if not price.fixes:
        return
    goal = "To make it fit:" if price.assessment.verdict == "no" else "To have it all on the GPU:"
    yield (Word(goal, "muted"),)
    offered = price.offered
    for change in price.fixes:
        letter = LETTERS[offered.index(change)] if change in offered else " "
        saved = f"  {glyphs.rule}{brief_size(change.saves_bytes)}" if change.saves_bytes else ""
        cost = f"  {clean(change.cost)}" if change.cost else ""
        yield (Word(f" {letter} ", "accent", "bold"), Word(clean(change.change)), Word(f"{saved}{cost}", "muted"))


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
