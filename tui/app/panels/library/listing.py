"""Which models the library panel lists, and in which order: values in, values out. Imports no Textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from tui.config.plain import one_line
from tui.library.model import SOURCES, Model

Order = Literal["name", "size", "last use", "source"]

ORDERS: Final[tuple[Order, ...]] = ("name", "size", "last use", "source")
"""In the order in which one key goes through them."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_MANY_DAYS = 999


def arranged(
    models: Sequence[Model], words: str = "", order: Order = "name", last_used: Mapping[str, float] | None = None
) -> tuple[Model, ...]:
    """The models in which every word occurs, in this order; those that are alike in it by name.

    `last_used` has Unix seconds by identity; what was never used comes last.
    """
    wanted = words.casefold().split()
    chosen = [model for model in models if matches(model, wanted)]
    chosen.sort(key=lambda model: model.name.casefold())
    if order == "size":
        chosen.sort(key=lambda model: -model.file_bytes)
    elif order == "source":
        places = list(SOURCES)
        chosen.sort(key=lambda model: places.index(model.source))
    elif order == "last use":
        used = last_used or {}
        chosen.sort(key=lambda model: -used.get(model.identity, 0.0))
    return tuple(chosen)


def matches(model: Model, words: Sequence[str]) -> bool:
    """True when every word occurs in what the model is called or where it is from; words are in small letters."""
    if not words:
        return True
    places = [part for place in model.also for part in (place.name, SOURCES[place.source])]
    parts = (model.name, model.quant, model.architecture, model.repo, model.file, SOURCES[model.source], *places)
    text = " ".join(part for part in parts if part).casefold()
    return all(word in text for word in words)


def ago(seconds: float | None) -> str:
    """How long ago, in at most eight cells: now, 5 min ago, 3 h ago, 12 d ago; a dash for never."""
    if seconds is None:
        return "-"
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{min(int(seconds // length), _MANY_DAYS)} {unit} ago"
    return "now"


def advice(model: Model) -> str:
    """What is wrong with a model and what to do now; empty for a sound one."""
    if model.problem is None:
        return ""
    told = one_line(model.problem)
    return told if ";" in told else f"{told}; get it again, or delete it"
