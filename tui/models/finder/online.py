"""The Hub's side of the finder: while a person types, what the Hub finds streams in over what the catalogue has.

The newest search counts: it ends the one before and never waits for it. Asyncio; the hub is asked in threads of their
own. Nothing here knows a screen.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Literal

from tui.hub.client import Hub
from tui.hub.errors import Cancelled, HubError
from tui.hub.kept import Found, SearchCache
from tui.hub.listing import Listing, UseCase
from tui.hub.merging import merged
from tui.hub.search import USUAL_LIMIT, HubSort, Question
from tui.models.finder.values import Sort, Wishes
from tui.models.threads import Stop, stream_in_thread

State = Literal["asking", "done", "failed"]
MOST_REMEMBERED = 2000
"""Repositories that earlier searches found, which stay in the list of later ones."""
_SORTS: dict[Sort, HubSort] = {"downloads": "downloads", "likes": "likes", "updated": "updated"}
_WORDS: dict[UseCase, str] = {"code": "coder", "embedding": "embed"}
"""What names of such models hold: looked for where a person typed nothing."""
_PIPELINES: dict[UseCase, str] = {"vision": "image-text-to-text"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """Everything that can be shown now."""

    question: Question
    listings: tuple[Listing, ...]
    """What this search and earlier ones found, the newest first, and the rest of the catalogue."""
    state: State
    found: frozenset[str] = frozenset()
    """Repositories that the Hub found for this question so far."""
    age_s: float = 0.0
    """Seconds since the Hub said so; 0 for what it says now."""
    problem: HubError | None = None
    """Why the Hub's side is missing, or old."""

    @property
    def source(self) -> Literal["hub", "catalogue"]:
        """Where the rows come from, as `find --json` says it."""
        return "hub" if self.found or (self.state == "done" and self.problem is None) else "catalogue"


class OnlineSearch:
    """Searches, one at a time. For one event loop."""

    def __init__(self, connect: Callable[[], Hub], cache: SearchCache) -> None:
        """`connect` is called in a thread, at each search: importing the Hub's client takes a moment."""
        self._connect, self._cache = connect, cache
        self._known = _Known((), (), ())
        self.stop = Stop()
        """Called, it ends the search that runs, if one does: that tells nothing more."""

    async def search(
        self, wishes: Wishes, catalogue: Sequence[Listing], *, limit: int = USUAL_LIMIT, renew: bool = False
    ) -> AsyncGenerator[Results, None]:
        """What there is: at once what is known here, then with each page of the Hub, at last with state "done" or
        "failed". An answer of some minutes ago stands for a new one, unless to `renew` it. A search that a newer one,
        or `stop`, has ended just ends. It raises nothing of the Hub's.
        """
        self.stop()
        stop = self.stop = Stop()
        if self._known.catalogue is not catalogue:
            self._known = _Known(catalogue, self._known.found, merged(catalogue, self._known.found))
        known = self._known
        results = Results(question=question_of(wishes), listings=known.listings, state="asking")
        yield results
        try:
            work = partial(self._ask, results.question, known, limit, stop, renew)
            async with aclosing(stream_in_thread(work, stop)) as pages:
                async for page, self._known in pages:
                    results = replace(
                        results,
                        listings=self._known.listings,
                        found=frozenset(listing.repo for listing in page.listings),
                        age_s=page.age_s,
                        problem=page.problem,
                    )
                    yield results
            results = replace(results, state="done")
        except HubError as error:
            results = replace(results, problem=error, state="failed")
        except Cancelled:
            return
        finally:
            was_stopped = stop.asked.is_set()
            stop()
        if not was_stopped:
            yield results

    def _ask(
        self, question: Question, known: _Known, limit: int, stop: Stop, renew: bool
    ) -> Iterator[tuple[Found, _Known]]:
        """In a thread, where thousands of listings may be joined too."""
        for page in self._cache.search(self._connect(), question, limit=limit, renew=renew, cancel=stop.asked):
            yield page, known.with_more(page.listings)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known here, whatever is searched for."""

    catalogue: Sequence[Listing]
    found: tuple[Listing, ...]
    """By searches, the newest first."""
    listings: tuple[Listing, ...]
    """All of it."""

    def with_more(self, new: tuple[Listing, ...]) -> _Known:
        repos = {listing.repo for listing in new}
        older = (listing for listing in self.found if listing.repo not in repos)
        found = (*new, *islice(older, max(0, MOST_REMEMBERED - len(new))))
        return _Known(self.catalogue, found, merged(self.catalogue, found))


def question_of(wishes: Wishes) -> Question:
    """What the Hub is asked for a person's wishes: as much of them as it knows; rows are chosen here in any case."""
    use_case = wishes.use_case
    words = wishes.query.strip() or wishes.family or (_WORDS.get(use_case, "") if use_case is not None else "")
    return Question(
        query=words,
        sort=_SORTS.get(wishes.sort, "downloads"),
        parameters=wishes.parameters,
        licence=wishes.licence,
        pipeline=_PIPELINES.get(use_case, "") if use_case is not None else "",
    )
