"""Runs a stranger's code in this thread within bounds of time and memory. Engine process only.

Three bounds back each other up. An exception thrown into the thread ends any loop of Python code; a limit on address
space makes the allocator refuse what is too much; and since one native operation (comparing two lists nested into each
other, say) can go on for years where no exception arrives and no other thread gets a turn, a watchdog that needs no
turn ends the whole process at last. The front end is told, as of any other end.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MEMORY_BYTES = 1 << 30
"""The longest prompts of today need a small part of it."""
_STDERR = 2


class TimeUp(BaseException):
    """Thrown into the running code; no Exception, so that code which swallows those does not swallow it."""


def bounded(work: Callable[[], T], *, time_limit_s: float) -> T:
    """The result of `work`. Raises TimeUp after `time_limit_s`, MemoryError when it asks for more than MEMORY_BYTES
    on top of what this process has; at three times the time limit the process ends.
    """

    def limited() -> T:
        with _memory_limit(MEMORY_BYTES):
            return work()

    faulthandler.dump_traceback_later(3 * time_limit_s, exit=True, file=_STDERR)
    try:
        return _within_time(limited, time_limit_s)  # its thread needs memory to start, so it is outside of that limit
    finally:
        faulthandler.cancel_dump_traceback_later()


def _within_time(work: Callable[[], T], time_limit_s: float) -> T:
    """Run `work` in this thread; after `time_limit_s` TimeUp is thrown into it between two bytecodes."""
    thread = ctypes.c_ulong(threading.get_ident())
    lock, over = threading.Lock(), False

    def throw() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeUp))

    timer = threading.Timer(time_limit_s, throw)
    timer.daemon = True
    timer.start()
    try:
        return work()
    finally:
        with lock:
            over = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # one that was thrown but has not yet arrived
        timer.cancel()


@contextlib.contextmanager
def _memory_limit(extra_bytes: int) -> Iterator[None]:
    """Let this process grow by `extra_bytes` of address space at most; Linux only, elsewhere the limit does nothing."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _address_space_bytes() + extra_bytes
    if any(bound != resource.RLIM_INFINITY and bound <= limit for bound in (soft, hard)):  # stricter already
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _address_space_bytes() -> int:
    import resource

    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
