"""A child process of `tui.process.spawn` that does what it is told; `python -m tests.rigs.child --fd N --parent PID …`.

The first message says what it is; after that each request is answered or obeyed.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys

import msgspec

from tui.process.channel import Channel
from tui.process.child import adopt, be_modest


class Order(msgspec.Struct, tag=True):
    """`echo TEXT`, `stderr TEXT`, `signal NUMBER`, `exit CODE`, `garbage`, `leave` (a grandchild that keeps stderr)."""

    verb: str
    text: str = ""


class Answer(msgspec.Struct, tag=True):
    """What is told back."""

    text: str = ""
    facts: dict[str, str] = {}


def main() -> None:
    """Serve until the other end is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments, rest = parser.parse_known_args()
    adopt(arguments.parent)
    be_modest(7)
    channel: Channel[Order, Answer] = Channel(socket.socket(fileno=arguments.fd), Order)
    channel.send(Answer(facts=_facts(rest)))
    while (order := channel.receive()) is not None:
        _obey(order, channel, arguments.fd)


def _facts(rest: list[str]) -> dict[str, str]:
    return {
        "arguments": " ".join(rest),
        "session": str(os.getsid(0) == os.getpid()),
        "nice": str(os.nice(0)),
        "backtrace": os.environ.get("GGML_NO_BACKTRACE", ""),
        "stdin": str(sys.stdin.read() == ""),
        "terminal": str(any(os.isatty(fd) for fd in (0, 1, 2))),
        "sigint": str(signal.getsignal(signal.SIGINT) == signal.SIG_IGN),
        "fds": " ".join(sorted(os.listdir("/proc/self/fd"), key=int)) if os.path.isdir("/proc/self/fd") else "",  # noqa: PTH112, PTH208
        "path": os.pathsep.join(sys.path),
    }


def _obey(order: Order, channel: Channel[Order, Answer], fd: int) -> None:
    if order.verb == "echo":
        channel.send(Answer(order.text))
    elif order.verb == "stderr":
        os.write(2, order.text.encode())
        channel.send(Answer("written"))
    elif order.verb == "signal":
        os.kill(os.getpid(), int(order.text))
    elif order.verb == "exit":
        os._exit(int(order.text))
    elif order.verb == "garbage":
        os.write(fd, b"\x00\x00\x00\x01\xc1")
    elif order.verb == "leave":
        if (pid := os.fork()) == 0:
            os.close(fd)
            signal.pause()
        channel.send(Answer(str(pid)))
        os._exit(0)


if __name__ == "__main__":
    main()
