"""Real child processes: what they are given, how their end is told, and that none is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.rigs.child import Answer, Order
from tui.process import spawn as spawning
from tui.process.spawn import Child, spawn

MODULE = "tests.rigs.child"


@pytest.fixture
async def child() -> AsyncIterator[Child]:
    started = await spawn(MODULE, ["--more", "a b"], incoming=Answer)
    yield started
    started.kill()
    await started.ended()


async def first(child: Child) -> dict[str, str]:
    answer = await child.channel.receive()
    assert isinstance(answer, Answer)
    return answer.facts


async def test_a_child_has_nothing_of_the_terminal_and_what_it_needs(child: Child) -> None:
    facts = await first(child)
    assert facts["arguments"] == "--more a b"
    assert facts["session"] == "True"
    assert facts["nice"] == str(min(19, os.nice(0) + 7))
    assert facts["backtrace"] == "1"
    assert facts["stdin"] == "True"
    assert facts["terminal"] == "False"
    assert facts["sigint"] == "True"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists open files on Linux only")
async def test_a_child_inherits_its_socket_and_nothing_else(child: Child, tmp_path: Path) -> None:
    facts = await first(child)
    with (tmp_path / "open").open("w"):
        other = await spawn(MODULE, [], incoming=Answer)
        others = await first(other)
        other.kill()
        await other.ended()
    assert len(facts["fds"].split()) == len(others["fds"].split()) == 5  # 0, 1, 2, the socket, and the listing itself


async def test_messages_go_both_ways(child: Child) -> None:
    await first(child)
    for text in ("one", "zwölf 🌍", "x" * 1_000_000):
        child.channel.send(Order("echo", text))
        answer = await child.channel.receive()
        assert isinstance(answer, Answer)
        assert answer.text == text


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
async def test_an_end_by_a_signal_is_told(child: Child, number: signal.Signals) -> None:
    await first(child)
    child.channel.send(Order("signal", str(int(number))))
    assert await child.channel.receive() is None
    assert await child.ended() == -number
    assert number.name in child.why(-number)


async def test_an_exit_is_told(child: Child) -> None:
    await first(child)
    child.channel.send(Order("exit", "3"))
    assert await child.ended() == 3
    assert child.why(3) == "it ended by itself with exit code 3"


async def test_a_kill_is_the_kernels_only_when_its_count_has_risen(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    await first(child)
    before = child._oom_kills_before or 0
    child._oom_kills_before = before
    monkeypatch.setattr(spawning, "oom_kills", lambda: before)
    assert "something killed it" in child.why(-signal.SIGKILL)
    monkeypatch.setattr(spawning, "oom_kills", lambda: before + 1)
    assert "memory ran out" in child.why(-signal.SIGKILL)
    monkeypatch.setattr(spawning, "oom_kills", lambda: None)
    assert "something killed it" in child.why(-signal.SIGKILL)


async def test_the_tail_of_stderr_is_kept_its_last_line_too(child: Child) -> None:
    await first(child)
    child.channel.send(Order("stderr", "".join(f"line {number}\n" for number in range(500)) + "no end"))
    assert await child.channel.receive() == Answer("written")
    child.channel.send(Order("exit", "0"))
    await child.ended()
    assert len(child.stderr) == 200
    assert list(child.stderr)[-3:] == ["line 498", "line 499", "no end"]


async def test_a_grandchild_that_keeps_stderr_does_not_hold_up_the_end(child: Child) -> None:
    await first(child)
    child.channel.send(Order("leave"))
    answer = await child.channel.receive()
    assert isinstance(answer, Answer)
    try:
        assert await child.ended() == 0
    finally:
        os.kill(int(answer.text), signal.SIGKILL)


async def test_a_child_whose_socket_is_closed_ends(child: Child) -> None:
    await first(child)
    child.channel.close()
    assert await child.process.wait() == 0


async def test_children_are_started_from_the_main_thread_only() -> None:
    def elsewhere() -> None:
        asyncio.run(spawn(MODULE, [], incoming=Answer))

    with pytest.raises(RuntimeError, match="main thread"):
        await asyncio.to_thread(elsewhere)


async def test_a_start_that_is_cancelled_leaves_no_process() -> None:
    me = psutil.Process()
    before = {process.pid for process in me.children()}
    for turns in range(12):  # each turn of the loop is another moment of the start
        task = asyncio.create_task(spawn(MODULE, [], incoming=Answer))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            started = await task
        except asyncio.CancelledError:
            continue
        started.kill()
        await started.ended()
    left = [process for process in me.children() if process.pid not in before]
    assert psutil.wait_procs(left, timeout=30)[1] == []


async def test_a_program_that_cannot_be_started_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    open_before = psutil.Process().num_fds()
    with pytest.raises(FileNotFoundError):
        await spawn(MODULE, [], incoming=Answer)
    assert psutil.Process().num_fds() == open_before


async def test_a_folder_of_modules_in_the_working_directory_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tui", "llama_cpp", "msgspec"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit(99)")
    for name in ("json", "socket", "signal"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(98)")
    monkeypatch.chdir(tmp_path)
    started = await spawn(MODULE, [], incoming=Answer)
    facts = await first(started)
    assert str(tmp_path) not in facts["path"].split(os.pathsep)
    assert "" not in facts["path"].split(os.pathsep)
    started.kill()
    await started.ended()


def test_an_installed_package_is_not_put_before_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setattr(spawning, "_PACKAGE_ROOT", Path("/usr/lib/python3/site-packages"))
    assert spawning.environment()["PYTHONPATH"] == "/somewhere"
    monkeypatch.setattr(spawning, "_PACKAGE_ROOT", Path("/home/me/checkout"))
    assert spawning.environment()["PYTHONPATH"] == os.pathsep.join(["/home/me/checkout", "/somewhere"])
