"""Messages between two processes: whole, in order, however the socket cuts them, and never a wrong one."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.engine.protocol import (
    Cancel,
    ChatMessage,
    Delta,
    Done,
    Event,
    Failed,
    Generate,
    PromptProgress,
    Request,
    Timings,
)
from tui.llama.settings import SamplingSettings
from tui.process.async_channel import AsyncChannel
from tui.process.channel import MAX_FRAME_BYTES, Channel, ChannelError, encode_frame

EVENTS: tuple[Event, ...] = (
    PromptProgress(1, 2, 3),
    Delta(1, "é漢🌍", "thinking"),
    Done(1, "length", Timings(prompt_tokens=3, decode_tok_s=1.5)),
    Failed(id=1, kind="context", message="m", log=("a", "b")),
)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[AsyncChannel[Event, Request], socket.socket]]:
    """The asyncio end and, raw, the other."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    try:
        yield AsyncChannel(reader, writer, Event), theirs
    finally:
        theirs.close()
        writer.close()


@given(st.sets(st.integers(1, 300), max_size=20))
@settings(max_examples=30)
def test_frames_come_whole_however_they_are_cut(cuts: set[int]) -> None:
    stream = b"".join(encode_frame(event) for event in EVENTS)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]

    async def receive() -> list[Event | None]:
        async with connected() as (channel, theirs):
            for a, b in itertools.pairwise(edges):
                theirs.sendall(stream[a:b])
                await asyncio.sleep(0)
            theirs.shutdown(socket.SHUT_WR)
            return [await channel.receive() for _ in range(len(EVENTS) + 1)]

    assert asyncio.run(receive()) == [*EVENTS, None]
    one, other = socket.socketpair()
    with one, other:
        blocking: Channel[Event, Request] = Channel(one, Event)
        for a, b in itertools.pairwise(edges):
            other.sendall(stream[a:b])
        other.close()
        assert [blocking.receive() for _ in range(len(EVENTS) + 1)] == [*EVENTS, None]


def test_both_ends_understand_each_other(pair: tuple[socket.socket, socket.socket]) -> None:
    host: Channel[Request, Event] = Channel(pair[0], Request)
    front: Channel[Event, Request] = Channel(pair[1], Event)
    request = Generate(id=3, messages=(ChatMessage("user", "hi"),), sampling=SamplingSettings(seed=7), stop=("a", "b"))
    front.send(request)
    front.send(Cancel(3))
    assert host.receive() == request
    assert host.receive() == Cancel(3)
    host.send(EVENTS[1])
    assert front.receive() == EVENTS[1]


def test_a_message_of_megabytes_passes_in_pieces(pair: tuple[socket.socket, socket.socket]) -> None:
    host: Channel[Request, Event] = Channel(pair[0], Request)
    front: Channel[Event, Request] = Channel(pair[1], Event)
    request = Generate(id=1, prompt="é" * 3_000_000, sampling=SamplingSettings())
    sender = threading.Thread(target=front.send, args=(request,))
    sender.start()
    assert host.receive() == request
    sender.join()


def test_threads_that_send_at_once_do_not_mix_their_frames(pair: tuple[socket.socket, socket.socket]) -> None:
    host: Channel[Request, Event] = Channel(pair[0], Request)
    front: Channel[Event, Request] = Channel(pair[1], Event)
    text = "x" * 50_000

    def send_many(number: int) -> None:
        for _ in range(20):
            host.send(Delta(number, text))

    senders = [threading.Thread(target=send_many, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    got = [front.receive() for _ in range(80)]
    for sender in senders:
        sender.join()
    assert sorted(event.id for event in got if isinstance(event, Delta)) == sorted([0, 1, 2, 3] * 20)


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 9])
async def test_an_end_inside_a_frame_is_an_end(cut: int) -> None:
    frame = encode_frame(EVENTS[1])
    async with connected() as (channel, theirs):
        theirs.sendall(frame + frame[:cut])
        theirs.close()
        assert await channel.receive() == EVENTS[1]
        assert await channel.receive() is None
        assert await channel.receive() is None
    one, other = socket.socketpair()
    with one:
        with other:
            other.sendall(frame[:cut])
        blocking: Channel[Event, Request] = Channel(one, Event)
        assert blocking.receive() is None


async def test_a_frame_that_announces_too_much_is_not_waited_for() -> None:
    header = struct.pack(">I", MAX_FRAME_BYTES + 1)
    async with connected() as (channel, theirs):
        theirs.sendall(header)
        with pytest.raises(ChannelError, match="limit"):
            await channel.receive()
    one, other = socket.socketpair()
    with one, other:
        other.sendall(header)
        blocking: Channel[Event, Request] = Channel(one, Event)
        with pytest.raises(ChannelError, match="limit"):
            blocking.receive()


@pytest.mark.parametrize("body", [b"", b"\xff", b"\xc1", b"\x80", msgspec.msgpack.encode({"type": "Nothing"})])
async def test_what_is_no_message_of_the_protocol_is_an_error(body: bytes) -> None:
    async with connected() as (channel, theirs):
        theirs.sendall(struct.pack(">I", len(body)) + body)
        with pytest.raises(ValueError, match=r"."):
            await channel.receive()


def test_settings_that_would_kill_native_code_do_not_pass_the_socket(pair: tuple[socket.socket, socket.socket]) -> None:
    forged = {"type": "Generate", "id": 1, "prompt": "x", "sampling": {"top_k": -5}}
    body = msgspec.msgpack.encode(forged)
    pair[1].sendall(struct.pack(">I", len(body)) + body)
    host: Channel[Request, Event] = Channel(pair[0], Request)
    with pytest.raises(msgspec.ValidationError, match="top_k"):
        host.receive()


def test_text_that_is_not_unicode_is_refused_before_anything_is_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    front: Channel[Event, Request] = Channel(pair[1], Event)
    host: Channel[Request, Event] = Channel(pair[0], Request)
    with pytest.raises(ChannelError, match="Unicode"):
        front.send(Generate(id=1, prompt="\udcff", sampling=SamplingSettings()))
    front.send(Cancel(1))
    assert host.receive() == Cancel(1)


def test_a_message_above_the_limit_is_refused() -> None:
    class Blob(msgspec.Struct):
        data: bytes

    with pytest.raises(ChannelError, match="limit"):
        encode_frame(Blob(bytes(MAX_FRAME_BYTES)))


def test_sending_to_nobody_is_told(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].close()
    front: Channel[Event, Request] = Channel(pair[1], Event)
    with pytest.raises(OSError, match="pipe"):
        front.send(Cancel(1))
