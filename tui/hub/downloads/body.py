"""The body of a response, read from its connection into one buffer, past the client's own parser.

The client copies each piece twice, hands over at most 64 KiB (of TLS one record, 16 KiB), and every piece is a
moment in which this thread waits for the interpreter while the screen draws. Where a body is anything but so many plain
bytes, or the connection anything but one socket, the client reads it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2

MOST_BYTES = 256 << 10
"""Read at once: what a kill could take before it is written."""

Piece = bytes | memoryview


def read_body(
    response: httpx2.Response, silence_s: float, most: Callable[[], int] = lambda: MOST_BYTES
) -> Generator[Piece, None, None]:
    """The pieces as they come; each is there until the next is asked for. `most` says how many bytes to read at once.

    Raises what the client raises, and OSError. A body that ends too soon simply ends.
    """
    pieces, size = response.iter_raw(), _plain_size(response)
    line = _line(response) if size is not None else None
    if size is None or line is None:
        yield from pieces
        return
    # The first piece is all that the client has read together with the headers; from there on nobody else reads.
    left = size
    for piece in pieces:
        left -= len(piece)
        yield piece
        break
    buffer = memoryview(bytearray(min(MOST_BYTES, max(left, 0))))
    while left > 0:
        got = _received(line, buffer[: min(left, max(1, most()))], response, silence_s)
        if not got:
            return
        left -= got
        yield buffer[:got]


def _received(line: socket.socket, buffer: memoryview, response: httpx2.Response, silence_s: float) -> int:
    """How many bytes came: at least one, of TLS as many records as are there; 0 at the end of the connection."""
    import httpx2

    try:
        line.settimeout(silence_s)
        got = line.recv_into(buffer)
    except TimeoutError as error:
        raise httpx2.ReadTimeout(str(error), request=response.request) from error
    if not isinstance(line, ssl.SSLSocket):
        return got
    line.settimeout(0)
    with suppress(OSError):  # nothing more is there; if it is worse, the next call hears of it, too
        while got < len(buffer) and (more := line.recv_into(buffer[got:])):
            got += more
    return got


def _plain_size(response: httpx2.Response) -> int | None:
    """Bytes of a body that is nothing but itself; None where it is framed, or does not say how long it is."""
    length = response.headers.get("content-length", "")
    if response.http_version != "HTTP/1.1" or "transfer-encoding" in response.headers or not length.isdecimal():
        return None
    return int(length)


def _line(response: httpx2.Response) -> socket.socket | None:
    """The socket that gives the body as it is; None for TLS within the TLS of a proxy, which has none."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return None
    line, secured = stream.get_extra_info("socket"), stream.get_extra_info("ssl_object") is not None
    whole = isinstance(line, ssl.SSLSocket) if secured else isinstance(line, socket.socket)
    return line if whole else None
