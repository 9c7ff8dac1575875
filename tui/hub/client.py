"""The way to the Hub's client: prepared before it is imported, with the person's endpoint, token and offline mode.

The token stays with the client, which reads the Hub's own store; it is never logged and never written by puna. What the
client does unasked (a telemetry request, Xet, progress bars, a logger on stderr) is switched off here.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import tui
from tui.config.plain import one_line
from tui.hub.address import own_endpoint
from tui.hub.errors import BadEndpoint, BadToken, HubError, Unreachable
from tui.hub.told import Asked, offline

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi

_SWITCHES = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}
"""Read by the client once, when it is imported. Xet has no way back to plain HTTP and cannot be cancelled."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the hub is waited for, and how often it is asked again."""

    connect_s: float = 10.0
    silence_s: float = 15.0
    """Seconds without a byte after which a connection counts as dead."""
    tries: int = 5
    """How often the same is asked while nothing comes of it."""
    back_off_s: float = 0.5
    """Pause before the second try; it doubles with each further one."""
    longest_wait_s: float = 20.0
    """The longest pause that is sat out when the hub asks for one; a longer one is told instead."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub as this person reaches it. Values only: holding one has asked nothing yet."""

    endpoint: str
    """Its address without a slash at the end."""
    token: str | None = field(default=None, repr=False)
    """None for the one that the client finds by itself (HF_TOKEN, then the Hub's own store), if there is one."""
    offline: bool = False
    patience: Patience = Patience()

    def api(self) -> HfApi:
        """The client. Raises Offline in offline mode."""
        self.session()
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, token=self.token, library_name="puna", library_version=tui.__version__)

    def session(self) -> httpx2.Client:
        """The client's own connections, shared by all threads. Raises Offline in offline mode, and Unreachable for a
        proxy that cannot be used.
        """
        if self.offline:
            raise offline()
        from huggingface_hub import get_session

        try:
            return get_session()
        except (ImportError, ValueError) as error:
            raise Unreachable(
                f"the proxy that is set cannot be used ({one_line(str(error))}); check HTTPS_PROXY"
            ) from error

    def headers(self) -> dict[str, str]:
        """What the client sends along, the token included: for the hub's own origin only. Raises BadToken."""
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        try:
            found: dict[str, str] = build_hf_headers(
                token=self.token, library_name="puna", library_version=tui.__version__
            )
            return found
        except (OSError, ValueError) as error:
            raise BadToken(
                f"the Hub's token cannot be read ({one_line(str(error))}); `hf auth login` makes it anew"
            ) from error

    def asking(self, repo: str = "", *, file: str = "", revision: str = "") -> Asked:
        """What errors say about a question."""
        signed_in = "authorization" in self.headers()
        return Asked(self.endpoint, repo, file, revision, signed_in, self.patience.silence_s)


def connect(
    environ: Mapping[str, str] | None = None, *, token: str | None = None, patience: Patience | None = None
) -> Hub:
    """The hub that `environ` (default: this process's) names in HF_ENDPOINT, else the public one. It is not asked yet.

    Raises BadEndpoint for an HF_ENDPOINT that is no address, and HubError when the client cannot be used.
    """
    prepare()
    from huggingface_hub import constants, is_offline_mode

    said = os.environ if environ is None else environ
    endpoint = own_endpoint(said) or constants.ENDPOINT.rstrip("/")
    if not _is_address(endpoint):
        raise BadEndpoint(f"HF_ENDPOINT is '{one_line(endpoint)}', which is no address; it begins with https://")
    no_network = is_offline_mode() or _is_on(said.get("HF_HUB_OFFLINE")) or _is_on(said.get("TRANSFORMERS_OFFLINE"))
    return Hub(endpoint, token, no_network, patience or Patience())


@cache
def prepare() -> None:
    """Import the client, once, as puna needs it. Raises HubError when it cannot be imported."""
    os.environ.update(_SWITCHES)
    if not os.environ.get("HF_ENDPOINT"):
        # The client takes an empty address for one.
        os.environ.pop("HF_ENDPOINT", None)
    try:
        from huggingface_hub import constants
        from huggingface_hub.utils import logging as theirs  # its import is what adds the handler to the logger
    except (ImportError, ValueError) as error:
        # It parses numbers in its environment variables when it is imported.
        raise HubError(
            f"the Hub's client cannot be used ({one_line(str(error))}); check your HF_… variables"
        ) from error
    constants.HF_HUB_DISABLE_TELEMETRY = constants.HF_HUB_DISABLE_XET = True
    _quieten(theirs.get_logger())


def _quieten(logger: logging.Logger) -> None:
    """Nothing of the client reaches the terminal."""
    logger.handlers.clear()
    logger.propagate = False
    # Without any handler, Python itself writes warnings to stderr.
    logger.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=r"huggingface_hub")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_on(value: str | None) -> bool:
    """As the client reads its switches."""
    return value is not None and value.upper() in ("1", "ON", "YES", "TRUE")
