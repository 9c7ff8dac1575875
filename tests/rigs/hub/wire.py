"""One HTTP request to the hub and its reply, with whatever goes wrong on the way. What travelled is counted."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from tests.rigs.hub.content import Content, of_bytes
from tests.rigs.hub.faults import Answer, Corrupt, Cut, Fault, FaultPlan, IgnoreRange, Reset, Slow, Stall, WrongLength

_PIECE = 1 << 16
"""Bytes that are sent at a time."""
_CATCH_UP_S = 0.02


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    method: str
    path: str
    """Still quoted, without the query."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    """Names in small letters."""
    body: bytes
    fault: Fault | None

    @property
    def token(self) -> str | None:
        """What was sent as a token; None without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme == "Bearer" else None

    def one(self, name: str, default: str = "") -> str:
        """A value of the query."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: bytes `start` to `stop` of `content`."""

    status: int
    headers: Mapping[str, str]
    content: Content
    start: int
    stop: int


@dataclass(slots=True)
class Seen:
    """A request that arrived, and what became of it."""

    route: str
    request: Request
    status: int = 0
    sent_bytes: int = 0
    """Bytes of the body that were handed to the connection; what the other side took may be less."""

    @property
    def path(self) -> str:
        """Still quoted, without the query."""
        return self.request.path

    @property
    def token(self) -> str | None:
        """What was sent as a token; None without one."""
        return self.request.token


@dataclass(slots=True)
class Ledger:
    """What the servers of one hub share."""

    faults: FaultPlan = field(default_factory=FaultPlan)
    closing: threading.Event = field(default_factory=threading.Event)
    seen: list[Seen] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    """Errors of the hub itself."""


Find = Callable[[Request], tuple[str, Callable[[Request], Reply]]]
"""The route of a request by its name, and what answers there."""


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A value as JSON."""
    return plain_reply(json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})})


def plain_reply(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """These bytes."""
    return Reply(status, headers or {}, of_bytes(body), 0, len(body))


def error_reply(status: int, code: str = "", message: str = "", headers: Mapping[str, str] | None = None) -> Reply:
    """An error as the Hub words it: a code in one header, a sentence in another."""
    named = {"X-Error-Code": code, "X-Error-Message": message}
    return json_reply({"error": message}, status, {**{k: v for k, v in named.items() if v}, **(headers or {})})


class Server(ThreadingHTTPServer):
    """One origin. Closing it ends every connection and waits for their threads."""

    daemon_threads = False

    def __init__(self, ledger: Ledger, find: Find) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ledger, self.find = ledger, find
        self._live: set[socket.socket] = set()
        self._loop = threading.Thread(target=self.serve_forever, args=(0.01,), name="loopback hub")
        self._loop.start()

    @property
    def origin(self) -> str:
        """Its address, as a URL without a path."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        """Let go of everything; the ledger is closing by now."""
        self.shutdown()
        self._loop.join()
        for connection in list(self._live):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._live.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self._live.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        import sys

        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError):
            self.ledger.errors.append(error)


class _Pace:
    """An even pace; a pause that took too long is made up for, as far as a line's buffers would."""

    def __init__(self, bytes_s: int) -> None:
        self._bytes_s, self._free_at = bytes_s, time.monotonic()

    def due(self, size: int) -> float:
        """Seconds to wait after `size` bytes."""
        now = time.monotonic()
        self._free_at = max(self._free_at, now - _CATCH_UP_S) + size / self._bytes_s
        return max(0.0, self._free_at - now)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_GET

    def _serve(self) -> None:
        server = cast(Server, self.server)
        request = self._request()
        route, answer = server.find(request)
        seen = Seen(route, request)
        server.ledger.seen.append(seen)
        fault = server.ledger.faults.take(route, self.path)
        if isinstance(fault, Answer):
            reply = _answered(fault)
        else:
            if isinstance(fault, IgnoreRange):
                request = replace(request, headers={k: v for k, v in request.headers.items() if k != "range"})
            reply = _bent(answer(replace(request, fault=fault)), fault)
        seen.status = reply.status
        self._send(reply, fault, seen, server.ledger.closing)

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        query = parse_qs(parts.query, keep_blank_values=True)
        return Request(self.command, parts.path, query, headers, body, None)

    def _send(self, reply: Reply, fault: Fault | None, seen: Seen, closing: threading.Event) -> None:
        last = fault.after if isinstance(fault, Stall | Cut | Reset) else reply.stop - reply.start
        if last is not None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(reply.stop - reply.start))
            self.end_headers()
            if self.command != "HEAD":
                self._send_body(reply, min(reply.stop, reply.start + last), fault, seen, closing)
        self._end(fault, closing)

    def _send_body(self, reply: Reply, stop: int, fault: Fault | None, seen: Seen, closing: threading.Event) -> None:
        piece = max(1, min(_PIECE, fault.bytes_s // 20)) if isinstance(fault, Slow) else _PIECE
        pace = _Pace(fault.bytes_s) if isinstance(fault, Slow) else None
        for at in range(reply.start, stop, piece):
            data = reply.content.read(at, min(at + piece, stop))
            # Counted first: the other side may be done before this thread goes on.
            seen.sent_bytes += len(data)
            self.wfile.write(data)
            if pace is not None and closing.wait(pace.due(len(data))):
                break

    def _end(self, fault: Fault | None, closing: threading.Event) -> None:
        if isinstance(fault, Stall):
            closing.wait()
        if isinstance(fault, Stall | Cut):
            self.close_connection = True
        if isinstance(fault, Reset):
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # The files made of the socket keep it open, so its descriptor itself is closed.
            os.close(self.connection.detach())


def _answered(fault: Answer) -> Reply:
    reply = error_reply(fault.status, fault.error_code, fault.message, dict(fault.headers))
    if not fault.body:
        return reply
    return plain_reply(fault.body, fault.status, {**dict(fault.headers), "Content-Type": fault.content_type})


def _bent(reply: Reply, fault: Fault | None) -> Reply:
    if isinstance(fault, Corrupt):
        return replace(reply, content=reply.content.flipped(fault.at))
    if isinstance(fault, WrongLength):
        stop, read = reply.stop, reply.content.read
        longer = Content(stop + max(0, fault.by), reply.content.sha256, lambda a, b: read(a, min(b, stop)).ljust(b - a))
        return replace(reply, content=longer, stop=max(reply.start, stop + fault.by))
    return reply
