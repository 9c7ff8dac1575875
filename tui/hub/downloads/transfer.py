"""One request for the rest of a file: bytes from where the part ends, checked before the first of them is believed.

The address is pinned to a commit and resolved by the hub anew each time, so a signature that has run out heals. The
token goes to the hub's own origin; the client takes it away where the hub leads elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

from tui.hub.client import Hub
from tui.hub.downloads.body import MOST_BYTES, Piece, read_body
from tui.hub.downloads.errors import Expired, WrongLength
from tui.hub.downloads.stop import Stop
from tui.hub.downloads.values import Wanted
from tui.hub.errors import Changed, Interrupted, NoRanges
from tui.hub.ranges import is_coded, linked_sha256, part_of, range_headers
from tui.hub.told import Asked, in_words, not_a_hub

if TYPE_CHECKING:
    import httpx2


_TRICKLE, _TRICKLE_BYTES = 4, 64 << 10
"""Less than so many bytes in so many times the longest silence is as good as nothing."""


class Transfer:
    """Requests for one file of a repository at a commit. For one thread at a time."""

    def __init__(self, hub: Hub, repo: str, commit: str, wanted: Wanted) -> None:
        from huggingface_hub import hf_hub_url

        self._hub, self._wanted = hub, wanted
        self._asked: Asked = hub.asking(repo, file=wanted.path, revision=commit)
        with in_words(self._asked):
            self._address = hf_hub_url(repo, wanted.path, revision=commit, endpoint=hub.endpoint)
        self.skipped_bytes = 0
        """Bytes that travelled again in the last request, as the server sends whole files only."""

    def rest(
        self, start: int, stop: Stop, most: Callable[[], int] = lambda: MOST_BYTES
    ) -> Generator[Piece, None, None]:
        """The bytes from `start` to the end, in pieces as they come; each is there until the next is asked for. `most`
        says how many bytes to read at once.

        Raises HubError (Interrupted when less came than was announced, Changed for another file) and Cancelled.
        """
        at = start
        try:
            for piece in self._pieces(start, stop, most):
                at += len(piece)
                yield piece
        except Exception:
            stop.check()  # the end of a connection that we ended ourselves is no error
            raise
        stop.check()
        if at < self._wanted.size_bytes:
            raise Interrupted(f"{self._asked.host} sent less than it said of {self._wanted.path}; try again")

    def _pieces(self, start: int, stop: Stop, most: Callable[[], int]) -> Iterator[Piece]:
        import httpx2

        patience, size = self._hub.patience, self._wanted.size_bytes
        stop.check()
        with (
            in_words(self._asked),
            self._hub.session().stream(
                "GET",
                self._address,
                headers=range_headers(self._hub, self._address, start, size),
                timeout=httpx2.Timeout(patience.silence_s, connect=patience.connect_s),
                follow_redirects=True,
            ) as response,
            stop.reading(response),
        ):
            skip = self._to_skip(response, start)
            self.skipped_bytes = skip
            left = size - start
            for piece in self._lively(read_body(response, patience.silence_s, most)):
                stop.check()
                kept = piece[skip : skip + left]
                beyond = len(piece) - skip - len(kept)
                skip = max(0, skip - len(piece))
                left -= len(kept)
                if kept:
                    yield kept
                if beyond > 0:
                    return

    def _lively(self, pieces: Iterator[Piece]) -> Iterator[Piece]:
        """The pieces. Raises Interrupted where they only trickle: another connection may well be better. What is done
        with a piece does not count, so a limit of our own is no reason.
        """
        waited_s, came = 0.0, 0
        longest_s = _TRICKLE * self._hub.patience.silence_s
        while True:
            asked_at = time.monotonic()
            piece = next(pieces, None)
            if piece is None:
                return
            waited_s, came = waited_s + time.monotonic() - asked_at, came + len(piece)
            if waited_s > longest_s:
                if came < _TRICKLE_BYTES:
                    raise Interrupted(f"{self._asked.host} sends hardly anything of {self._wanted.path}; try again")
                waited_s, came = 0.0, 0
            yield piece

    def _to_skip(self, response: httpx2.Response, start: int) -> int:
        """How many bytes come that are here already. Raises for anything but the file that is wanted."""
        from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

        if response.status_code == 416:
            raise self._changed()
        if response.status_code == 403 and linked_sha256(response) is not None:
            # The hub itself has let us pass, so it is the signature of the address that is too old.
            raise Expired(f"the address that {self._asked.host} gave for {self._wanted.path} is not served any more")
        hf_raise_for_status(response)
        if "html" in response.headers.get("content-type", "").lower():
            raise not_a_hub(self._asked)
        if is_coded(response):
            raise NoRanges(
                f"what answers for {self._asked.host} sends {self._wanted.path} compressed; try without a proxy"
            )
        if linked_sha256(response) not in (None, self._wanted.sha256):
            raise self._changed()
        begins = self._begins(response, start)
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) != self._wanted.size_bytes - begins:
            raise WrongLength(
                f"{self._asked.host} announced {announced} bytes of {self._wanted.path} where "
                f"{self._wanted.size_bytes - begins} are left"
            )
        return start - begins

    def _begins(self, response: httpx2.Response, start: int) -> int:
        """The place in the file from which the response's body goes to the end."""
        if response.status_code != 206:
            return 0
        part = part_of(response)
        if part is None or part.start != start:
            raise NoRanges(
                f"what answers for {self._asked.host} sends another part than was asked for; try without a proxy"
            )
        if part.size_bytes not in (None, self._wanted.size_bytes):
            raise self._changed()
        return part.start

    def _changed(self) -> Changed:
        return Changed(f"{self._asked.named} gives another {self._wanted.path} than a moment ago")
