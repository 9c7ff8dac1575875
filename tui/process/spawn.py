"""Starts Python modules of this package as child processes with a typed channel, and keeps the tail of their stderr."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tui
from tui.process.async_channel import AsyncChannel
from tui.process.death import meaning, oom_kills

_STDERR_LINES = 200
_LAST_WORDS_S = 1.0
"""How long the last of stderr is waited for; a process that the child started may hold it open for ever."""
_PACKAGE_ROOT = Path(tui.__file__).resolve().parent.parent
_INSTALLED = ("site-packages", "dist-packages")
"""Folders that children find by themselves. In PYTHONPATH they would come before the standard library, and old
backports there would take its place.
"""


@dataclass
class Child:
    """A running child process with its channel."""

    process: asyncio.subprocess.Process
    channel: AsyncChannel[Any, Any]
    stderr: deque[str] = field(default_factory=lambda: deque(maxlen=_STDERR_LINES))
    _oom_kills_before: int | None = None
    _drain: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def ended(self) -> int:
        """Wait for its end, and for the last of its stderr; the return code, negative for a signal."""
        code = await self.process.wait()
        if self._drain is not None:
            await asyncio.wait([self._drain], timeout=_LAST_WORDS_S)
            self._drain.cancel()
        self.channel.close()
        return code

    def why(self, returncode: int) -> str:
        """Why it ended, in words."""
        after = oom_kills()
        ran_out = self._oom_kills_before is not None and after is not None and after > self._oom_kills_before
        return meaning(returncode, out_of_memory=ran_out)

    def kill(self) -> None:
        """End it now."""
        # Not through asyncio: that asks first whether the process has ended, and so takes its exit code away from the
        # thread that waits for it.
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


async def spawn(module: str, arguments: Sequence[str], *, incoming: Any) -> Child:
    """Start `python -m module --fd N --parent PID ARGUMENTS`; messages of type `incoming` come back.

    The child gets a session of its own, so that Ctrl-C in the terminal is the front end's to answer, and no terminal
    at all. Raises RuntimeError off the main thread: the parent-death signal follows the creating thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("child processes must be started from the main thread")
    ours, theirs = socket.socketpair()
    errors, its_errors = socket.socketpair()
    with theirs, its_errors, contextlib.ExitStack() as undo:
        undo.callback(ours.close)
        undo.callback(errors.close)
        # Both are connected before the process starts, so that a cancelled start leaves nothing that nobody ends.
        reader, writer = await asyncio.open_connection(sock=ours)
        undo.callback(writer.close)
        error_reader, error_writer = await asyncio.open_connection(sock=errors)
        undo.callback(error_writer.close)
        process = await _start(module, arguments, theirs.fileno(), its_errors.fileno())
        undo.pop_all()
    child = Child(process, AsyncChannel(reader, writer, incoming), _oom_kills_before=oom_kills())
    drain = _drain(error_reader, error_writer, child.stderr)
    child._drain = asyncio.create_task(drain, name=f"stderr of {process.pid}")
    return child


async def _start(module: str, arguments: Sequence[str], fd: int, stderr: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # a folder named like one of our modules in the working directory must not be imported
        "-m",
        module,
        "--fd",
        str(fd),
        "--parent",
        str(os.getpid()),
        *arguments,
        pass_fds=(fd,),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
        env=environment(),
    )


def environment() -> dict[str, str]:
    """The environment of a child: it finds the modules of this package, and native code starts nothing of its own."""
    variables = dict(os.environ)
    # A failing assertion would start a debugger on the terminal otherwise.
    variables["GGML_NO_BACKTRACE"] = "1"
    if _PACKAGE_ROOT.name not in _INSTALLED:
        paths = [str(_PACKAGE_ROOT), variables.get("PYTHONPATH", "")]
        variables["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return variables


async def _drain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lines: deque[str]) -> None:
    """Keep the last lines of stderr; a line without an end is kept, too."""
    rest = b""
    try:
        while chunk := await reader.read(65536):
            *whole, rest = (rest + chunk).split(b"\n")
            lines.extend(line.decode("utf-8", "replace") for line in whole)
            rest = rest[-65536:]
    except ConnectionError:
        pass  # the other end of a socket, unlike that of a pipe, can break off
    finally:
        writer.close()
        if rest:
            lines.append(rest.decode("utf-8", "replace"))
