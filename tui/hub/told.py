"""From the client's exceptions to the errors of this package. Nothing of the client's own wording is shown.

The client raises its own errors, bare errors of its HTTP library, and what JSON or a missing key raises; which is which
was read in huggingface_hub 2.4 and is held by tests with that client.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.config.plain import one_line
from tui.hub import errors
from tui.hub.errors import HubError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

_LOGIN = "`hf auth login`"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a hub, for the words of an error."""

    endpoint: str
    repo: str = ""
    file: str = ""
    revision: str = ""
    signed_in: bool = False
    """True when a token was sent along."""
    silence_s: float = 0.0
    """Seconds that were waited for an answer."""

    @property
    def host(self) -> str:
        """The hub as people know it, without a password."""
        return urlsplit(self.endpoint).netloc.rpartition("@")[2]

    @property
    def page(self) -> str:
        """The repository's page."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{self.host}{parts.path}/{self.named}"

    @property
    def named(self) -> str:
        """The repository, as it can be shown."""
        return one_line(self.repo)


@contextmanager
def in_words(asked: Asked) -> Iterator[None]:
    """Around calls of the client and of nothing else: whatever they raise becomes a HubError."""
    try:
        yield
    except HubError:
        raise
    except Exception as error:
        told = tell(error, asked)
        if told is None:
            raise
        # The text of an error about a token may quote it, and causes are shown in tracebacks.
        raise told from None if isinstance(told, errors.BadToken) else error


def tell(error: Exception, asked: Asked) -> HubError | None:
    """The error in words; None for one that does not come from asking a hub."""
    from huggingface_hub import errors as theirs

    cause = error.__cause__
    if isinstance(error, theirs.LocalEntryNotFoundError) and isinstance(cause, Exception):
        return tell(cause, asked)
    if isinstance(error, theirs.OfflineModeIsEnabled):
        return offline()
    if isinstance(error, theirs.HfHubHTTPError):
        return _of_answer(error, asked)
    if isinstance(error, theirs.HFValidationError):
        return errors.NotFound(f"'{asked.named}' is no name of a repository; name one as org/repo")
    if isinstance(error, theirs.FileMetadataError):
        return not_a_hub(asked)
    return _of_connection(error, asked) or _of_content(error, asked)


def offline() -> HubError:
    """Nothing was asked, because the person said so."""
    return errors.Offline("offline mode is on, so the hub was not asked; unset HF_HUB_OFFLINE to go online")


def _of_answer(error: HfHubHTTPError, asked: Asked) -> HubError:
    """An answer that is an error, by its kind and then by its status."""
    from huggingface_hub import errors as theirs

    if isinstance(error, theirs.GatedRepoError):
        return _gated(asked)
    if isinstance(error, theirs.RevisionNotFoundError):
        return errors.NotFound(f"{asked.named} has no revision '{one_line(asked.revision)}'; see {asked.page}")
    if isinstance(error, theirs.RemoteEntryNotFoundError):
        return errors.NotFound(f"{asked.named} has no file '{one_line(asked.file)}' (any more); see {asked.page}")
    if isinstance(error, theirs.DisabledRepoError):
        return errors.NotAllowed(f"{asked.host} has disabled {asked.named}; choose another repository")
    if isinstance(error, theirs.RepositoryNotFoundError):
        return _no_repo(asked)
    return _of_status(error, asked)


def _of_status(error: HfHubHTTPError, asked: Asked) -> HubError:
    status = error.response.status_code
    if status == 401 and asked.signed_in:
        return errors.BadToken(
            f"{asked.host} does not accept your token; log in again with {_LOGIN} (HF_TOKEN counts first, if it is set)"
        )
    if asked.repo and status in (401, 404):
        return _no_repo(asked)
    if status in (401, 403):
        may = "your token may not read it" if asked.signed_in else f"log in with {_LOGIN}, or choose another"
        return errors.NotAllowed(f"{asked.host} refuses to give {asked.named or 'that'}; {may}")
    if status == 429:
        return _rate_limited(error, asked)
    if status >= 500 or status == 408:
        return errors.HubTrouble(f"{asked.host} has trouble of its own (status {status}); try again in a while")
    return errors.NotAHub(f"{asked.host} answered with status {status}, which a hub should not; check HF_ENDPOINT")


def _gated(asked: Asked) -> HubError:
    then = "with the account of your token" if asked.signed_in else f"and log in with {_LOGIN}"
    return errors.Gated(f"{asked.named} is gated: accept its terms at {asked.page} {then}")


def _no_repo(asked: Asked) -> HubError:
    unseen = "your token may not see it" if asked.signed_in else f"it is private (then log in with {_LOGIN})"
    return errors.NotFound(f"{asked.host} has no repository '{asked.named}', or {unseen}; check the name")


def _rate_limited(error: HfHubHTTPError, asked: Asked) -> HubError:
    from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

    headers = error.response.headers
    found = parse_ratelimit_headers(headers)
    after = headers.get("retry-after", "").strip()
    wait_s = int(after) if after.isdecimal() and len(after) < 10 else None
    if found is not None and found.remaining == 0:
        # The header comes with every answer; only with nothing left is it the reason for this one.
        wait_s = found.reset_in_seconds
    again = f"in {wait_s} s" if wait_s is not None else "in a few minutes"
    more = "" if asked.signed_in else f"; {_LOGIN} raises the limit"
    return errors.RateLimited(f"{asked.host} was asked too often; try again {again}{more}", wait_s)


def _of_connection(error: Exception, asked: Asked) -> HubError | None:
    """An error on the way to an answer, or of a body that came in part."""
    import httpx2

    if isinstance(error, httpx2.TimeoutException):
        return errors.TimedOut(
            f"{asked.host} did not answer within {asked.silence_s:g} s; try again, or check the network"
        )
    if isinstance(error, httpx2.ProxyError):
        return errors.Unreachable(f"the proxy on the way to {asked.host} refuses; check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, httpx2.ConnectError):
        return errors.Unreachable(_no_connection(error, asked.host))
    if isinstance(error, httpx2.LocalProtocolError | UnicodeEncodeError):
        return errors.BadToken(f"your token holds characters that no token has; log in again with {_LOGIN}")
    if isinstance(error, httpx2.DecodingError):
        return not_a_hub(asked)
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL | httpx2.TooManyRedirects):
        return errors.NotAHub(f"{asked.host} leads to nowhere; check HF_ENDPOINT")
    if isinstance(error, httpx2.TransportError | OSError | RuntimeError):
        # RuntimeError: the client in another thread has closed the connections that all share.
        return errors.Interrupted(f"the connection to {asked.host} broke; try again")
    return None


def _no_connection(error: Exception, host: str) -> str:
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, socket.gaierror):
            return f"'{host}' cannot be found; check the network and its DNS, or set HTTPS_PROXY"
        if "CERTIFICATE_VERIFY_FAILED" in str(reason):
            return f"the certificate of {host} is not trusted here; set SSL_CERT_FILE to that of your proxy or hub"
        reason = reason.__cause__ or reason.__context__
    return f"no connection to {host}; check the network, or set HTTPS_PROXY"


def _of_content(error: Exception, asked: Asked) -> HubError | None:
    """An answer that came whole and is not what a hub says: no JSON, keys missing or of other types."""
    if isinstance(error, ValueError | LookupError | TypeError | AttributeError):
        return not_a_hub(asked)
    return None


def not_a_hub(asked: Asked) -> HubError:
    """Something answers in the hub's place."""
    return errors.NotAHub(
        f"what answers as {asked.host} is no hub; a login page of this network may stand in between: "
        "open a web page in a browser, or check HF_ENDPOINT"
    )
