"""What can be wished for of models, one filter a line, each with the values that its key goes through. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tui.app.glyphs import Glyphs
from tui.app.text import brief, clean
from tui.hub.listing import USE_CASES
from tui.models.finder.values import SORTS, Fits, Wishes

PATIENCE_S: Final = (10.0, 20.0, 30.0, 60.0, 120.0)
"""Seconds for an answer of 300 words."""
SPEEDS: Final = (5.0, 10.0, 20.0, 40.0, 80.0)
"""Tokens a second."""
PARAMETERS: Final = ((None, 4e9), (4e9, 9e9), (9e9, 16e9), (16e9, 40e9), (40e9, 100e9), (100e9, None))
LENGTHS: Final = (16384, 32768, 131072, 262144, 1_000_000)
"""Tokens that a model was trained on."""
CONTEXTS: Final = (2048, 4096, 8192, 16384, 32768, 65536, 131072)
"""Tokens of context that prices are made for."""
_MOST_NAMED: Final = 12
_FITS: Final[Mapping[Fits, str]] = {
    "any": "any",
    "gpu": "fits GPU",
    "partial": "part on GPU",
    "ram": "fits here",
}
_SORTS: Final = {
    "fit": "what fits best",
    "speed": "speed",
    "size": "size",
    "downloads": "downloads",
    "updated": "date",
    "likes": "likes",
    "name": "name",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What there is to choose from, on this machine and among these rows."""

    fits: tuple[Fits, ...] = ("any", "gpu", "partial", "ram")
    licences: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    @staticmethod
    def of(licences: Iterable[str], families: Iterable[str], *, gpus: bool) -> Choices:
        """What occurs most often; without GPUs everything that fits, fits into RAM."""
        fits: tuple[Fits, ...] = ("any", "gpu", "partial", "ram") if gpus else ("any", "ram")
        return Choices(fits, _commonest(licences), _commonest(families))


def _commonest(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name, _ in Counter(name for name in names if name).most_common(_MOST_NAMED))


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing that can be wished for."""

    name: str
    """The field of `Wishes`."""
    title: str
    nothing: Any
    """Its value where nothing is wished."""
    values: Callable[[Choices], Sequence[Any]]
    words: Callable[[Any, Glyphs], str]
    """A value that wishes something, as the search line shows it."""
    none: str = "any"
    """Nothing is wished, in words."""

    def stepped(self, wishes: Wishes, choices: Choices, by: int) -> Wishes:
        """The next value, or the one before; past the last one nothing is wished again."""
        values = [self.nothing, *(value for value in self.values(choices) if value != self.nothing)]
        now = getattr(wishes, self.name)
        at = values.index(now) if now in values else 0
        return replace(wishes, **{self.name: values[(at + by) % len(values)]})

    def shown(self, wishes: Wishes, glyphs: Glyphs) -> str:
        """What is wished, in words; empty where nothing is."""
        value = getattr(wishes, self.name)
        return "" if value == self.nothing else self.words(value, glyphs)


def _least(glyphs: Glyphs) -> str:
    return ">=" if glyphs.ascii else "≥"


def _most(glyphs: Glyphs) -> str:
    return "<=" if glyphs.ascii else "≤"


def _parameters(value: tuple[float | None, float | None], glyphs: Glyphs) -> str:
    low, high = (None if limit is None else f"{limit / 1e9:g}" for limit in value)
    if low is None:
        return f"{_most(glyphs)} {high}B"
    if high is None:
        return f"{_least(glyphs)} {low}B"
    return f"{low}{'-' if glyphs.ascii else '–'}{high}B"


FILTERS: Final = (
    Filter("use_case", "good at", None, lambda _: USE_CASES, lambda value, _: f"for {value}"),
    Filter("max_wait_s", "an answer within", None, lambda _: PATIENCE_S, lambda v, g: f"{_most(g)} {v:g} s"),
    Filter("fits", "verdict", "any", lambda choices: choices.fits, lambda value, _: _FITS[value]),
    Filter("parameters", "parameters", (None, None), lambda _: PARAMETERS, _parameters),
    Filter("family", "family", "", lambda choices: choices.families, lambda value, _: clean(value)),
    Filter("licence", "licence", "", lambda choices: choices.licences, lambda value, _: clean(value)),
    Filter("context_length", "trained on", None, lambda _: LENGTHS, lambda v, g: f"{_least(g)} {brief(v)} trained"),
    Filter("min_speed", "speed", None, lambda _: SPEEDS, lambda v, g: f"{_least(g)} {v:g} tok/s"),
    Filter(
        "patience_s",
        "first of all",
        None,
        lambda _: PATIENCE_S,
        lambda v, g: f"{_most(g)} {v:g} s first",
        "what is largest",
    ),
    Filter("sort", "sorted by", "fit", lambda _: SORTS, lambda value, _: f"by {_SORTS[value]}", _SORTS["fit"]),
)
"""In the order in which they are shown."""
_ORDERING: Final = ("patience_s", "sort")
"""Those that leave nothing out."""
BY_NAME: Final = {one.name: one for one in FILTERS}


def narrowing(wishes: Wishes) -> tuple[Filter, ...]:
    """The filters that leave rows out as they are set now."""
    return tuple(one for one in FILTERS if one.name not in _ORDERING and getattr(wishes, one.name) != one.nothing)


def without(wishes: Wishes, *filters: Filter) -> Wishes:
    """The wishes with these filters as they are when nothing is wished."""
    return replace(wishes, **{one.name: one.nothing for one in filters})


def cleared(wishes: Wishes) -> Wishes:
    """Nothing but what was typed, and that what is soon enough comes first, which leaves nothing out."""
    return without(wishes, *(one for one in FILTERS if one.name != "patience_s"))


def longer(n_ctx: int, by: int) -> int:
    """The next longer or shorter context that prices are made for."""
    if by > 0:
        return next((one for one in CONTEXTS if one > n_ctx), CONTEXTS[-1])
    return next((one for one in reversed(CONTEXTS) if one < n_ctx), CONTEXTS[0])


def summary(wishes: Wishes, n_ctx: int, glyphs: Glyphs) -> str:
    """Everything that is set, and the context, on one line: for code · ≤ 20 s · fits GPU · 8 k."""
    slow_wanted = wishes.sort == "fit" and (wishes.max_wait_s or float("inf")) > (wishes.patience_s or 0)
    told = wishes if slow_wanted else replace(wishes, patience_s=None)  # it makes no difference there
    parts = [one.shown(told, glyphs) for one in FILTERS]
    return f" {glyphs.dot} ".join([*(part for part in parts if part), brief(n_ctx)])
