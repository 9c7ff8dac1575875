"""When a front end ends, in whatever way, its engine ends: no process is left that holds a model for nobody."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.engine import registry

PATIENCE_S = 60.0
"""A wait ends with its event; this is only when to give up."""


@pytest.fixture(scope="module")
def slow_model(models_dir: Path) -> Path:
    """A model whose load takes long enough to be met in the middle."""
    return tiny_model(models_dir / "orphans.gguf", n_embd=768, n_layer=8)


class Front:
    """A running front end and what it tells."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def wait_for(self, key: str) -> Any:
        """The next event that has `key`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            if key in event:
                return event[key]
        raise AssertionError(f"the front end ended without telling {key!r}")

    def children(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


@contextmanager
def front_end(what: str, model: Path, engines_dir: Path) -> Iterator[Front]:
    command = [sys.executable, "-m", "tests.rigs.front_end", what, str(model), str(engines_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield Front(process)
        finally:
            process.kill()


@contextmanager
def watched(pids: list[int]) -> Iterator[dict[int, int]]:
    """Handles that become readable when their processes end, whoever their parent is by then."""
    if not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no process handles")
    handles = {pid: os.pidfd_open(pid) for pid in pids}
    try:
        yield handles
    finally:
        for handle in handles.values():
            os.close(handle)


def assert_all_end(handles: dict[int, int]) -> None:
    for pid, handle in handles.items():
        ready, _, _ = select.select([handle], [], [], PATIENCE_S)
        assert ready, f"process {pid} lives on without its front end"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
@pytest.mark.parametrize(("what", "event"), [("load", "loading"), ("generate", "delta")])
def test_no_engine_outlives_a_front_end_that_is_killed(
    slow_model: Path, tiny_llama: Path, engines_dir: Path, what: str, event: str, number: signal.Signals
) -> None:
    model = slow_model if what == "load" else tiny_llama
    with front_end(what, model, engines_dir) as front:
        front.wait_for(event)
        with watched(front.children()) as handles:
            assert len(handles) == 1
            front.process.send_signal(number)
            assert front.process.wait(PATIENCE_S) == -number
            assert_all_end(handles)
    assert registry.running(engines_dir) == ()


def test_no_engine_outlives_a_front_end_that_forgot_to_close_it(tiny_llama: Path, engines_dir: Path) -> None:
    with front_end("leave", tiny_llama, engines_dir) as front:
        pid = front.wait_for("engine")
        try:
            with watched([pid]) as handles:
                assert_all_end(handles)
        except ProcessLookupError:
            pass  # it had ended before it could be watched
        assert front.process.wait(PATIENCE_S) == 0
    assert registry.running(engines_dir) == ()


def test_a_frozen_front_end_keeps_its_engine_until_it_dies(tiny_llama: Path, engines_dir: Path) -> None:
    with front_end("generate", tiny_llama, engines_dir) as front:
        front.wait_for("delta")
        (pid,) = front.children()
        front.process.send_signal(signal.SIGSTOP)
        with watched([pid]) as handles:
            ready, _, _ = select.select(list(handles.values()), [], [], 0)
            assert not ready
            front.process.kill()
            assert_all_end(handles)


def test_a_child_whose_parent_is_gone_before_it_looks_ends_at_once(tmp_path: Path) -> None:
    """The parent died between starting it and its first act: it sees another parent than the one it was told of."""
    host = [sys.executable, "-m", "tui.engine.host"]
    ran = subprocess.run(
        [*host, "--fd", "0", "--parent", "1", "--threads", "1", "--engines-dir", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
