"""`/api/models`: which repositories a query means, in which order, and page by page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlencode

from tests.rigs.hub.repos import Repo
from tests.rigs.hub.wire import Reply, Request, json_reply

_SORTS = {
    "downloads": lambda repo: repo.downloads,
    "likes": lambda repo: repo.likes,
    "trendingScore": lambda repo: repo.trending,
    "lastModified": lambda repo: repo.modified,
    "createdAt": lambda repo: repo.created,
}
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def listing(repos: Iterable[Repo], request: Request, origin: str, page: int) -> Reply:
    """One page of at most `page` entries, with the address of the next one while there is one."""
    found = [repo for repo in repos if _meant(repo, request)]
    sort = _SORTS.get(request.one("sort"))
    if sort is not None:
        found.sort(key=sort, reverse=True)
    size = min(page, int(request.one("limit") or page))
    start = int(request.one("cursor") or 0)
    stop = start + size
    rows = [repo.listed(request.query.get("expand", []), bool(request.one("full"))) for repo in found[start:stop]]
    return json_reply(rows, headers=next_page(request, origin, stop) if stop < len(found) else {})


def next_page(request: Request, origin: str, cursor: int) -> dict[str, str]:
    """The header that leads to the page that begins at `cursor`."""
    query = {**request.query, "cursor": [str(cursor)]}
    return {"Link": f'<{origin}{request.path}?{urlencode(query, doseq=True)}>; rel="next"'}


def _meant(repo: Repo, request: Request) -> bool:
    query = request.query
    author, pipeline, gated = request.one("author"), request.one("pipeline_tag"), request.one("gated").lower()
    return (
        set(query.get("filter", [])) <= set(repo.tags)
        and set(query.get("apps", [])) <= set(repo.apps)
        and all(word in repo.id.casefold() for word in request.one("search").casefold().split())
        and author in ("", repo.id.partition("/")[0])
        and pipeline in ("", repo.pipeline_tag)
        and (not gated or (gated == "true") == bool(repo.gated))
        and _has_parameters(repo, request.one("num_parameters"))
    )


def _has_parameters(repo: Repo, limits: str) -> bool:
    """`min:1B,max:9B`, either part alone too."""
    total = (repo.gguf or {}).get("total", 0)
    for which, number, unit in re.findall(r"(min|max):([\d.]+)([KMBT]?)", limits):
        limit = float(number) * _UNITS[unit]
        if (total < limit) if which == "min" else (total > limit):
            return False
    return True
