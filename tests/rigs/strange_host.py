"""Engine hosts that misbehave: `python -m tests.rigs.strange_host …` in the place of `tui.engine.host`. What it does is
the model's name.
"""

from __future__ import annotations

import argparse
import os
import socket

from tui.engine.protocol import Event, LoadProgress, Request
from tui.process.channel import Channel
from tui.process.child import adopt


def main() -> None:
    """Read the load request, then misbehave."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments, _ = parser.parse_known_args()
    adopt(arguments.parent)
    channel: Channel[Request, Event] = Channel(socket.socket(fileno=arguments.fd), Request)
    what = os.path.basename(channel.receive().path)  # type: ignore[union-attr]  # noqa: PTH119 - bytes
    channel.send(LoadProgress(0.5))
    if what == b"garbage":
        os.write(arguments.fd, b"\x00\x00\x00\x01\xc1")
    elif what == b"too long":
        os.write(arguments.fd, b"\xff\xff\xff\xff")
    elif what == b"half a frame":
        os.write(arguments.fd, b"\x00\x00\x01\x00half")
        os._exit(3)
    elif what == b"quiet end":
        os._exit(0)
    elif what == b"deaf":
        os.write(2, b"last words")
        os.close(arguments.fd)
        os._exit(4)
    channel.receive()  # wait to be ended


if __name__ == "__main__":
    main()
