"""The engine process: `python -m tui.engine.host`. Its main thread hears requests, its worker thread runs llama.cpp.

It ends when its socket does, when its parent does, or when it is told to. It never writes to the terminal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from tui.engine.protocol import Cancel, Event, Failed, Load, Quit, Request
from tui.hardware.cpu import logical_cpus
from tui.llama.openmp import share_the_cores
from tui.process.channel import Channel
from tui.process.child import adopt, be_modest

_STOP_S = 3.0
"""Longest wait for llama.cpp to free a model before the process ends without that."""


def main(argv: Sequence[str] | None = None) -> None:
    """Serve one engine until the end."""
    parser = argparse.ArgumentParser(prog="tui.engine.host")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--nice", type=int, default=10)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--engines-dir", type=Path, required=True)
    arguments = parser.parse_args(argv)
    adopt(arguments.parent)
    be_modest(arguments.nice)
    share_the_cores(arguments.threads, len(logical_cpus()))
    channel: Channel[Request, Event] = Channel(socket.socket(fileno=arguments.fd), Request)
    _serve(channel, arguments.threads, arguments.engines_dir)
    os._exit(0)  # native threads may still be at work; nothing is left to save


def _serve(channel: Channel[Request, Event], threads: int, engines_dir: Path) -> None:
    first = channel.receive()
    if not isinstance(first, Load):
        channel.send(Failed(kind="input", message="the first request to an engine must be Load"))
        return
    try:
        from tui.engine.worker import Worker  # llama.cpp is loaded here and nowhere earlier
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # missing, another version, or not loadable
        message = f"llama.cpp cannot be used: {error}".encode("utf-8", "replace").decode()
        channel.send(Failed(kind="load", message=message, hint="`puna doctor` says what is installed"))
        return
    worker = Worker(first, threads=threads, engines_dir=engines_dir, send=_quietly(channel))
    worker.start()
    while (request := channel.receive()) is not None:
        if isinstance(request, Quit):
            break
        if isinstance(request, Cancel):
            worker.cancel(request.id)
        elif isinstance(request, Load):
            channel.send(Failed(kind="input", message="a model is loaded already; start another engine"))
        else:
            worker.submit(request)
    worker.stop(_STOP_S)


def _quietly(channel: Channel[Request, Event]) -> Callable[[Event], None]:
    """Sending that does not fail when the front end has gone: the main thread hears the end of the socket."""

    def send(event: Event) -> None:
        with contextlib.suppress(OSError):
            channel.send(event)

    return send


if __name__ == "__main__":
    main()
