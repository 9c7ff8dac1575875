"""`puna ps` and `puna stop` with a real engine that another front end runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.puna import puna, start
from tests.rigs.gguf_maker import tiny_model
from tui.cli.main import main
from tui.engine.registry import RunningEngine

pytestmark = pytest.mark.live


def test_without_engines(tmp_path: Path) -> None:
    assert json.loads(puna(tmp_path, "ps", "--json").stdout) == []
    assert b"No engine is running" in puna(tmp_path, "ps").stderr
    assert puna(tmp_path, "stop", "all").returncode == 0


def test_a_pid_that_is_no_engine_is_never_signalled(tmp_path: Path) -> None:
    done = puna(tmp_path, "stop", "1")
    assert done.returncode == 1
    assert b"no engine of yours" in done.stderr


@pytest.mark.parametrize("which", ["abc", "", "1.5", "ALL"])
def test_what_is_no_pid_is_named(tmp_path: Path, which: str) -> None:
    done = puna(tmp_path, "stop", which)
    assert done.returncode == 2
    assert f"'{which}' is neither a pid nor all" in done.stderr.decode()
    assert b"_pid_or_all" not in done.stderr


def test_an_engine_that_is_gone_or_not_ours_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, foreign = (RunningEngine(pid, f"model {pid}", 512, 0, None) for pid in (70001, 70002))

    def kill(pid: int, number: int) -> None:
        raise ProcessLookupError if pid == gone.pid else PermissionError

    monkeypatch.setattr("tui.cli.stop.running", lambda folder: (gone, foreign))
    monkeypatch.setattr("os.kill", kill)
    assert main(["stop", "all"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "70001 (model 70001) had ended by itself" in err
    assert "you may not end 70002 (model 70002)" in err


def test_a_running_engine_is_shown_and_stopped(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "endless.gguf", n_ctx_train=1 << 20)
    process = start(tmp_path, "run", str(model), "hello", "--n-ctx", "500000", "--json")
    assert process.stdout is not None
    process.stdout.readline()  # the first delta: it is loaded and at work
    (row,) = json.loads(puna(tmp_path, "ps", "--json").stdout)
    assert list(row) == ["pid", "model", "n_ctx", "n_ctx_used", "decode_tok_s"]
    assert row["model"] == "endless"
    assert row["n_ctx"] >= 500_000
    assert b"endless" in puna(tmp_path, "ps").stdout
    stopped = puna(tmp_path, "stop", str(row["pid"]))
    assert stopped.returncode == 0
    assert str(row["pid"]).encode() in stopped.stdout
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads(out.splitlines()[-1])["stop_reason"] == "failed"
    assert b"asked to stop" in err
    assert json.loads(puna(tmp_path, "ps", "--json").stdout) == []
