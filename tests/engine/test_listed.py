"""The list of running engines that is asked for every second."""

from __future__ import annotations

from pathlib import Path

from tui.engine.listed import Engines
from tui.engine.registry import Entry


def test_engines_come_and_go(tmp_path: Path) -> None:
    folder = tmp_path / "engines"
    engines = Engines(folder)
    assert engines.running() == ()
    entry = Entry(folder, model="m", n_ctx=512)
    assert [engine.model for engine in engines.running()] == ["m"]
    entry.update(7, 3.0, now=True)
    assert engines.running()[0].n_ctx_used == 7
    entry.remove()
    assert engines.running() == ()
    assert engines.running() == ()


def test_a_user_without_a_home_has_none() -> None:
    assert Engines(None).running() == ()
