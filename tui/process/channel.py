"""Typed messages between two processes over a socket of their own: a 4-byte big-endian length, then MessagePack. This
end is the child's, which starts without asyncio.

stdout is never used for it, because native code prints there.
"""

from __future__ import annotations

import socket
import struct
import threading
from typing import Any, Generic, TypeVar

import msgspec

HEADER = struct.Struct(">I")
"""Goes before each message: its length in bytes."""
MAX_FRAME_BYTES = 256 << 20
"""A message above this is a broken stream, not a message."""

Incoming = TypeVar("Incoming")
Outgoing = TypeVar("Outgoing")


class ChannelError(Exception):
    """Something that is not a message of this protocol was sent, or was about to be."""


def encode_frame(message: Any) -> bytes:
    """One message as it travels. Raises ChannelError for one that cannot."""
    try:
        body = msgspec.msgpack.encode(message)
    except UnicodeEncodeError as error:
        raise ChannelError("a message holds text that is not valid Unicode") from error
    if len(body) > MAX_FRAME_BYTES:
        raise ChannelError(f"a message of {len(body)} bytes is above the limit of {MAX_FRAME_BYTES}")
    return HEADER.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Bytes of the message that `header` announces. Raises ChannelError for more than the limit."""
    length: int = HEADER.unpack(header)[0]
    if length > MAX_FRAME_BYTES:
        raise ChannelError(f"a frame of {length} bytes was announced; the limit is {MAX_FRAME_BYTES}")
    return length


class Channel(Generic[Incoming, Outgoing]):
    """The blocking end, used inside a child. `send` may be called from any thread."""

    def __init__(self, sock: socket.socket, incoming: Any) -> None:
        """`incoming` is the type, or union of tagged types, that arrives."""
        self._socket = sock
        self._decoder = msgspec.msgpack.Decoder(incoming)
        self._lock = threading.Lock()

    def send(self, message: Outgoing) -> None:
        """Send one message. A closed other end raises OSError, a message that cannot travel ChannelError."""
        frame = encode_frame(message)
        with self._lock:
            self._socket.sendall(frame)

    def receive(self) -> Incoming | None:
        """The next message, or None when the other end is closed."""
        header = self._exactly(HEADER.size)
        if header is None:
            return None
        body = self._exactly(body_length(header))
        if body is None:
            return None
        message: Incoming = self._decoder.decode(body)
        return message

    def _exactly(self, count: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(min(count - len(parts), 1 << 20))
            if not part:
                return None
            parts += part
        return bytes(parts)
