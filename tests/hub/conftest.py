"""The real client with a home of its own, and a hub of this machine to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rigs.hub import LoopbackHub, Repo
from tests.rigs.hub.environment import hub_home
from tui.hub.client import Hub, Patience, connect

QUICK = Patience(tries=3, back_off_s=0.01, longest_wait_s=2.0)
"""As a person's, with short pauses."""

TOKEN = "hf_loopback"


def impatient(hub: Hub, tries: int = 9) -> Hub:
    """For tests in which a hub says nothing: they wait for this. Tries are plenty, as a busy machine is silent too."""
    return replace(hub, patience=replace(QUICK, silence_s=0.3, tries=tries))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the client keeps what it keeps."""
    with hub_home(tmp_path / "hf-home", monkeypatch) as folder:
        yield folder


Serve = Callable[..., tuple[LoopbackHub, Hub]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a hub with these repositories; it and the way to it, without a token unless one is given."""
    with ExitStack() as stack:

        def start(*repos: Repo, token: str | None = None, may: tuple[str, ...] = ()) -> tuple[LoopbackHub, Hub]:
            running = stack.enter_context(LoopbackHub(*repos, tokens={TOKEN: may}))
            return running, connect({"HF_ENDPOINT": running.endpoint}, token=token, patience=QUICK)

        yield start
