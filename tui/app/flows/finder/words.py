"""What the finder says in sentences: where its rows come from, and why there are none. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tui.app.glyphs import Glyphs
from tui.app.panels.finder.filters import Filter
from tui.app.panels.finder.source import Source
from tui.app.text import clean, plural, thousands
from tui.models.finder.values import FinderRow, Wishes

Sentence = tuple[str, str]
"""Words, and their colour."""


GUESSED = "~ estimated"
"""What the sign before figures means."""


def source_words(gathered: str, state: str, problem: str, age: str, retry: str, glyphs: Glyphs) -> Source:
    """Where the rows come from, for the frame. `state` is that of the Hub's answer: "asking", "done" or "failed";
    empty where nobody has asked. `age` is how old its answer is, in words; `retry` the key that asks once more.
    """
    catalogue = f"catalogue of {gathered}" if gathered else ""
    dot = f" {glyphs.dot} " if catalogue else ""
    old = f"{dot}the Hub's answer of {age} ago" if age else ""
    if problem:
        return Source(catalogue + old, f"the Hub cannot be reached: {problem}", f"{retry} tries again")
    if state == "asking":
        return Source(f"{catalogue}{dot}asking the Hub{glyphs.ellipsis}")
    source = catalogue + (old or f"{dot}the Hub" if state == "done" else "")
    return Source(f"{source} {glyphs.dot} {GUESSED}" if source else "")


def age_words(age_s: float) -> str:
    """How old an answer is: 5 minutes; empty below one."""
    minutes = int(age_s // 60)
    if minutes < 1:
        return ""
    if minutes < 120:
        return plural(minutes, "minute")
    hours = minutes // 60
    return plural(hours, "hour") if hours < 48 else plural(hours // 24, "day")


def nothing_words(
    wishes: Wishes,
    without: Sequence[tuple[Filter, int]],
    state: str,
    shown_key: Callable[[str], str],
    glyphs: Glyphs,
) -> tuple[Sentence, ...]:
    """Why no row is left, and what to do. `without` is how many there would be without each filter, the most first,
    and empty where it is not for them; `state` as above; `shown_key` gives the key of an action.
    """
    query = clean(wishes.query)
    if not without:
        where = {
            "asking": "in the catalogue; the Hub is being asked",
            "failed": "in the catalogue, and the Hub cannot be reached",
        }
        found = where.get(state, "in the catalogue or on the Hub")
        return (
            (f"Nothing is called '{query}' {found}.", "foreground"),
            ("Fewer words, or a part of one, find more.", "muted"),
        )
    called = f" called '{query}'" if query else ""
    worst, count = without[0]
    told = worst.shown(wishes, glyphs)
    if not count:
        lines: tuple[Sentence, ...] = (
            (f"No model{called} has all of this, and no filter alone is the reason.", "foreground"),
        )
    else:
        lines = (
            (f"No model{called} has all of this.", "foreground"),
            (f"Most are left out by '{told}': without it there would be {thousands(count)}.", "foreground"),
            (f"{shown_key(worst.name)} changes that one.", "muted"),
        )
    return (*lines, (f"{shown_key('clear')} takes all filters away.", "muted"))


def other_words(wanted: FinderRow, quant: str) -> str:
    """That another quantization is fetched than the one that was shown; empty where it is the same."""
    if not wanted.quant or wanted.quant == quant:
        return ""
    other = clean(quant) or "what it has"
    return f"{clean(wanted.listing.repo)} has no {clean(wanted.quant)}; {other} is fetched instead."
