"""Names that a person can type: a file's stem where that is enough, with the repository or folder where it is not.

The same files always get the same names, whatever order they were found in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from tui.gguf.names import stem_of
from tui.library.model import Model, Source, shown
from tui.library.places import DEMO_NAME

PLAIN_SOURCES: tuple[Source, ...] = ("hf-cache", "folder", "added")
"""Sources that tell no names apart."""


def named(models: Sequence[Model]) -> tuple[Model, ...]:
    """The models with a unique name each, sorted by it. Case does not make two names different."""
    names = [_printable(_stem(model)) for model in models]
    for longer in (_with_place, _with_owner, _with_path):
        names = _told_apart(models, names, longer)
    names = _numbered(models, names)
    done = (replace(model, name=name) for model, name in zip(models, names, strict=True))
    return tuple(sorted(done, key=lambda model: (model.name.casefold(), model.name)))


def _told_apart(models: Sequence[Model], names: list[str], longer: Callable[[Model], str]) -> list[str]:
    often = Counter(name.casefold() for name in names)
    pairs = zip(models, names, strict=True)
    # The demo keeps its name: it is what the documentation says.
    return [_printable(longer(m)) if often[n.casefold()] > 1 and m.source != "demo" else n for m, n in pairs]


def _numbered(models: Sequence[Model], names: list[str]) -> list[str]:
    """The last resort, for paths that differ only in what cannot be printed."""
    taken: Counter[str] = Counter()
    result = list(names)
    for at in sorted(range(len(names)), key=lambda n: str(models[n].path)):
        taken[names[at].casefold()] += 1
        number = taken[names[at].casefold()]
        result[at] = names[at] if number == 1 else f"{names[at]} ({number})"
    return result


def _stem(model: Model) -> str:
    """The name that its owner gave it, if there is one, else its file's."""
    return DEMO_NAME if model.source == "demo" else model.name or stem_of(model.path.name)


def _with_place(model: Model) -> str:
    folder = model.path.parent.name if model.source in PLAIN_SOURCES else model.source
    return f"{model.repo or folder}/{_stem(model)}"


def _with_owner(model: Model) -> str:
    return _with_place(model) if model.source in PLAIN_SOURCES else f"{model.source}/{_with_place(model)}"


def _with_path(model: Model) -> str:
    return shown(model.path)


def _printable(name: str) -> str:
    return shown(name).strip() or "unnamed"
