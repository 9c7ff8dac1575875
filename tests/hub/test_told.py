"""Exceptions of the real client become errors in words, those of a download too."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import LocalEntryNotFoundError

from tests.hub.conftest import Serve
from tests.rigs.hub import CAPTIVE_PORTAL, Answer, Cut, Repo, of_bytes
from tests.rigs.hub.faults import Fault
from tui.hub import errors
from tui.hub.client import Hub
from tui.hub.told import Asked, in_words, tell

ASKED = Asked("http://hub.example", "org/m", "m.gguf", silence_s=10.0)


LIMITS = {
    (("RateLimit", '"api";r=0;t=70'),): 70,
    (("RateLimit", '"api";r=5;t=70'),): None,
    (("RateLimit", '"api";r=5;t=70'), ("Retry-After", "3")): 3,
    (("Retry-After", "120"),): 120,
    (("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),): None,
    (("Retry-After", "9" * 50),): None,
    (): None,
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client sleeps 23 seconds in all between its tries; nothing else here sleeps."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


def download(hub: Hub, cache: Path) -> None:
    hf_hub_download("org/m", "m-Q4_0.gguf", endpoint=hub.endpoint, cache_dir=cache, token=False)


@pytest.mark.parametrize(
    ("route", "fault", "kind"),
    [
        ("resolve", Answer(503), errors.HubTrouble),
        ("resolve", Answer(403), errors.NotAllowed),
        ("resolve", Answer(429), errors.RateLimited),
        ("resolve", Answer(401, error_code="GatedRepo"), errors.Gated),
        ("resolve", Answer(404, error_code="EntryNotFound"), errors.NotFound),
        ("resolve", CAPTIVE_PORTAL, errors.NotAHub),
        ("resolve", Cut(), errors.Interrupted),
        ("cdn", Answer(500), errors.HubTrouble),
    ],
)
def test_a_download_that_fails(
    serve: Serve, tmp_path: Path, route: str, fault: Fault, kind: type[errors.HubError]
) -> None:
    loopback, hub = serve(Repo("org/m", {"m-Q4_0.gguf": of_bytes(b"GGUF")}))
    loopback.fail(route, fault)
    with pytest.raises(kind), in_words(hub.asking("org/m", file="m-Q4_0.gguf")):
        download(hub, tmp_path / "cache")


def test_a_hub_that_is_down_hides_behind_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(errors.Unreachable), in_words(ASKED):
        download(Hub("http://127.0.0.1:9"), tmp_path / "cache")


@pytest.mark.parametrize(("headers", "wait_s"), LIMITS.items())
def test_how_long_the_hub_wants_to_be_left_alone(
    serve: Serve, headers: tuple[tuple[str, str], ...], wait_s: int | None
) -> None:
    loopback, hub = serve()
    loopback.fail("auth-check", Answer(429, headers=headers))
    with pytest.raises(errors.RateLimited, match="raises the limit") as caught:
        with_words(hub, HfApi(endpoint=hub.endpoint, token=False))
    assert caught.value.wait_s == wait_s


def with_words(hub: Hub, api: HfApi) -> None:
    with in_words(hub.asking("org/m")):
        api.auth_check("org/m")


def test_the_gate_names_its_page(serve: Serve) -> None:
    loopback, hub = serve(Repo("org/m", {}, gated="auto"))
    api = HfApi(endpoint=hub.endpoint, token=False)
    with pytest.raises(errors.Gated, match=r"accept its terms at .* and log in with `hf auth") as caught:
        with_words(hub, api)
    assert f"{loopback.endpoint}/org/m" in str(caught.value)


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), errors.Unreachable, "SSL_CERT_FILE"),
        (
            caused(httpx2.ConnectError("x"), socket.gaierror(-2, "y")),
            errors.Unreachable,
            "'hub.example' cannot be found",
        ),
        (httpx2.ConnectError("refused"), errors.Unreachable, "no connection to hub.example"),
        (httpx2.ProxyError("407"), errors.Unreachable, "HTTPS_PROXY"),
        (httpx2.ReadTimeout(""), errors.TimedOut, "within 10 s"),
        (httpx2.TooManyRedirects(""), errors.NotAHub, "leads to nowhere"),
        (httpx2.ReadError(""), errors.Interrupted, "the connection to hub.example broke"),
        (RuntimeError("Cannot send a request, as the client has been closed."), errors.Interrupted, "try again"),
        (KeyError("id"), errors.NotAHub, "is no hub"),
    ],
    ids=repr,
)
def test_bare_errors(error: Exception, kind: type[errors.HubError], words: str) -> None:
    told = tell(error, ASKED)
    assert type(told) is kind
    assert words in str(told)


def test_what_does_not_come_from_a_hub_is_left_as_it_is() -> None:
    assert tell(AssertionError("ours"), ASKED) is None
    with pytest.raises(AssertionError), in_words(ASKED):
        raise AssertionError
    with pytest.raises(errors.Cancelled), in_words(ASKED):
        raise errors.Cancelled
    assert type(tell(LocalEntryNotFoundError("no cause"), ASKED)) is not errors.HubTrouble
