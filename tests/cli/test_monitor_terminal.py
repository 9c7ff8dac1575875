"""`puna monitor` in a real terminal: sizes, keys, signals, and the terminal as it was when it ends."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import sys
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.puna import ROOT, environment
from tests.rigs.nvml import FakeGpu, StandIn, two_gpus
from tests.rigs.terminal import Terminal
from tui.cli.meter.screen import Screen
from tui.cli.meter.wake import Wake

GIB = 1 << 30
_OPENED, _CLOSED = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"


def many(count: int) -> list[FakeGpu]:
    """Cards that are alike but for what they hold."""
    return [
        FakeGpu(
            name="NVIDIA Stand-in 80GB",
            uuid=f"GPU-{index:08d}-0000-0000-0000-000000000000",
            total=80 * GIB,
            reserved=GIB,
            used=(11 + index) * GIB,
            free=(68 - index) * GIB,
        )
        for index in range(count)
    ]


def monitor(
    home: Path, stand_in: StandIn, *arguments: str, columns: int = 80, rows: int = 24, command: Sequence[str] = ()
) -> Terminal:
    """The monitor in a terminal of that size."""
    whole = list(command) or [sys.executable, "-m", "tui", "monitor", *arguments]
    env = {**environment(home, stand_in.environ), "COLUMNS": "", "LINES": "", "NO_COLOR": ""}
    return Terminal(whole, columns=columns, rows=rows, env=env, cwd=str(ROOT))


def modes_of(descriptor: int) -> list[object]:
    """What a terminal does with keys and output."""
    return list(termios.tcgetattr(descriptor))


def fresh_modes() -> list[object]:
    """The same of a terminal that nobody has touched."""
    ours, theirs = pty.openpty()
    try:
        return modes_of(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def assert_restored(terminal: Terminal) -> None:
    """The alternate screen is left, the cursor is there, keys do what they did."""
    assert terminal.raw.count(_OPENED) == terminal.raw.count(_CLOSED) == 1
    assert modes_of(terminal.fd) == fresh_modes()


@pytest.mark.parametrize(("columns", "rows"), [(30, 4), (40, 10), (80, 24), (200, 50)])
@pytest.mark.parametrize("count", [0, 1, 2, 8, 16])
def test_every_size_shows_ram_and_all_gpus(
    tmp_path: Path, stand_in: StandIn, count: int, columns: int, rows: int
) -> None:
    stand_in.show(many(count))
    with monitor(tmp_path, stand_in, columns=columns, rows=rows) as terminal:
        terminal.wait(lambda screen: "RAM" in screen)
        if rows > 4 or count <= 8:
            terminal.wait(lambda screen: all(f" {11 + index}" in screen for index in range(count)))
        else:
            terminal.wait_for("16×Stand-in")
            terminal.wait_for("296/1280")
        terminal.type("q")
        assert terminal.end() == 0
        assert_restored(terminal)


def test_it_follows_the_size_of_the_terminal(tmp_path: Path, stand_in: StandIn) -> None:
    with monitor(tmp_path, stand_in, "--interval", "10") as terminal:
        terminal.wait_for("3.0/24.0 GiB")
        terminal.wait_for("q quit")
        terminal.resize(30, 4)
        terminal.wait(lambda screen: "3/24" in screen and "q quit" not in screen)
        terminal.resize(10, 2)
        terminal.wait(lambda screen: "RAM" in screen and "%" in screen)
        terminal.resize(200, 50)
        terminal.wait_for("3.0/24.0 GiB")
        terminal.wait_for("memory")


def test_it_follows_the_size_where_nobody_can_type(tmp_path: Path, stand_in: StandIn) -> None:
    quoted = f'exec "{sys.executable}" -m tui monitor --interval 10 </dev/null'
    with monitor(tmp_path, stand_in, command=["sh", "-c", quoted]) as terminal:
        terminal.wait_for("3.0/24.0 GiB")
        terminal.resize(30, 4)
        terminal.wait(lambda screen: "3/24" in screen and "RAM" in screen)
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
        assert_restored(terminal)


def test_a_terminal_that_goes_while_it_is_opened_is_the_end_and_no_defect() -> None:
    ours, theirs = pty.openpty()
    os.close(ours)
    with Wake(theirs, theirs, screen=True) as wake, pytest.raises(OSError, match="Input/output error"):
        Screen(wake, theirs, theirs).open()
    os.close(theirs)


def test_only_lines_that_changed_are_written(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.show(many(2))
    with monitor(tmp_path, stand_in, "--interval", "10", columns=40, rows=10) as terminal:
        terminal.wait_for("12/80")
        mark = len(terminal.raw)
        terminal.type("p")
        terminal.wait_for("paused")
        changed = bytes(terminal.raw[mark:])
        assert b"paused" in changed
        assert b"12/80" not in changed


def test_figures_move(tmp_path: Path, stand_in: StandIn) -> None:
    with monitor(tmp_path, stand_in, "--interval", "0.2") as terminal:
        terminal.wait_for("3.0/24.0 GiB")
        stand_in.show([FakeGpu(used=17 * GIB, free=6 * GIB), two_gpus()[1]])
        terminal.wait_for("17.0/24.0 GiB")
        gpus = two_gpus()
        gpus[1].errors = {"all": 15}
        stand_in.show(gpus)
        terminal.wait_for("lost: it has fallen off the bus")
        terminal.wait_for("3.0/24.0 GiB")


def test_keys(tmp_path: Path, stand_in: StandIn) -> None:
    gpus = two_gpus()
    gpus[0].compute = [(os.getpid(), 2 * GIB)]
    stand_in.show(gpus)
    with monitor(tmp_path, stand_in, columns=100, rows=30) as terminal:
        terminal.wait_for("no process listed")
        terminal.wait_for("every 1 s")
        terminal.type("+")
        terminal.wait_for("every 2 s")
        terminal.type("---")
        terminal.wait_for("every 0.2 s")
        terminal.type("s")
        terminal.wait_for("sorted by pid")
        terminal.type("m")
        terminal.wait_for("sorted by memory")
        terminal.type("e")
        terminal.wait(lambda screen: "no process listed" not in screen)
        terminal.type("t")
        terminal.wait_for("no process listed")
        terminal.type("?")
        terminal.wait_for("p or space pause")
        terminal.type("\x1b[A")  # an arrow closes the help and does nothing else
        terminal.wait(lambda screen: "p or space pause" not in screen)
        terminal.type(" ")
        terminal.wait_for("paused")
        stand_in.show([FakeGpu(used=17 * GIB, free=6 * GIB)])
        terminal.type("p")
        terminal.wait_for("17.0/24.0 GiB")
        terminal.type("q")
        assert terminal.end() == 0
        assert_restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_leaves_the_terminal_as_it_was(tmp_path: Path, stand_in: StandIn, number: signal.Signals) -> None:
    with monitor(tmp_path, stand_in, "--interval", "10") as terminal:
        terminal.wait_for("RAM")
        terminal.signal(number)
        assert terminal.end() == 128 + number
        assert_restored(terminal)


def test_control_c_ends_it(tmp_path: Path, stand_in: StandIn) -> None:
    with monitor(tmp_path, stand_in) as terminal:
        terminal.wait_for("RAM")
        terminal.type("\x1b[27q")  # a sequence that ends in the letter is no key
        terminal.type("+")
        terminal.wait_for("every 2 s")
        terminal.type("\x03")
        assert terminal.end() == 128 + signal.SIGINT
        assert_restored(terminal)


def test_a_crash_leaves_the_terminal_as_it_was(tmp_path: Path, stand_in: StandIn) -> None:
    script = (
        "import sys\n"
        "from tui.cli.main import main\n"
        "from tui.cli.meter import look\n"
        "whole, seen = look.Eyes.look, []\n"
        "def broken(self, wait_s=None):\n"
        "    seen.append(1)\n"
        "    if len(seen) > 2: raise RuntimeError('a defect of ours')\n"
        "    return whole(self, wait_s)\n"
        "look.Eyes.look = broken\n"
        "sys.exit(main(['monitor', '--interval', '0.2']))\n"
    )
    with monitor(tmp_path, stand_in, command=[sys.executable, "-c", script]) as terminal:
        terminal.wait_for("a defect of ours")
        assert terminal.end() == 1
        assert_restored(terminal)
        assert terminal.raw.index(_CLOSED) < terminal.raw.index(b"a defect of ours")


@pytest.mark.parametrize("hangup", ["heard", "ignored"])
def test_it_ends_when_its_terminal_is_gone(tmp_path: Path, stand_in: StandIn, hangup: str) -> None:
    quoted = f'"{sys.executable}" -m tui monitor --interval 10'
    trap = "trap '' HUP; " if hangup == "ignored" else ""
    terminal = monitor(tmp_path, stand_in, command=["sh", "-c", f"{trap}exec {quoted}"])
    terminal.wait_for("RAM")
    os.close(terminal.fd)
    _pid, status = os.waitpid(terminal.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP


def test_a_driver_that_hangs_from_the_start_leaves_keys_and_ram(tmp_path: Path, stand_in: StandIn) -> None:
    gpus = two_gpus()
    gpus[0].hangs = ["memory"]
    stand_in.show(gpus)
    with monitor(tmp_path, stand_in) as terminal:
        terminal.wait_for("asking the graphics driver")
        terminal.wait_for("RAM")
        stand_in.show(two_gpus())
        terminal.wait_for("3.0/24.0 GiB")
        terminal.type("q")
        assert terminal.end() == 0
        assert_restored(terminal)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a shell with job control")
def test_suspended_and_back(tmp_path: Path, stand_in: StandIn) -> None:
    with monitor(tmp_path, stand_in, command=["bash", "--norc", "--noprofile", "-i"]) as terminal:
        terminal.type(f"'{sys.executable}' -m tui monitor --interval 10\n")
        terminal.wait_for("3.0/24.0 GiB")
        terminal.type("\x1a")
        terminal.wait_for("Stopped")
        terminal.type("echo as$((1+1))before\n")
        terminal.wait_for("as2before")
        terminal.type("fg\n")
        terminal.wait(lambda screen: "3.0/24.0 GiB" in screen and "q quit" in screen)
        terminal.type("q")
        terminal.wait(lambda screen: "3.0/24.0 GiB" not in screen)
        terminal.type("exit $?\n")
        assert terminal.end() == 0


def test_a_terminal_without_escape_sequences_gets_plain_lines(tmp_path: Path, stand_in: StandIn) -> None:
    env = {**environment(tmp_path, stand_in.environ), "TERM": "dumb"}
    command = [sys.executable, "-m", "tui", "monitor", "--interval", "0.2"]
    with Terminal(command, columns=60, rows=12, env=env, cwd=str(ROOT)) as terminal:
        terminal.wait(lambda _screen: terminal.raw.count(b"RAM") >= 2)
        assert "RAM" in terminal.text()
        assert b"\x1b" not in terminal.raw


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "vt100"}])
def test_colour_is_left_out_where_it_is_not_wanted(tmp_path: Path, stand_in: StandIn, plain: dict[str, str]) -> None:
    env = {**environment(tmp_path, stand_in.environ), **plain}
    with Terminal([sys.executable, "-m", "tui", "monitor"], env=env, cwd=str(ROOT)) as terminal:
        terminal.wait_for("3.0/24.0 GiB")
        assert not re.search(rb"\x1b\[(2;)?3\dm", terminal.raw)
        assert b"\x1b[1m" in terminal.raw


def test_ascii_is_ascii(tmp_path: Path, stand_in: StandIn) -> None:
    with monitor(tmp_path, stand_in, "--ascii") as terminal:
        terminal.wait_for("3.0/24.0 GiB")
        assert terminal.raw.isascii()
        assert b"#" in terminal.raw
