"""The client as puna prepares it: quiet, at the right endpoint, with the Hub's own token, cheap until it is used."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from tests.hub.conftest import TOKEN, Serve
from tests.rigs.hub import LoopbackHub, Repo, of_bytes, rate_limited
from tui.hub import errors
from tui.hub.client import Hub, connect
from tui.hub.files import repo_files

ROOT = Path(__file__).parents[2]
TORN = "hf_torn\nX"
FILES = {"m-Q4_0.gguf": of_bytes(b"GGUF")}


def test_the_endpoint_and_offline_mode_come_from_the_environment() -> None:
    assert connect({"HF_ENDPOINT": "http://hub.example/"}).endpoint == "http://hub.example"
    assert connect({"HF_ENDPOINT": ""}).endpoint == connect({}).endpoint
    assert not connect({"HF_HUB_OFFLINE": "0"}).offline
    assert connect({"HF_HUB_OFFLINE": "true"}).offline
    assert connect({"TRANSFORMERS_OFFLINE": "1"}).offline


@pytest.mark.parametrize("endpoint", ["hub.example", "ftp://hub.example", "http://", "http://[x", "a\x1b[31m"])
def test_an_endpoint_that_is_no_address(endpoint: str) -> None:
    with pytest.raises(errors.BadEndpoint, match="begins with https://") as caught:
        connect({"HF_ENDPOINT": endpoint})
    assert str(caught.value).isprintable()


def test_the_token_is_that_of_the_hubs_own_store(serve: Serve, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback, hub = serve(Repo("org/m", FILES), may=())
    home.mkdir()
    (home / "token").write_text(f"{TOKEN}\n")
    repo_files(hub, "org/m")
    loopback.tokens["hf_other"] = ()
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    repo_files(hub, "org/m")
    assert [seen.token for seen in loopback.requests] == [TOKEN, "hf_other"]


def test_tokens_that_cannot_be_read_or_sent(serve: Serve, home: Path) -> None:
    _, hub = serve(Repo("org/m", FILES))
    with pytest.raises(errors.BadToken, match="characters that no token has") as caught:
        repo_files(dataclasses.replace(hub, token=TORN), "org/m")
    assert "torn" not in "".join(traceback.format_exception(caught.value))
    home.mkdir()
    (home / "token").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(errors.BadToken, match="`hf auth login` makes it anew"):
        repo_files(hub, "org/m")


def test_a_token_shows_nowhere() -> None:
    hub = Hub("http://user:secret@hub.example", token="hf_secret")
    assert "hf_secret" not in repr(hub)
    asked = hub.asking("org/m")
    assert (asked.signed_in, asked.host, asked.page) == (True, "hub.example", "http://hub.example/org/m")


def test_a_proxy_that_does_not_answer_or_cannot_be_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import close_session

    _, hub = serve(Repo("org/m", FILES))
    elsewhere = dataclasses.replace(hub, endpoint="http://hub.example")
    try:
        for proxy, words in (("http://127.0.0.1:9", "no connection"), ("nonsense://x", "the proxy that is set")):
            close_session()
            monkeypatch.setenv("HTTP_PROXY", proxy)
            with pytest.raises(errors.Unreachable, match=words):
                repo_files(elsewhere, "org/m")
    finally:
        close_session()


QUIET = """
import json, sys
from tui.hub.client import connect, prepare
from tui.hub import address, choice, files, header
early = sorted({"huggingface_hub", "httpx2"} & set(sys.modules))
hub = connect()
api = hub.api()
found = [info.id for info in api.list_models(limit=1)]
try:
    files.repo_files(hub, "org/none")
except Exception as error:
    found.append(type(error).__name__)
print(json.dumps([early, found]))
"""


def test_a_fresh_process_asks_only_what_it_was_told_to_and_says_nothing(home: Path) -> None:
    with LoopbackHub(Repo("org/m", FILES)) as loopback:
        loopback.fail("models", rate_limited(0), times=1)
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(home), "HF_HOME": str(home), "HF_ENDPOINT": loopback.endpoint}
        command = [sys.executable, "-W", "default", "-c", QUIET]
        ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
        assert json.loads(ran.stdout) == [[], ["org/m", "NotFound"]]
        assert ran.stderr == ""
        assert [seen.route for seen in loopback.requests] == ["models", "models", "model"]


UNPARSABLE = """
from tui.hub.client import connect
try:
    connect()
except Exception as error:
    print(type(error).__name__, error)
"""


def test_variables_that_the_client_cannot_parse(home: Path) -> None:
    environ = {"PATH": "/usr/bin:/bin", "HF_HOME": str(home), "HF_HUB_ETAG_TIMEOUT": "soon"}
    command = [sys.executable, "-c", UNPARSABLE]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert ran.stdout.startswith("HubError the Hub's client cannot be used")
    assert "HF_" in ran.stdout
