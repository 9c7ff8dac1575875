"""What `puna find` asks the Hub: models, the files of those that are shown, and a catalogue made anew.

It is asked in threads that nothing waits for, so that Ctrl-C ends at once; what cannot be had is said, and the
catalogue answers.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Literal

from tui.cli.main import CommandError, say
from tui.config.errors import ConfigError
from tui.config.paths import Paths
from tui.hub.catalogue import Catalogue, keep_catalogue
from tui.hub.client import Hub, Patience, connect
from tui.hub.errors import Cancelled, Gated, HubError, NotAllowed, NotFound
from tui.hub.files import repo_files
from tui.hub.kept import Found, SearchCache
from tui.hub.listing import Listing
from tui.hub.merging import merged
from tui.hub.refresh import refresh_catalogue
from tui.models.finder.exact import rows_of_files
from tui.models.finder.online import question_of
from tui.models.finder.pricing import Pricer
from tui.models.finder.values import FinderRow, Wishes
from tui.models.threads import in_daemon_thread

MOST_LOOKED_AT = 20
"""Repositories that the hub is asked for their files, a request each: the first ones that are shown."""
_AT_ONCE = 6
_PATIENCE = Patience(connect_s=5.0, silence_s=8.0, tries=2)
"""A person waits, and there is the catalogue."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of models, and who says so."""

    name: Literal["hub", "catalogue"]
    listings: tuple[Listing, ...]
    hub: Hub | None = None
    """None where it answers nothing further."""
    told: frozenset[str] = frozenset()
    """Repositories that the hub named."""


async def refreshed(paths: Paths, known: Catalogue) -> Catalogue:
    """The catalogue made anew from the hub, and kept. Raises CommandError where it cannot be."""
    cancel, on_terminal = threading.Event(), sys.stderr.isatty()

    def progress(done: int, most: int) -> None:
        if on_terminal:
            print(f"\rlooked at {done} of at most {most} repositories ", end="", file=sys.stderr, flush=True)

    def fetch() -> tuple[Listing, ...]:
        return refresh_catalogue(connect(patience=_PATIENCE), known.listings, progress=progress, cancel=cancel)

    try:
        made = keep_catalogue(paths, await in_daemon_thread(fetch), date.today().isoformat())
    except (HubError, Cancelled, ConfigError) as error:
        raise CommandError(f"{error}; the catalogue of {known.gathered} stays") from error
    finally:
        cancel.set()
        if on_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    say(f"puna: the catalogue holds {len(made.listings)} models now")
    return made


async def from_hub(paths: Paths, wishes: Wishes, known: Catalogue) -> Source:
    """What the hub says, over what the catalogue knows; the catalogue alone where the hub says nothing. Why it does
    not is said.
    """
    cancel = threading.Event()
    found = Found(())

    def ask() -> Hub:
        nonlocal found
        hub = connect(patience=_PATIENCE)
        for page in SearchCache(paths.cache / "searches").search(hub, question_of(wishes), cancel=cancel):
            found = page
        return hub

    hub: Hub | None = None
    problem: HubError | None = None
    try:
        hub = await in_daemon_thread(ask)
    except HubError as error:
        problem = error
    finally:
        cancel.set()
    problem = problem or found.problem
    if problem is not None:
        shown = "what the Hub said before" if found.listings else f"the catalogue of {known.gathered}"
        say(f"puna: {problem}; {shown} is shown")
    if hub is None and not found.listings:
        return Source("catalogue", known.listings)
    told = frozenset(listing.repo for listing in found.listings)
    return Source("hub", merged(known.listings, found.listings), hub if problem is None else None, told)


async def looked_at(
    hub: Hub, told: frozenset[str], pricer: Pricer, shown: Sequence[FinderRow]
) -> tuple[FinderRow, ...]:
    """Rows of the real files of the first repositories of `shown`; of one that the hub does not tell there are none, so
    that its estimate stays. Only what the hub has `told` of is asked for, and nothing more once the hub is in trouble,
    which is said.
    """
    listings = {row.listing.repo: row.listing for row in shown if row.listing.repo in told}
    turns = asyncio.Semaphore(_AT_ONCE)
    trouble: list[HubError] = []

    async def look(listing: Listing) -> tuple[FinderRow, ...]:
        async with turns:
            if trouble:
                return ()
            try:
                files = await in_daemon_thread(partial(repo_files, hub, listing.repo))
            except (NotFound, NotAllowed, Gated):
                return ()
            except HubError as error:
                trouble.append(error)
                return ()
        return rows_of_files(pricer, replace(listing, gated=files.gated is not None), files.rows)

    looked = await asyncio.gather(*map(look, list(listings.values())[:MOST_LOOKED_AT]))
    if trouble:
        say(f"puna: {trouble[0]}; files that it did not tell of are estimated")
    return tuple(row for rows in looked for row in rows)
