"""What the end of a process means, in words."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tui.process.death import meaning, oom_kills, signal_name, signal_of


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGABRT, "native code found something wrong and gave up (SIGABRT)"),
        (signal.SIGSEGV, "native code touched memory that is not there (SIGSEGV)"),
        (signal.SIGBUS, "a mapped file was cut short or its disk failed (SIGBUS)"),
        (signal.SIGILL, "native code used an instruction that this CPU does not have (SIGILL)"),
        (signal.SIGKILL, "something killed it (SIGKILL)"),
        (signal.SIGTERM, "it was asked to stop (SIGTERM)"),
        (signal.SIGUSR1, "it was ended (SIGUSR1)"),
    ],
)
def test_a_signal_is_told_in_words_and_by_name(number: signal.Signals, words: str) -> None:
    assert meaning(-number) == words
    assert signal_of(-number) == number


def test_an_ordinary_exit_names_its_code() -> None:
    assert meaning(0) == "it ended by itself with exit code 0"
    assert meaning(70) == "it ended by itself with exit code 70"
    assert signal_of(70) is None


def test_every_signal_has_words() -> None:
    for number in range(1, signal.NSIG):
        assert signal_name(number) in meaning(-number)


def test_a_kill_while_memory_ran_out_is_the_kernels() -> None:
    assert "memory ran out" in meaning(-signal.SIGKILL, out_of_memory=True)
    assert "memory ran out" not in meaning(-signal.SIGKILL)
    assert "memory ran out" not in meaning(-signal.SIGTERM, out_of_memory=True)


@pytest.mark.parametrize(
    ("vmstat", "count"),
    [
        ("nr_free_pages 1\noom_kill 7\nnuma_hit 2\n", 7),
        ("oom_kill 0\n", 0),
        ("nr_free_pages 1\n", None),
        ("oom_kill many\n", None),
        ("", None),
    ],
)
def test_the_kernels_count_of_kills(tmp_path: Path, vmstat: str, count: int | None) -> None:
    (tmp_path / "vmstat").write_text(vmstat)
    assert oom_kills(tmp_path) == count


def test_a_system_that_does_not_count(tmp_path: Path) -> None:
    assert oom_kills(tmp_path / "nothing") is None
