"""Parts of one remote file, over HTTP ranges: few requests, taken up where they broke, and never the whole file.

The address is pinned to a commit. The first request goes through the hub, which sends it on to where the bytes lie; the
next ones go there at once, until that address expires. The token goes to the hub's own origin and to no other.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.hub.answers import pause
from tui.hub.client import Hub
from tui.hub.errors import Cancelled, Changed, HubError, Interrupted, NoRanges
from tui.hub.files import RemoteFile
from tui.hub.told import in_words, not_a_hub

if TYPE_CHECKING:
    import httpx2

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PROGRESS_BYTES = 1 << 16
"""Bytes after which what broke before no longer counts."""


class _Expired(HubError):
    """The address to which the hub had sent us is no longer served."""

    passing = True


class RemoteBytes:
    """The bytes of one file of a repository at a commit. For one thread at a time."""

    def __init__(self, hub: Hub, repo: str, commit: str, file: RemoteFile, cancel: threading.Event) -> None:
        from huggingface_hub import hf_hub_url

        self._hub, self._file, self._cancel = hub, file, cancel
        self._asked = hub.asking(repo, file=file.path, revision=commit)
        with in_words(self._asked):
            self._pinned = hf_hub_url(repo, file.path, revision=commit, endpoint=hub.endpoint)
        self._at: str | None = None
        """Where the hub had sent us."""
        self._etag: str | None = None

    def read(self, start: int, stop: int) -> Generator[bytes, None, None]:
        """The bytes from `start` to before `stop`, in pieces as they come, after retries where those may help.

        Blocks until the next piece, at most for the hub's patience. Raises HubError, and Cancelled when that is set.
        """
        failures, counts_from = 0, start
        while start < stop:
            try:
                for piece in self._part(start, stop):
                    start += len(piece)
                    yield piece
            except HubError as error:
                failures = 1 if start - counts_from >= _PROGRESS_BYTES else failures + 1
                counts_from = start
                if not error.passing or failures >= self._hub.patience.tries:
                    raise
                self._at = None
                if not isinstance(error, _Expired):
                    pause(self._hub.patience, error, failures, self._cancel)

    def _part(self, start: int, stop: int) -> Iterator[bytes]:
        """One request. Raises Interrupted when it gives less than was asked for."""
        if self._cancel.is_set():
            raise Cancelled
        import httpx2

        patience = self._hub.patience
        address = self._at or self._pinned
        with (
            in_words(self._asked),
            self._hub.session().stream(
                "GET",
                address,
                headers=range_headers(self._hub, address, start, stop),
                timeout=httpx2.Timeout(patience.silence_s, connect=patience.connect_s),
                follow_redirects=True,
            ) as response,
        ):
            self._check(response, start)
            self._at = str(response.url)
            for piece in response.iter_raw():
                if self._cancel.is_set():
                    raise Cancelled
                kept = piece[: stop - start]
                start += len(kept)
                yield kept
                # A part that was read to its end leaves the connection to the next one.
                if len(kept) < len(piece):
                    return
        if start < stop:
            raise Interrupted(f"{self._asked.host} sent less than it said of {self._asked.named}; try again")

    def _check(self, response: httpx2.Response, start: int) -> None:
        """Raise for anything but the part that was asked for, before a byte of it is read."""
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

        if self._at is not None and 400 <= response.status_code < 500 and response.status_code != 429:
            raise _Expired("the address of the file has expired")
        if response.status_code == 416:
            raise self._changed()
        hf_raise_for_status(response)
        if "html" in response.headers.get("content-type", "").lower():
            raise not_a_hub(self._asked)
        part = part_of(response)
        if response.status_code != 206 or part is None or part.start != start or is_coded(response):
            raise NoRanges(
                f"what answers for {self._asked.host} sends whole files only, not the part that was asked for; "
                "a proxy may stand in between: try without it, or fetch the model"
            )
        if part.size_bytes not in (None, self._file.size_bytes) or not self._same(response):
            raise self._changed()

    def _same(self, response: httpx2.Response) -> bool:
        """False when the file is another one than the hub had said, or than in the part before."""
        etag = response.headers.get("etag")
        said = linked_sha256(response)
        if None not in (said, self._file.sha256):
            # The hub itself vouches for what it leads to; the next parts from there have to be of the same.
            self._etag = etag
            return said == self._file.sha256
        if self._etag is None:
            self._etag = etag
        return etag in (None, self._etag)

    def _changed(self) -> HubError:
        return Changed(f"{self._asked.named} gives another {self._file.path} than a moment ago; try again")


@dataclass(frozen=True, slots=True)
class PartOf:
    """What a response says it holds of a file."""

    start: int
    size_bytes: int | None
    """Of the whole file; None where it is not told."""


def range_headers(hub: Hub, address: str, start: int, stop: int) -> dict[str, str]:
    """What to send for bytes `start` to before `stop`: the token to the hub's own origin alone."""
    headers = {**hub.headers(), "Accept-Encoding": "identity", "Range": f"bytes={start}-{stop - 1}"}
    if _origin(address) != _origin(hub.endpoint):
        headers.pop("authorization", None)
    return headers


def part_of(response: httpx2.Response) -> PartOf | None:
    """Which part of a file comes; None where the response does not say."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    return PartOf(int(found[1]), None if found[3] == "*" else int(found[3])) if found is not None else None


def linked_sha256(response: httpx2.Response) -> str | None:
    """What the hub said of the content that it sent us on to; None where it did not."""
    linked = (step.headers.get("x-linked-etag") for step in response.history)
    return next((value.removeprefix("W/").strip('"') for value in linked if value), None)


def is_coded(response: httpx2.Response) -> bool:
    """True when what comes is compressed, which is not what was asked for."""
    return response.headers.get("content-encoding", "identity").lower() not in ("", "identity")


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
