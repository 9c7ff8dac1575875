"""Downloads of real processes in a real terminal: killed and gone on with, and two that share one queue."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.puna import ROOT, environment
from tests.rigs.hub import LoopbackHub, Repo, Slow, gguf_bytes, of_bytes
from tests.rigs.terminal import Terminal

KIB, MIB = 1 << 10, 1 << 20
DATA = gguf_bytes(2 * MIB)
PUNA = [sys.executable, "-m", "tui"]


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub(Repo("org/m-GGUF", {"m-Q4_K_M.gguf": of_bytes(DATA)})) as running:
        running.fail("cdn", Slow(512 * KIB), times=1)
        yield running


@pytest.fixture
def env(tmp_path: Path, hub: LoopbackHub) -> dict[str, str]:
    places = {"PUNA_HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.endpoint}
    return {**places, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def workbench(env: dict[str, str]) -> Terminal:
    terminal = Terminal(PUNA, columns=100, rows=30, env=env, cwd=str(ROOT))
    terminal.wait_for("^p more")
    return terminal


def part_bytes(home: Path) -> int:
    return max((part.stat().st_size for part in (home / "hf" / "puna-parts").glob("*.part")), default=0)


def until(terminal: Terminal, test: Callable[[], bool]) -> None:
    """Let the program work until `test()` is true."""
    end = time.monotonic() + 60
    while not test():
        assert time.monotonic() < end, terminal.text()
        terminal.pump(0.01)


def test_killed_in_the_middle_it_goes_on_at_the_next_start_and_the_title_is_given_back(
    tmp_path: Path, hub: LoopbackHub, env: dict[str, str]
) -> None:
    with workbench(env) as terminal:
        terminal.type("\x14")
        terminal.wait_for("Pull a model")
        terminal.type("org/m-GGUF\r")
        until(terminal, lambda: part_bytes(tmp_path) > 256 * KIB)
        terminal.wait_for("⇣ 1")
        assert b"\x1b[22;2t\x1b]2;" in terminal.raw
        terminal.signal(signal.SIGKILL)
    kept = part_bytes(tmp_path)
    with workbench(env) as terminal:
        terminal.wait_for("m-GGUF:Q4_K_M is here", 60)
        terminal.type("\x11")
        assert terminal.end() == 0
        shown = terminal.raw.rfind(b"\x1b[22;2t")
        assert shown < 0 or terminal.raw.rfind(b"\x1b[23;2t") > shown, "a title that was lent is given back"
    starts = [int(seen.request.headers["range"][6:].partition("-")[0]) for seen in hub.seen("cdn")]
    assert starts[0] == 0
    assert kept - 256 * KIB <= starts[1] <= kept
    (file,) = (tmp_path / "hf" / "hub").rglob("m-Q4_K_M.gguf")
    assert file.read_bytes() == DATA


def test_what_a_pull_fetches_is_seen_in_the_workbench_and_paused_from_there(
    tmp_path: Path, hub: LoopbackHub, env: dict[str, str]
) -> None:
    pull = subprocess.Popen(
        [*PUNA, "pull", "org/m-GGUF"], stderr=subprocess.PIPE, env=environment(tmp_path, env), cwd=ROOT
    )
    with pull, workbench(env) as terminal:
        until(terminal, lambda: part_bytes(tmp_path) > 0)
        terminal.type("\x1b[24~")  # F12
        terminal.wait_for(f"another puna, process {pull.pid}")
        terminal.type(" ")
        terminal.wait_for("paused")
        _, said = pull.communicate(timeout=60)
        assert pull.returncode == 1
        assert b"was paused by another puna" in said
        assert hub.count("cdn") == 1, "the queue is not doubled"
        terminal.type(" ")
        terminal.wait_for("done", 60)
        terminal.type("\x11")
        assert terminal.end() == 0
    assert hub.count("cdn") == 2
