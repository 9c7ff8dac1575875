"""Searching the Hub for repositories of GGUF files, page by page as they come.

The question is the one that the client's `list_models` asks; it is asked with our patience and not with the client's,
which cannot be interrupted. Everything in an answer was written by strangers: `tui.hub.entries` takes what holds.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tui.config.plain import one_line
from tui.hub.address import named
from tui.hub.answers import Query, answer
from tui.hub.client import Hub
from tui.hub.entries import EXPANDED, listing_of
from tui.hub.listing import Listing
from tui.hub.told import Asked, in_words, not_a_hub

HubSort = Literal["downloads", "likes", "updated", "trending"]
PAGE = 50
"""Entries asked for at a time: each brings its chat template along, some 5 KB."""
USUAL_LIMIT = 100
MOST_PAGE_BYTES = 32 << 20
_LONGEST_QUERY = 200
_SORTS: dict[HubSort, str] = {
    "downloads": "downloads",
    "likes": "likes",
    "updated": "lastModified",
    "trending": "trendingScore",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is searched for."""

    query: str = ""
    """As a person typed it: words, `org/repo`, or an address out of a browser; empty for whatever there is."""
    sort: HubSort = "downloads"
    """What comes first: the most downloaded in the last 30 days, the most liked, the last changed..."""
    parameters: tuple[float | None, float | None] = (None, None)
    """At least, and at most. With either, the Hub leaves out what does not tell its parameters."""
    licence: str = ""
    """Its identifier, such as apache-2.0; empty for any."""
    pipeline: str = ""
    """What the Hub says that models are for, such as image-text-to-text; empty for any."""


def search_listings(
    hub: Hub, question: Question, *, limit: int = USUAL_LIMIT, cancel: threading.Event | None = None
) -> Iterator[tuple[Listing, ...]]:
    """Repositories of GGUF files on the hub, `limit` of them at most, a page at a time. Blocks; for a worker thread.

    No repository comes twice. Raises HubError and Cancelled, both also after some pages have come.
    """
    asked = hub.asking()
    query: Query | str | None = _query(hub, question, limit)
    seen: set[str] = set()
    asked_for: set[str] = set()
    while query and len(seen) < limit:
        came = answer(hub, asked, "/api/models", query=query, most_bytes=MOST_PAGE_BYTES, cancel=cancel)
        entries = _entries(came.data, asked)
        found = {listing.repo: listing for listing in map(listing_of, entries) if listing is not None}
        fresh = [listing for repo, listing in found.items() if repo not in seen][: limit - len(seen)]
        seen.update(listing.repo for listing in fresh)
        yield tuple(fresh)
        # A list that leads back to itself, or on and on with nothing in it, ends here.
        query = came.next_query if entries and came.next_query not in asked_for else None
        asked_for.add(came.next_query or "")


def _query(hub: Hub, question: Question, limit: int) -> Query:
    """As `list_models` writes it."""
    parameters = ",".join(
        f"{side}:{_short(number)}"
        for side, number in zip(("min", "max"), question.parameters, strict=True)
        if number is not None
    )
    filters = ["gguf", f"license:{question.licence}"] if question.licence else ["gguf"]
    words = _words(hub, question.query)
    return {
        "filter": filters,
        **({"search": words} if words else {}),
        **({"pipeline_tag": question.pipeline} if question.pipeline else {}),
        **({"num_parameters": parameters} if parameters else {}),
        "sort": _SORTS[question.sort],
        "limit": str(min(limit, PAGE)),
        "expand": list(EXPANDED),
    }


def _words(hub: Hub, text: str) -> str:
    """What is searched for in names; of an address the repository that it leads to."""
    return named(one_line(text)[:_LONGEST_QUERY], hub.endpoint)


def _short(number: float) -> str:
    """A number of parameters in the Hub's words: 500M, 7B, 1.5B."""
    return f"{number / 1e6:g}M" if number < 1e9 else f"{number / 1e9:g}B"


def _entries(data: bytes, asked: Asked) -> list[object]:
    with in_words(asked):
        try:
            entries = json.loads(data)
        except RecursionError as error:
            raise not_a_hub(asked) from error
    if not isinstance(entries, list):
        raise not_a_hub(asked)
    return entries
