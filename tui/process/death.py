"""What the end of a child process means, in words."""

from __future__ import annotations

import signal
from pathlib import Path

_MEANING = {
    signal.SIGABRT: "native code found something wrong and gave up",
    signal.SIGSEGV: "native code touched memory that is not there",
    signal.SIGBUS: "a mapped file was cut short or its disk failed",
    signal.SIGILL: "native code used an instruction that this CPU does not have",
    signal.SIGFPE: "native code divided by zero",
    signal.SIGKILL: "something killed it",
    signal.SIGTERM: "it was asked to stop",
    signal.SIGHUP: "its terminal went away",
    signal.SIGINT: "it was interrupted",
    signal.SIGXCPU: "its CPU time limit was reached",
}
OUT_OF_MEMORY = "the kernel ended it because memory ran out"


def signal_of(returncode: int) -> int | None:
    """The signal behind a return code as subprocess gives it, or None for an ordinary exit."""
    return -returncode if returncode < 0 else None


def signal_name(number: int) -> str:
    """SIGABRT for 6; "signal 64" for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def meaning(returncode: int, *, out_of_memory: bool = False) -> str:
    """One clause that says why a process with this return code ended."""
    number = signal_of(returncode)
    if number is None:
        return f"it ended by itself with exit code {returncode}"
    if number == signal.SIGKILL and out_of_memory:
        return f"{OUT_OF_MEMORY} (SIGKILL)"
    known = {int(key): text for key, text in _MEANING.items()}
    return f"{known.get(number, 'it was ended')} ({signal_name(number)})"


def oom_kills(proc_root: Path = Path("/proc")) -> int | None:
    """How many processes the kernel has ended for lack of memory since boot, or None where it does not say."""
    try:
        for line in (proc_root / "vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass  # not Linux, or a kernel before 4.13
    return None
