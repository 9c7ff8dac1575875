"""The front end's end of a channel to a child, in its asyncio loop. Never blocks."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, TypeVar

import msgspec

from tui.process.channel import HEADER, body_length, encode_frame

Incoming = TypeVar("Incoming")
Outgoing = TypeVar("Outgoing")


class AsyncChannel(Generic[Incoming, Outgoing]):
    """What `Channel` is to a child."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, incoming: Any) -> None:
        """Take an open stream pair; `incoming` is the type, or union of tagged types, that arrives."""
        self._reader, self._writer = reader, writer
        self._decoder = msgspec.msgpack.Decoder(incoming)

    def send(self, message: Outgoing) -> None:
        """Queue one message for sending; never blocks. A message that cannot travel raises ChannelError."""
        self._writer.write(encode_frame(message))

    async def receive(self) -> Incoming | None:
        """The next message, or None when the other end is closed."""
        try:
            header = await self._reader.readexactly(HEADER.size)
            body = await self._reader.readexactly(body_length(header))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        message: Incoming = self._decoder.decode(body)
        return message

    def close(self) -> None:
        """Close this end; the other sees end of file."""
        self._writer.close()
