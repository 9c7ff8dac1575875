"""One answer of the hub, read to its end or to a limit, asked for again where that may help.

The client's own ways to lists and small files wait without a limit: for a silent hub, between tries, and for as long as
a hub that was asked too often says. Here the hub's `Patience` holds, and a caller's cancel is heard between pieces.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tui.hub.client import Hub, Patience
from tui.hub.errors import Cancelled, HubError, RateLimited
from tui.hub.told import Asked, in_words, not_a_hub

if TYPE_CHECKING:
    import httpx2

LONGEST = 4
"""An answer that never falls silent is given up after as many times the silence that is waited for."""
Query = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came."""

    data: bytes
    is_cut: bool
    """True when there is more than the limit."""
    next_query: str | None = None
    """The query of the list's next page; None where this is the last one."""


def answer(
    hub: Hub,
    asked: Asked,
    path: str,
    *,
    query: Query | str | None = None,
    most_bytes: int,
    cancel: threading.Event | None = None,
) -> Answer:
    """What the hub answers at `path` below its address, `most_bytes` of it at most. Blocks.

    Raises HubError, and Cancelled when that is set.
    """
    words = query if isinstance(query, str) else urlencode(query or {}, doseq=True)
    url = f"{hub.endpoint}{path}" + (f"?{words}" if words else "")
    cancel = cancel or threading.Event()
    failures = 0
    while True:
        try:
            return _once(hub, asked, url, most_bytes, cancel)
        except HubError as error:
            failures += 1
            if not error.passing or failures >= hub.patience.tries:
                raise
            pause(hub.patience, error, failures, cancel)


def pause(patience: Patience, error: HubError, failures: int, cancel: threading.Event) -> None:
    """Wait before the next try, after so many in a row. Raises `error` where the hub asks for a longer wait than is sat
    out, and Cancelled.
    """
    pause_s = patience.back_off_s * 2 ** (failures - 1)
    if isinstance(error, RateLimited) and error.wait_s is not None:
        if error.wait_s > patience.longest_wait_s:
            raise error
        # A second more, as the hub rounds down.
        pause_s = error.wait_s + 1.0
    if cancel.wait(pause_s):
        raise Cancelled


def _once(hub: Hub, asked: Asked, url: str, most_bytes: int, cancel: threading.Event) -> Answer:
    if cancel.is_set():
        raise Cancelled
    import httpx2

    patience = hub.patience
    with (
        in_words(asked),
        hub.session().stream(
            "GET",
            url,
            headers={**hub.headers(), "Accept-Encoding": "gzip"},
            timeout=httpx2.Timeout(patience.silence_s, connect=patience.connect_s),
            follow_redirects=True,
        ) as response,
    ):
        _check(response, asked)
        data, is_cut, begun_at = bytearray(), False, time.monotonic()
        # A piece is a thousand times as long unpacked at most, so that the limit holds for bombs too.
        for piece in response.iter_bytes():
            if cancel.is_set():
                raise Cancelled
            if time.monotonic() - begun_at > LONGEST * patience.silence_s:
                raise httpx2.ReadTimeout("it trickles")
            data += piece
            if len(data) > most_bytes:
                is_cut = True
                break
        return Answer(bytes(data[:most_bytes]), is_cut, _next_query(response))


def _check(response: httpx2.Response, asked: Asked) -> None:
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    hf_raise_for_status(response)
    if "html" in response.headers.get("content-type", "").lower() or response.status_code != 200:
        raise not_a_hub(asked)


def _next_query(response: httpx2.Response) -> str | None:
    """Only the query is taken over: a hub behind a mirror names itself, and the token is for the mirror alone."""
    address = response.links.get("next", {}).get("url", "")
    return address.partition("?")[2].partition("#")[0] or None
