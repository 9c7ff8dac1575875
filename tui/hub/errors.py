"""What can go wrong with a hub, as one small tree of errors whose text says what happened and what to do now.

No text here holds a token. The client's own exceptions are told apart in `tui.hub.told`.
"""

from __future__ import annotations


class HubError(Exception):
    """The hub could not give what it was asked for; the text is one line."""

    passing = False
    """True for what may well be over when the same is asked once more."""


class Offline(HubError):
    """Offline mode is on, so nothing was asked."""


class BadEndpoint(HubError):
    """HF_ENDPOINT is no address of a hub."""


class Unreachable(HubError):
    """No connection: no network, no such name, a refused connection, a proxy or a certificate in the way."""


class TimedOut(HubError):
    """Connected, or about to be, and then silence."""

    passing = True


class Interrupted(HubError):
    """The connection broke while data came."""

    passing = True


class NotAHub(HubError):
    """Something answered, but not as a hub does: a login page of the network, a proxy, another service."""


class NotFound(HubError):
    """No such repository, revision or file, or none that may be seen."""


class Gated(HubError):
    """The repository's terms have to be accepted first."""


class NotAllowed(HubError):
    """The hub knows who asks and refuses."""


class BadToken(HubError):
    """The token is not, or no longer, one of the hub's."""


class RateLimited(HubError):
    """Too many requests; `wait_s` is how many seconds the hub wants to be left alone, None where it does not say."""

    passing = True

    def __init__(self, text: str, wait_s: int | None) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class HubTrouble(HubError):
    """The hub has a fault of its own (status 5xx)."""

    passing = True


class NoRanges(HubError):
    """A server or proxy sends whole files only, whatever part is asked for."""


class Changed(HubError):
    """The file is another one than it was a moment ago."""


class NoModel(HubError):
    """The repository holds no model that could be meant, or several; the text names what is there."""


class Cancelled(Exception):
    """The caller's own cancel event was set. No error: nothing to tell anyone."""
