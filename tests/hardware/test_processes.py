"""Process names and users: safe to print, and gone processes are no error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hardware.conftest import Tree
from tui.hardware.processes import REFRESH_S, ProcessNames, clean


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_this_process_has_a_name_and_a_user() -> None:
    name, user = ProcessNames().look_up(os.getpid())
    assert name
    assert user


def test_a_process_that_is_gone_has_neither(tree: Tree) -> None:
    assert ProcessNames(tree.proc).look_up(4_000_000) == (None, None)


def test_escape_sequences_and_direction_marks_never_come_through(tree: Tree) -> None:
    tree.write({"proc/7/comm": "ev\x1b[31mil\x07\u202e\u200bx\n"})
    name, _ = ProcessNames(tree.proc).look_up(7)
    assert name == "evilx"
    assert clean("a\r\nb\tc\x00d\x9b31m") == "a b cd"
    assert clean("x" * 500) == "x" * 64


def test_a_name_cut_by_the_kernel_is_completed_from_the_program(tree: Tree) -> None:
    tree.write({"proc/8/comm": "ollama_llama_se\n", "proc/8/cmdline": "/usr/bin/ollama_llama_server\0--port\x001\0"})
    tree.write({"proc/9/comm": "renamed_process\n", "proc/9/cmdline": "/usr/bin/python3\0"})
    names = ProcessNames(tree.proc)
    assert names.look_up(8)[0] == "ollama_llama_server"
    assert names.look_up(9)[0] == "renamed_process"


def test_a_name_is_believed_for_some_seconds_and_then_read_again(tree: Tree) -> None:
    clock = Clock()
    names = ProcessNames(tree.proc, clock)
    tree.write({"proc/5/comm": "first\n"})
    assert names.look_up(5)[0] == "first"
    tree.write({"proc/5/comm": "second\n"})
    assert names.look_up(5)[0] == "first"
    clock.now = REFRESH_S
    assert names.look_up(5)[0] == "second"


def test_processes_that_left_are_forgotten(tree: Tree) -> None:
    tree.write({"proc/5/comm": "first\n", "proc/6/comm": "other\n"})
    names = ProcessNames(tree.proc, Clock())
    names.look_up(5)
    names.look_up(6)
    names.keep_only([6])
    tree.write({"proc/5/comm": "again\n", "proc/6/comm": "changed\n"})
    assert names.look_up(5)[0] == "again"
    assert names.look_up(6)[0] == "other"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_an_unknown_user_is_a_number(tree: Tree) -> None:
    tree.write({"proc/5/comm": "x\n"})
    os.chown(tree.folder / "proc/5", 3_999_999_999, -1)
    assert ProcessNames(tree.proc).look_up(5) == ("x", "3999999999")


GUARDED = """
import ctypes
import os
import sys
PR_SET_DUMPABLE = 4
libc = ctypes.CDLL(None)
os.setuid(70001)
assert libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="only root can become another user")
def test_a_process_that_may_not_be_dumped_is_its_users() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", GUARDED], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert Path(f"/proc/{process.pid}/comm").stat().st_uid == 0
        assert ProcessNames(nested=False).look_up(process.pid)[1] == "70001"
        process.communicate()
