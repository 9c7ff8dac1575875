"""The front end's handle on hosts that misbehave: it never hangs, never fails itself, and says what happened."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tui.engine import client
from tui.engine.client import Engine, EngineDied
from tui.llama.settings import LoadSettings
from tui.process.spawn import Child, spawn


@pytest.fixture(autouse=True)
def strange_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts of these tests misbehave in the way that their model's name says."""

    async def strange(_module: str, arguments: Sequence[str], *, incoming: Any) -> Child:
        return await spawn("tests.rigs.strange_host", arguments, incoming=incoming)

    monkeypatch.setattr(client, "spawn", strange)


@pytest.mark.parametrize(
    ("what", "number", "words"),
    [
        ("garbage", signal.SIGKILL, "what it sent cannot be understood"),
        ("too long", signal.SIGKILL, "what it sent cannot be understood"),
        ("half a frame", None, "exit code 3"),
        ("quiet end", None, "exit code 0"),
        ("deaf", None, "exit code 4"),
    ],
)
async def test_a_host_that_misbehaves_is_a_death_in_words(
    tmp_path: Path, engines_dir: Path, what: str, number: signal.Signals | None, words: str
) -> None:
    shares: list[float] = []
    with pytest.raises(EngineDied) as caught:
        await Engine.start(
            tmp_path / what,
            LoadSettings(n_ctx=256, n_gpu_layers=0, threads=1),
            name=what,
            on_progress=shares.append,
            engines_dir=engines_dir,
        )
    assert shares == [0.5]
    assert caught.value.signal == number
    assert words in caught.value.message
    assert "while loading the model" in caught.value.message
    assert caught.value.log == (("last words",) if what == "deaf" else ())
