"""The terminal is given back as it was, however the program ends: driven in a real pty."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.terminal import Terminal

ROOT = Path(__file__).parents[2]
PUNA = [sys.executable, "-m", "tui"]
OFF = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l")
"""Alternate screen off, cursor shown, both kinds of mouse off, bracketed paste off."""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A puna of its own, on which there is no model to find."""
    return {"PUNA_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf")}


@pytest.fixture
def terminal(home: dict[str, str]) -> Iterator[Terminal]:
    """The workbench in a terminal, ready for keys."""
    with Terminal(PUNA, columns=100, rows=30, env=home, cwd=str(ROOT)) as made:
        made.wait_for("^p more")
        yield made


def modes(fd: int) -> list[object]:
    """The terminal's own settings, without the parts that a pty changes by itself."""
    return termios.tcgetattr(fd)[:4]


def given_back(terminal: Terminal, mark: int) -> bool:
    """Whether everything was switched off again in what was written since `mark`."""
    tail = bytes(terminal.raw[mark:])
    return all(sequence in tail for sequence in OFF)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_gives_the_terminal_back_and_is_the_exit_code(home: dict[str, str], number: signal.Signals) -> None:
    # Run below a shell, so that the terminal outlives the program and can be looked at.
    with Terminal(
        ["sh", "-c", 'stty -a >/dev/null; "$@"; echo "ended $?"; sleep 60', "sh", *PUNA], env=home, cwd=str(ROOT)
    ) as shell:
        before = modes(shell.fd)
        shell.wait_for("^p more")
        assert modes(shell.fd) != before
        mark = len(shell.raw)
        child = int(
            subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(shell.pid)], capture_output=True, text=True, check=True
            ).stdout
        )
        os.kill(child, number)
        shell.wait_for(f"ended {128 + number}")
        assert given_back(shell, mark)
        assert modes(shell.fd) == before


def test_quitting_by_key_gives_the_terminal_back(terminal: Terminal) -> None:
    mark = len(terminal.raw)
    terminal.type("\x11")  # ctrl+q
    assert terminal.end() == 0
    assert given_back(terminal, mark)


def test_ctrl_c_twice_ends_it(terminal: Terminal) -> None:
    mark = len(terminal.raw)
    terminal.type("\x03")
    terminal.wait_for("Press ^c once more")
    terminal.type("\x03")
    assert terminal.end() == 0
    assert given_back(terminal, mark)


CRASH = """
import sys
from tui.app.commands import places
def broken(self): raise RuntimeError("a mistake [/x] of ours")
places.Places.library = broken
from tui.app.main import run
sys.exit(run())
"""


def test_a_mistake_of_ours_gives_the_terminal_back_and_says_where_the_details_are(home: dict[str, str]) -> None:
    with Terminal([sys.executable, "-c", CRASH], columns=100, rows=30, env=home, cwd=str(ROOT)) as terminal:
        terminal.wait_for("^p more")
        mark = len(terminal.raw)
        terminal.type("\x1bOQ")  # F2
        assert terminal.end() == 1
        assert given_back(terminal, mark)
        tail = terminal.raw[mark:].decode(errors="replace")
        assert "a mistake [/x] of ours" in tail
        log = Path(home["PUNA_HOME"]) / "state" / "puna.log"
        assert "RuntimeError: a mistake [/x] of ours" in log.read_text()
        assert "Traceback" not in tail


STUCK = """
import sys, time
from tui.app import desk, signals
signals.PATIENCE_S = 1.0
async def stuck(self): time.sleep(60)
desk.Desk.close = stuck
from tui.app.main import run
sys.exit(run())
"""


def test_an_end_that_hangs_is_ended_by_force_and_gives_the_terminal_back(home: dict[str, str]) -> None:
    with Terminal([sys.executable, "-c", STUCK], columns=100, rows=30, env=home, cwd=str(ROOT)) as terminal:
        terminal.wait_for("^p more")
        mark = len(terminal.raw)
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
        assert given_back(terminal, mark)


def test_a_lost_terminal_ends_the_program(home: dict[str, str]) -> None:
    """Signals are kept away, so that it is the missing terminal that is noticed."""
    deaf = (
        "import signal, sys; from tui.app import signals; signals.HANDLED = ();"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); from tui.app.main import run; sys.exit(run())"
    )
    terminal = Terminal([sys.executable, "-c", deaf], columns=100, rows=30, env=home, cwd=str(ROOT))
    try:
        terminal.wait_for("^p more")
        os.close(terminal.fd)
        _, status = os.waitpid(terminal.pid, 0)
        terminal.status = os.waitstatus_to_exitcode(status)
        assert terminal.status == 129
    finally:
        if terminal.status is None:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)


def test_without_a_terminal_it_says_so_and_ends(home: dict[str, str]) -> None:
    done = subprocess.run(
        PUNA, env={**os.environ, **home}, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=ROOT
    )
    assert done.returncode == 1
    assert done.stderr == "puna needs a terminal to draw on; in a pipe use `puna run MODEL PROMPT`.\n"
    assert done.stdout == ""


def test_standard_error_may_be_a_file(home: dict[str, str], tmp_path: Path) -> None:
    errors = tmp_path / "errors.txt"
    command = ["sh", "-c", f'exec "$@" 2>{errors}', "sh", *PUNA]
    with Terminal(command, columns=100, rows=30, env=home, cwd=str(ROOT)) as terminal:
        terminal.wait_for("^p more")
        terminal.type("\x11")
        assert terminal.end() == 0
    assert errors.read_text() == ""


def test_a_conversation_that_is_no_number_is_a_usage_error(home: dict[str, str]) -> None:
    with Terminal([*PUNA, "chat", "--conversation", "latest"], env=home, cwd=str(ROOT)) as terminal:
        assert terminal.end() == 2
        assert b"'latest' is not the number of a conversation" in terminal.raw


SLOW = """
import sys, threading
from tui.app import signals
from tui.app.flows import library
signals.PATIENCE_S = 1.0
def never(self):
    self._desk.background.thread(threading.Event().wait, "library", "look for models")
    self._desk.app.notify("It looks now")
library.LibraryFlow.look = never
from tui.app.main import run
sys.exit(run())
"""


def test_a_thread_that_never_comes_back_does_not_hold_up_the_end(home: dict[str, str]) -> None:
    with Terminal([sys.executable, "-c", SLOW], columns=100, rows=30, env=home, cwd=str(ROOT)) as terminal:
        terminal.wait_for("It looks now")
        mark = len(terminal.raw)
        terminal.type("\x11")
        assert terminal.end() == 0
        assert given_back(terminal, mark)
