"""Runs a module of this package in a child process once: bytes in, bytes out, and nothing of it reaches the terminal.

For questions that native code answers, or that keep every core busy for a while. The module reads its standard input
and prints its answer; it need not know that it is a child, so it may lie on a floor below this one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import runpy
import sys
import threading
from collections.abc import Sequence

from tui.process.child import adopt, be_modest
from tui.process.death import meaning
from tui.process.spawn import environment

_LAST_LINES = 3


class OnceError(Exception):
    """The child gave no answer; the text says why."""


async def run_once(
    module: str, arguments: Sequence[str] = (), *, request: bytes = b"", timeout_s: float, nice: int = 10
) -> bytes:
    """What `module` printed when it was run as `__main__` with `request` as its standard input.

    Cancelling kills it, and it does not outlive this process. Raises OnceError when it fails or takes longer than
    `timeout_s` seconds, and RuntimeError off the main thread: the parent-death signal follows the creating thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("child processes must be started from the main thread")
    own = [sys.executable, "-P", "-m", "tui.process.once", "--parent", str(os.getpid()), "--nice", str(nice)]
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(
            *own, module, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, env=environment()
        )
    except OSError as error:
        raise OnceError(f"no process could be started ({error.strerror or error})") from error
    try:
        async with asyncio.timeout(timeout_s):
            answer, errors = await process.communicate(request)
    except TimeoutError:
        raise OnceError(f"it did not answer within {timeout_s:.0f} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert process.returncode is not None
    if process.returncode:
        raise OnceError(": ".join([meaning(process.returncode), *_last_words(errors)]))
    return answer


def _last_words(errors: bytes) -> list[str]:
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    return [" / ".join(lines[-_LAST_LINES:])] if lines else []


def main() -> None:
    """Tie this process to its parent, then be the module."""
    parser = argparse.ArgumentParser(prog="tui.process.once")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--nice", type=int, required=True)
    parser.add_argument("module")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    adopt(arguments.parent)
    be_modest(arguments.nice)
    sys.argv = [arguments.module, *arguments.rest]
    runpy.run_module(arguments.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
