"""A catalogue made anew from the Hub: the models whose GGUF files are downloaded most, each once, with where they are.

What the Hub's list does not tell (layers, heads) stays as the catalogue before it knew. Writing it is the caller's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from tui.hub.client import Hub
from tui.hub.listing import Listing
from tui.hub.merging import is_alike, merged
from tui.hub.search import Question, search_listings

MOST_REPOSITORIES = 2000
"""As many are looked at: in one go they stay far below what the Hub allows of requests without a token."""
MOST_ELSEWHERE = 4
"""Other repositories of a model that are remembered."""


def refresh_catalogue(
    hub: Hub,
    known: Sequence[Listing],
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
    most: int = MOST_REPOSITORIES,
) -> tuple[Listing, ...]:
    """The catalogue now; `known` is the one before, of which nothing is lost. Blocks; for a worker thread.

    `progress` is called with how many repositories were looked at, and how many will be at most. Raises HubError, and
    Cancelled: then the catalogue before is still the best one.
    """
    found: list[Listing] = []
    for page in search_listings(hub, Question(sort="downloads"), limit=most, cancel=cancel):
        found += page
        if progress is not None:
            progress(len(found), most)
    # What does not tell its parameters can be given no price.
    listings = (listing for listing in merged(known, found) if listing.parameters)
    return _once_each(listings)


def _once_each(listings: Iterable[Listing]) -> tuple[Listing, ...]:
    """Each model once, at the most downloaded repository that is open to all; the others are noted with it."""
    models: dict[str, list[Listing]] = {}
    for listing in listings:
        group = models.setdefault((listing.model or listing.repo).casefold(), [])
        if group and not is_alike(group[0].parameters, listing.parameters):
            models[listing.repo.casefold()] = [listing]
        else:
            group.append(listing)
    return tuple(_joined(group) for group in models.values())


def _joined(group: Sequence[Listing]) -> Listing:
    best = next((listing for listing in group if not listing.gated), group[0])
    (whole,) = merged((listing for listing in group if listing is not best), (best,))[:1]
    others = [repo for listing in group for repo in (listing.repo, *listing.elsewhere) if repo != best.repo]
    return replace(whole, elsewhere=tuple(dict.fromkeys(others))[:MOST_ELSEWHERE])
