"""A response's body: the same bytes whoever reads them, and the same ends."""

from __future__ import annotations

import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import httpx2
import pytest

from tests.rigs.hub.certificate import certificate
from tui.hub.downloads.body import MOST_BYTES, read_body

DATA = random.Random(7).randbytes(1_000_003)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000003\r\n\r\n"


@contextmanager
def answering(*pieces: bytes, secured: bool = False, hold: bool = False) -> Iterator[httpx2.Response]:
    """The response of a server that sends these pieces; with `hold` it then says nothing until the block ends."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            if secured:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate())
                line = context.wrap_socket(line, server_side=True)
            with line, suppress(OSError):
                line.recv(1 << 16)
                for piece in pieces:
                    line.sendall(piece)
                if hold:
                    ended.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        trusted = ssl.create_default_context(cafile=str(certificate())) if secured else False
        address = f"http{'s' if secured else ''}://127.0.0.1:{server.getsockname()[1]}/"
        try:
            with (
                httpx2.Client(verify=trusted, trust_env=False) as client,
                client.stream("GET", address) as response,
            ):
                yield response
        finally:
            ended.set()
            thread.join()


def read(response: httpx2.Response, silence_s: float = 30.0, most: Callable[[], int] = lambda: MOST_BYTES) -> bytes:
    with closing(read_body(response, silence_s, most)) as pieces:
        return b"".join(bytes(piece) for piece in pieces)


@pytest.mark.parametrize("secured", [False, True])
@pytest.mark.parametrize("along", [0, 1, 100_000, len(DATA)])
def test_nothing_is_lost_of_what_comes_along_with_the_headers(secured: bool, along: int) -> None:
    with answering(HEAD + DATA[:along], DATA[along:], secured=secured, hold=True) as response:
        assert read(response) == DATA


@pytest.mark.parametrize("secured", [False, True])
def test_the_connection_itself_is_read_and_no_piece_is_larger_than_was_asked_for(secured: bool) -> None:
    with answering(HEAD, DATA, secured=secured) as response, closing(read_body(response, 30.0, lambda: 5000)) as pieces:
        sizes = [(type(piece), len(piece)) for piece in pieces][1:]
    assert {kind for kind, _ in sizes} == {memoryview}
    assert max(size for _, size in sizes) <= 5000


def test_what_is_framed_is_read_by_the_client() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (DATA[:300_000], DATA[300_000:])]
    with answering(head, *chunks, b"0\r\n\r\n", hold=True) as response:
        assert read(response) == DATA


@pytest.mark.parametrize("secured", [False, True])
def test_a_body_that_ends_too_soon_ends(secured: bool) -> None:
    with answering(HEAD, DATA[:500_000], secured=secured) as response:
        assert read(response) == DATA[:500_000]


@pytest.mark.parametrize("secured", [False, True])
def test_silence_is_the_clients_error(secured: bool) -> None:
    with answering(HEAD, DATA[:500_000], secured=secured, hold=True) as response:
        pieces = read_body(response, 0.2)
        with closing(pieces), pytest.raises(httpx2.ReadTimeout):
            sum(len(piece) for piece in pieces)


def test_an_empty_body_is_nothing() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", hold=True) as response:
        assert read(response) == b""
