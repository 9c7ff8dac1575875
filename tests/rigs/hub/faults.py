"""What can go wrong on the way to a hub, as values, and which requests it happens to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.rigs.hub.content import Content


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens to one request."""


@dataclass(frozen=True, slots=True)
class Answer(Fault):
    """This status in place of the true answer."""

    status: int
    error_code: str = ""
    message: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """The body at no more than this."""

    bytes_s: int


@dataclass(frozen=True, slots=True)
class Stall(Fault):
    """Silence after so many bytes of the body, until the hub closes; None: not even headers come."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """The connection is closed in good order (FIN) after so many bytes of the body; None: without an answer."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """The connection is reset (RST) after so many bytes of the body; None: without an answer."""

    after: int | None = None


@dataclass(frozen=True, slots=True)
class IgnoreRange(Fault):
    """The whole file with status 200, whatever part was asked for."""


@dataclass(frozen=True, slots=True)
class Corrupt(Fault):
    """The byte at this place of the file is wrong."""

    at: int


@dataclass(frozen=True, slots=True)
class WrongLength(Fault):
    """The body is longer (or shorter, when negative) by so many bytes, and its length says so."""

    by: int


@dataclass(frozen=True, slots=True)
class Changed(Fault):
    """Another file is served under the same address."""

    content: Content


CAPTIVE_PORTAL = Answer(200, body=b"<html><title>Welcome to Hotel WiFi</title></html>", content_type="text/html")
BAD_TOKEN = Answer(401, message="Invalid credentials in Authorization header")


def rate_limited(seconds: int, *, standard: bool = True) -> Answer:
    """Too many requests, with the seconds to wait in the Hub's own header or in `Retry-After`."""
    header = ("RateLimit", f'"api";r=0;t={seconds}') if standard else ("Retry-After", str(seconds))
    return Answer(429, headers=(header, ("RateLimit-Policy", '"fixed window";"api";q=500;w=300')))


@dataclass(slots=True)
class _Rule:
    route: str
    fault: Fault
    left: int | None
    skip: int
    within: str


@dataclass(slots=True)
class FaultPlan:
    """Which requests meet which fault. Safe to use from several threads."""

    _rules: list[_Rule] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, route: str, fault: Fault, times: int | None, skip: int, within: str) -> None:
        """From here on, `times` requests to `route` (None: all) whose path holds `within` meet `fault`, after `skip`
        of them went well.
        """
        with self._lock:
            self._rules.append(_Rule(route, fault, times, skip, within))

    def clear(self) -> None:
        """From here on all goes well."""
        with self._lock:
            self._rules.clear()

    def take(self, route: str, path: str) -> Fault | None:
        """The fault of this request: that of the first rule that is meant for it and not used up."""
        with self._lock:
            for rule in self._rules:
                if rule.route != route or rule.within not in path or rule.left == 0:
                    continue
                if rule.skip:
                    rule.skip -= 1
                    continue
                if rule.left is not None:
                    rule.left -= 1
                return rule.fault
        return None
