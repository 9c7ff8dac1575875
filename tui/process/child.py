"""First acts of a child process: it must not outlive its parent, nor cost the screen its speed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
"""prctl(2)"""
_OOM_SCORE = 600
"""Of -1000 to 1000: when memory runs out the kernel should end the engine, not the shell around it."""


def adopt(parent_pid: int) -> None:
    """Tie this process to the life of `parent_pid`; exit at once when that parent is already gone.

    On Linux the kernel sends SIGKILL when the *thread* that created this process ends, which is why spawning is done
    from the parent's main thread. Elsewhere the end of the socket is the only sign.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def be_modest(nice: int) -> None:
    """Run at `nice`, first in the kernel's line when memory runs out, and without a core dump, which would be as large
    as the model. None of it is worth failing for.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE))


def limit_memory(data_bytes: int) -> None:
    """Let this process have no more memory of its own than this, where the system can limit it: a request for more
    fails, and native code that checks for it reports an error.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (data_bytes, data_bytes))
