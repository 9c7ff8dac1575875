"""A loopback hub for the finder, asked by the real client with a home of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hub.conftest import QUICK, TOKEN
from tests.rigs.hub import LoopbackHub, Repo
from tests.rigs.hub.environment import hub_home
from tui.hub.client import Hub, connect

Serve = Callable[..., tuple[LoopbackHub, Callable[[], Hub]]]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a hub with these repositories; it and what connects to it."""
    with ExitStack() as stack:
        stack.enter_context(hub_home(tmp_path / "hf-home", monkeypatch))

        def start(
            *repos: Repo, token: str | None = None, may: tuple[str, ...] = ()
        ) -> tuple[LoopbackHub, Callable[[], Hub]]:
            running = stack.enter_context(LoopbackHub(*repos, tokens={TOKEN: may}))
            return running, lambda: connect({"HF_ENDPOINT": running.endpoint}, token=token, patience=QUICK)

        yield start
