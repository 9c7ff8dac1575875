"""What the Hub tells now, joined with what a catalogue knew: the fresher facts win, and the others are kept.

The Hub's lists know no layers and heads, from which memory is reckoned; a catalogue does. Values only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tui.hub.listing import USE_CASES, Listing

_SHAPE = ("layers", "heads", "kv_heads", "head_dim", "hidden_size", "vocab_size", "experts", "experts_used")
_OF_THE_MODEL = ("model", "architecture", "parameters", "active_parameters", "context_length", "licence", *_SHAPE)
"""Facts that every repository of a model shares."""
_OF_THE_REPO = (*_OF_THE_MODEL, "elsewhere", "downloads", "likes", "updated")
_NOT_KNOWN = (None, "", ())
_ALIKE = 0.1
"""How far apart the parameters of one model may be told: some count embeddings, some do not."""


def merged(catalogue: Iterable[Listing], hub: Iterable[Listing]) -> tuple[Listing, ...]:
    """Both as one list without doubles: the Hub's in its order, then what only the catalogue has.

    What the Hub does not tell of a repository is taken from the catalogue's entry of it, else facts of the model from
    an entry of the same model, unless it is of another size: anyone may name any model as that which they quantized.
    """
    known = tuple(catalogue)
    by_repo = {repo.casefold(): entry for entry in reversed(known) for repo in (*entry.elsewhere, entry.repo)}
    by_model = {entry.model.casefold(): entry for entry in reversed(known) if entry.model}
    found = {listing.repo.casefold(): _completed(listing, by_repo, by_model) for listing in hub}
    return (*found.values(), *(entry for entry in known if entry.repo.casefold() not in found))


def _completed(listing: Listing, by_repo: Mapping[str, Listing], by_model: Mapping[str, Listing]) -> Listing:
    entry = by_repo.get(listing.repo.casefold()) or by_model.get(listing.model.casefold())
    if entry is None or not is_alike(listing.parameters, entry.parameters):
        return listing
    same = entry.repo.casefold() == listing.repo.casefold()
    names = _OF_THE_REPO if same else _OF_THE_MODEL
    missing: dict[str, Any] = {
        name: known
        for name in names
        if getattr(listing, name) in _NOT_KNOWN and (known := getattr(entry, name)) not in _NOT_KNOWN
    }
    if entry.use_cases != listing.use_cases:
        both = {*listing.use_cases, *entry.use_cases}
        missing["use_cases"] = tuple(use for use in USE_CASES if use in both)
    return replace(listing, **missing) if missing else listing


def is_alike(one: int | None, other: int | None) -> bool:
    """True where two numbers of parameters may be those of one model; None is any."""
    return one is None or other is None or abs(one - other) <= _ALIKE * max(one, other)
