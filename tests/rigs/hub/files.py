"""The ways to a file's bytes: `resolve` on the hub, and what that leads to, the CDN or the hub's own small files.

An address on the CDN is signed and may expire; it answers ranges.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.rigs.hub.content import Content
from tests.rigs.hub.faults import Changed
from tests.rigs.hub.repos import Repo, git_oid, is_lfs
from tests.rigs.hub.wire import Reply, Request, error_reply, plain_reply

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(slots=True)
class Signatures:
    """Addresses that were given out."""

    uses: int | None = None
    """How often one address works; None is for ever."""
    _left: dict[str, int | None] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def new(self) -> str:
        """A signature that works from now on."""
        signature = f"sig{next(self._numbers)}"
        self._left[signature] = self.uses
        return signature

    def expire(self) -> None:
        """None that was given out until now works any more."""
        self._left = dict.fromkeys(self._left, 0)

    def use(self, signature: str) -> bool:
        """True when it still works."""
        left = self._left.get(signature, 0)
        if left:
            self._left[signature] = left - 1
        return left != 0


def resolve(repo: Repo, revision: str, path: str, cdn: str, signatures: Signatures) -> Reply:
    """The way to a file: a redirect to another origin for a large one, to the same one for a small one."""
    found = repo.at(revision)
    if found is None:
        return error_reply(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    commit, files = found
    content = files.get(path)
    if content is None:
        return error_reply(404, "EntryNotFound", "Entry not found", {"X-Repo-Commit": commit})
    headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes", "Vary": "Origin"}
    if not is_lfs(path):
        where = f"/api/resolve-cache/models/{repo.id}/{commit}/{quote(path)}"
        return plain_reply(b"Temporary Redirect", 307, {**headers, "Location": where})
    linked = {"X-Linked-Size": str(content.size), "X-Linked-Etag": f'"{content.sha256}"'}
    where = f"{cdn}/repos/{content.sha256}?Expires=1800000000&Signature={signatures.new()}"
    return plain_reply(b"Found. Redirecting", 302, {**headers, **linked, "Location": where})


def small_file(repo: Repo, commit: str, path: str) -> Reply:
    """A file that is part of the repository itself."""
    found = repo.at(commit)
    content = found[1].get(path) if found else None
    if content is None:
        return error_reply(404, "EntryNotFound", "Entry not found")
    headers = {"ETag": f'"{git_oid(content)}"', "X-Repo-Commit": commit, "Content-Type": "text/plain"}
    return Reply(200, headers, content, 0, content.size)


def stored(request: Request, contents: dict[str, Content], signatures: Signatures) -> Reply:
    """A file on the CDN, or a part of it."""
    content = contents.get(request.path.rpartition("/")[2])
    if content is None or not signatures.use(request.one("Signature")):
        return plain_reply(b"<Error><Code>AccessDenied</Code></Error>", 403, {"Content-Type": "application/xml"})
    if isinstance(request.fault, Changed):
        content = request.fault.content
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{content.sha256[:32]}"', "Content-Type": "binary/octet-stream"}
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if asked is None:
        return Reply(200, headers, content, 0, content.size)
    start = int(asked[1])
    stop = min(content.size, int(asked[2]) + 1 if asked[2] else content.size)
    if start >= stop:
        return plain_reply(b"", 416, {**headers, "Content-Range": f"bytes */{content.size}"})
    return Reply(206, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{content.size}"}, content, start, stop)
