"""The list of running engines: small files that may be stale, torn, foreign or plain wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.permission import permissions_count
from tui.engine.registry import Entry, RunningEngine, running, start_time, stop

HOST = socket.gethostname()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this user that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def write(folder: Path, pid: int, **changes: object) -> Path:
    """The file that an engine with this pid would write."""
    folder.mkdir(parents=True, exist_ok=True)
    entry: dict[str, Any] = {
        "host": HOST,
        "started": start_time(pid),
        "pid": pid,
        "model": "m",
        "n_ctx": 512,
        "n_ctx_used": 3,
        "decode_tok_s": 1.5,
        **changes,
    }
    path = folder / f"{HOST}-{pid}.json"
    path.write_text(json.dumps(entry))
    return path


def wrong(**changes: object) -> bytes:
    """A file that is whole JSON but no engine's."""
    entry = {"host": HOST, "pid": 999_999, "model": "m", "n_ctx": 1, "n_ctx_used": 1, "decode_tok_s": None, **changes}
    return json.dumps(entry).encode()


def test_an_engine_lists_itself_and_takes_itself_off(engines_dir: Path) -> None:
    entry = Entry(engines_dir, model="mödel 🐟", n_ctx=2048)
    assert running(engines_dir) == (RunningEngine(os.getpid(), "mödel 🐟", 2048, 0, None),)
    entry.update(7, 12.5, now=True)
    assert running(engines_dir) == (RunningEngine(os.getpid(), "mödel 🐟", 2048, 7, 12.5),)
    entry.update(9, None, now=True)  # an answer that measured nothing leaves the rate of the one before
    assert running(engines_dir)[0].decode_tok_s == 12.5
    entry.remove()
    entry.remove()
    assert running(engines_dir) == ()
    assert list(engines_dir.iterdir()) == []


def test_an_engine_is_listed_while_it_loads(engines_dir: Path) -> None:
    entry = Entry(engines_dir, model="m", n_ctx=0)
    assert running(engines_dir) == (RunningEngine(os.getpid(), "m", 0, 0, None),)
    entry.loaded(4096)
    assert running(engines_dir) == (RunningEngine(os.getpid(), "m", 4096, 0, None),)


def test_a_name_in_the_list_is_safe_to_show(engines_dir: Path) -> None:
    Entry(engines_dir, model="a\x1b]0;pwned\x07 \x9b31mname\n", n_ctx=1)
    assert running(engines_dir)[0].model == "a name"


def test_the_folder_is_for_this_user_only(engines_dir: Path) -> None:
    Entry(engines_dir, model="m", n_ctx=1)
    assert engines_dir.stat().st_mode & 0o777 == 0o700


def test_figures_are_not_written_for_every_token(engines_dir: Path) -> None:
    entry = Entry(engines_dir, model="m", n_ctx=1)
    path = next(engines_dir.iterdir())
    before = path.stat().st_ino
    for used in range(500):
        entry.update(used, 1.0)
    assert path.stat().st_ino == before or running(engines_dir)[0].n_ctx_used < 499


def test_no_folder_is_no_engines(tmp_path: Path) -> None:
    assert running(tmp_path / "nothing") == ()


def test_a_file_of_a_process_that_is_gone_is_removed(engines_dir: Path, sleeper: subprocess.Popen[bytes]) -> None:
    path = write(engines_dir, sleeper.pid)
    assert [row.pid for row in running(engines_dir)] == [sleeper.pid]
    sleeper.kill()
    sleeper.communicate()
    assert running(engines_dir) == ()
    assert not path.exists()


def test_an_engine_that_ended_and_was_not_yet_collected_is_not_running(
    engines_dir: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    write(engines_dir, sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # it has ended; its parent has not asked yet
    assert running(engines_dir) == ()


def test_a_pid_that_belongs_to_another_process_by_now_is_not_an_engine(
    engines_dir: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    started = start_time(sleeper.pid)
    assert started is not None
    path = write(engines_dir, sleeper.pid, started=started - 1)
    assert running(engines_dir) == ()
    assert not path.exists()


def test_a_file_of_another_machine_is_left_alone(engines_dir: Path) -> None:
    path = write(engines_dir, 999_999_999, host="another")
    assert running(engines_dir) == ()
    assert path.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"host": "',
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 5000,
        json.dumps({"host": HOST}).encode(),
        wrong(pid="x"),
        wrong(pid=0),
        wrong(pid=-1),
        wrong(n_ctx=[]),
        wrong(decode_tok_s="fast"),
        wrong(decode_tok_s=10**400),
        wrong(n_ctx=float("inf")),
        wrong(n_ctx=10**400),
        wrong(n_ctx_used=-1),
        wrong(pid=10**30),
    ],
)
def test_a_file_that_is_torn_or_wrong_harms_nobody(engines_dir: Path, content: bytes) -> None:
    Entry(engines_dir, model="whole", n_ctx=1)
    (engines_dir / f"{HOST}-1.json").write_bytes(content)
    assert [row.model for row in running(engines_dir)] == ["whole"]


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with permissions_count():
            entry = Entry(tmp_path / "engines", model="m", n_ctx=1)
            entry.update(1, 1.0, now=True)
            entry.remove()
            assert running(tmp_path / "engines") == ()
    finally:
        tmp_path.chmod(0o700)


def test_stop_asks_and_a_process_that_is_gone_was_not_asked(
    engines_dir: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    write(engines_dir, sleeper.pid)
    (row,) = running(engines_dir)
    assert stop(row)
    assert sleeper.wait(60) == -signal.SIGTERM
    assert not stop(row)
