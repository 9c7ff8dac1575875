"""The dry-run process: `python -m tui.fit.dry_run`. It asks llama.cpp where models would lie, one question at a time.

It may be ended by a header at any moment; its client starts another one. It never writes to the terminal.
"""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Sequence

from tui.fit.questions import KeepHeader, ListDevices, NotTried, Ready, Reply, Request
from tui.process.channel import Channel
from tui.process.child import adopt, be_modest


def main(argv: Sequence[str] | None = None) -> None:
    """Answer until the socket ends."""
    parser = argparse.ArgumentParser(prog="tui.fit.dry_run")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--nice", type=int, default=0)
    arguments = parser.parse_args(argv)
    adopt(arguments.parent)
    be_modest(arguments.nice)
    channel: Channel[Request, Reply] = Channel(socket.socket(fileno=arguments.fd), Request)
    try:
        _serve(channel)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the front end has gone
    os._exit(0)  # nothing is left to save, and native code frees for a while


def _serve(channel: Channel[Request, Reply]) -> None:
    try:
        from tui.fit.layouts import Layouts  # llama.cpp is loaded here and nowhere earlier
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # missing, another version, or not loadable
        channel.send(Ready(f"llama.cpp cannot be used: {error}".encode("utf-8", "replace").decode(), serves=False))
        return
    layouts = Layouts()
    channel.send(layouts.ready())
    while (request := channel.receive()) is not None:
        if isinstance(request, KeepHeader):
            layouts.keep(request)
        elif isinstance(request, ListDevices):
            channel.send(layouts.devices(request.id))
        else:
            reply = layouts.answer(request)
            channel.send(reply)
            if isinstance(reply, NotTried) and reply.is_last:
                return


if __name__ == "__main__":
    main()
