"""The loopback hub itself: two servers on 127.0.0.1, the routes of the first, who may see what, what was counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.rigs.hub.faults import Fault
from tests.rigs.hub.files import Signatures, resolve, small_file, stored
from tests.rigs.hub.listing import listing, next_page
from tests.rigs.hub.repos import Repo, path_info, tree
from tests.rigs.hub.wire import Ledger, Reply, Request, Seen, Server, error_reply, json_reply

_REPO = r"(?P<repo>[^/]+/[^/]+)"
_ROUTES = {
    name: re.compile(pattern)
    for name, pattern in {
        "models": r"/api/models",
        "whoami": r"/api/whoami-v2",
        "model": rf"/api/models/{_REPO}(?:/revision/(?P<rev>[^/]+))?",
        "tree": rf"/api/models/{_REPO}/tree/(?P<rev>[^/]+)(?:/(?P<path>.+))?",
        "paths-info": rf"/api/models/{_REPO}/paths-info/(?P<rev>[^/]+)",
        "auth-check": rf"/api/models/{_REPO}/auth-check",
        "resolve": rf"/{_REPO}/resolve/(?P<rev>[^/]+)/(?P<path>.+)",
        "resolve-cache": rf"/api/resolve-cache/models/{_REPO}/(?P<rev>[^/]+)/(?P<path>.+)",
    }.items()
}
"""By name; "cdn" is every path of the other server, and "unknown" what is none of these."""


_SOMEONE = {"type": "user", "id": "0", "name": "someone", "fullname": "Someone", "orgs": []}


class LoopbackHub:
    """A hub with these repositories, from `with` to the end of its block.

    `tokens` maps each token that works to the private and gated repositories that it may read. `page` is how many
    entries a page of a list has at most.
    """

    def __init__(self, *repos: Repo, tokens: Mapping[str, tuple[str, ...]] | None = None, page: int = 1000) -> None:
        self.repos = {repo.id: repo for repo in repos}
        self.tokens = dict(tokens or {})
        self.page = page
        self.signatures = Signatures()
        self._ledger = Ledger()

    def __enter__(self) -> LoopbackHub:
        self._hub = Server(self._ledger, self._find)
        self._cdn = Server(self._ledger, lambda request: ("cdn", self._stored))
        return self

    def __exit__(self, *exc: object) -> None:
        self._ledger.closing.set()
        self._hub.close()
        self._cdn.close()
        if self._ledger.errors:
            raise BaseExceptionGroup("the loopback hub itself failed", self._ledger.errors)

    @property
    def endpoint(self) -> str:
        """What HF_ENDPOINT should be."""
        return self._hub.origin

    @property
    def requests(self) -> list[Seen]:
        """Everything that was asked until now, in order."""
        return list(self._ledger.seen)

    def seen(self, route: str) -> list[Seen]:
        """What was asked of one route."""
        return [seen for seen in self.requests if seen.route == route]

    def count(self, route: str) -> int:
        """How often a route was asked."""
        return len(self.seen(route))

    def sent_bytes(self, route: str) -> int:
        """Bytes of bodies that a route has sent."""
        return sum(seen.sent_bytes for seen in self.seen(route))

    def fail(self, route: str, *faults: Fault, times: int | None = None, skip: int = 0, within: str = "") -> None:
        """Let requests to a route fail: each fault `times` times (None: from then on), one after the other, after
        `skip` requests that go well. Only requests whose path holds `within` count.
        """
        for number, fault in enumerate(faults):
            self._ledger.faults.add(route, fault, times, skip if number == 0 else 0, within)

    def heal(self) -> None:
        """No more faults."""
        self._ledger.faults.clear()

    def _find(self, request: Request) -> tuple[str, Callable[[Request], Reply]]:
        for name, pattern in _ROUTES.items():
            found = pattern.fullmatch(request.path)
            if found is not None:
                parts = {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
                return name, partial(self._answer, name, parts)
        return "unknown", lambda request: error_reply(404, message="There is no such page.")

    def _answer(self, route: str, parts: dict[str, str], request: Request) -> Reply:
        if request.token is not None and request.token not in self.tokens:
            return error_reply(401, message="Invalid credentials in Authorization header")
        may = self.tokens.get(request.token or "", ())
        if route == "models":
            visible = (repo for repo in self.repos.values() if not repo.private or repo.id in may)
            return listing(visible, request, self.endpoint, self.page)
        if route == "whoami":
            return json_reply(_SOMEONE) if request.token else error_reply(401, message="Invalid username or password.")
        repo = self.repos.get(parts["repo"])
        if repo is None or (repo.private and repo.id not in may):
            return error_reply(404 if request.token else 401, "RepoNotFound", "Repository not found")
        if repo.gated and repo.id not in may and route in ("resolve", "auth-check"):
            text = f"Access to model {repo.id} is restricted and you are not in the authorized list."
            return error_reply(403 if request.token else 401, "GatedRepo", text)
        return self._about(route, repo, request, parts)

    def _about(self, route: str, repo: Repo, request: Request, parts: dict[str, str]) -> Reply:
        revision, path = parts.get("rev", "main"), parts.get("path", "")
        if route == "auth-check":
            return json_reply({})
        if route == "resolve":
            return resolve(repo, revision, path, self._cdn.origin, self.signatures)
        if route == "resolve-cache":
            return small_file(repo, revision, path)
        found = repo.at(revision)
        if found is None:
            return error_reply(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        files = found[1]
        if route == "model":
            blobs = request.one("blobs").lower() == "true"
            return json_reply(repo.info(revision, request.query.get("expand", []), blobs))
        if route == "paths-info":
            asked = parse_qs(request.body.decode()).get("paths", [])
            return json_reply([path_info(name, files[name]) for name in asked if name in files])
        return self._tree(tree(files, path, request.one("recursive").lower() == "true"), request)

    def _tree(self, rows: list[dict[str, Any]], request: Request) -> Reply:
        start = int(request.one("cursor") or 0)
        stop = start + self.page
        headers = next_page(request, self.endpoint, stop) if stop < len(rows) else {}
        return json_reply(rows[start:stop], headers=headers)

    def _stored(self, request: Request) -> Reply:
        contents = {
            content.sha256: content
            for repo in self.repos.values()
            for files in (repo.files, *repo.revisions.values())
            for content in files.values()
        }
        return stored(request, contents, self.signatures)
