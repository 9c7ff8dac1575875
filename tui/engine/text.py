"""From token bytes to text that can be shown: whole characters, no stop text, thinking apart from the answer. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Sequence

from tui.engine.protocol import Channel

THINKING_TAGS = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("[THINK]", "[/THINK]"))
"""Opening and closing markup by which models set their thinking apart: Qwen, DeepSeek and most others; Granite;
Magistral.
"""


def held_back(text: str, marks: Sequence[str]) -> int:
    """How many characters at the end of `text` could be the beginning of one of `marks`."""
    longest = 0
    for mark in marks:
        for size in range(min(len(mark) - 1, len(text)), longest, -1):
            if text.endswith(mark[:size]):
                longest = size
                break
    return longest


class TextStream:
    """Takes the bytes of one token at a time and gives pieces of (text, channel). `stopped` after a stop text was
    seen.
    """

    def __init__(self, stop: Sequence[str] = (), *, thinking: bool = False) -> None:
        """`stop` texts end the answer and are not part of it; `thinking`: the prompt already opened the thinking."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(text for text in stop if text)
        self._pending = ""
        self._closing = THINKING_TAGS[0][1] if thinking else ""
        self._seen_text = False
        self._trim = thinking
        self.stopped = False

    def feed(self, piece: bytes) -> Iterator[tuple[str, Channel]]:
        """The text that became certain with this piece."""
        if not self.stopped:
            yield from self._take(self._decoder.decode(piece), final=False)

    def finish(self) -> Iterator[tuple[str, Channel]]:
        """What was held back; a character that was never completed is dropped."""
        if not self.stopped:
            yield from self._take("", final=True)

    def _take(self, text: str, *, final: bool) -> Iterator[tuple[str, Channel]]:
        self._pending += text
        if not self._closing:
            self._cut_at_stop()
        while True:
            mark = self._next_mark()
            if mark is None:
                break
            before, _, self._pending = self._pending.partition(mark)
            yield from self._out(before)
            self._switch(mark)
        hold = 0 if final or self.stopped else held_back(self._pending, (*self._marks(), *self._stop))
        ready, self._pending = self._pending[: len(self._pending) - hold], self._pending[len(self._pending) - hold :]
        yield from self._out(ready)

    def _cut_at_stop(self) -> None:
        found = [at for at in (self._pending.find(text) for text in self._stop) if at >= 0]
        if found:
            self._pending, self.stopped = self._pending[: min(found)], True

    def _marks(self) -> tuple[str, ...]:
        if self._closing:
            return (self._closing,)
        # An opening tag counts only before any text of the answer: later it is something that the model talks about.
        return () if self._seen_text else tuple(opening for opening, _ in THINKING_TAGS)

    def _next_mark(self) -> str | None:
        found = [(self._pending.find(mark), mark) for mark in self._marks() if mark in self._pending]
        if not found:
            return None
        at, mark = min(found)
        if not self._closing and self._pending[:at].strip():
            return None
        return mark

    def _switch(self, mark: str) -> None:
        self._trim = True
        if self._closing:
            self._closing = ""
            self._cut_at_stop()
        else:
            self._closing = dict(THINKING_TAGS)[mark]

    def _out(self, text: str) -> Iterator[tuple[str, Channel]]:
        if self._trim:
            text = text.lstrip("\n")
            self._trim = not text
        if not text:
            return
        if self._closing:
            yield text, "thinking"
            return
        if text.strip():
            self._seen_text = True
        yield text, "answer"


class Outbox:
    """Gathers pieces of text and hands them on at most every `every_s` seconds, the first at once.

    Each message wakes the front end, which takes a core from the threads that compute; a screen draws 25 times a
    second anyway.
    """

    def __init__(self, send: Callable[[str, Channel], None], every_s: float, clock: Callable[[], float]) -> None:
        """`send` gets text of one channel at a time."""
        self._send, self._every_s, self._clock = send, every_s, clock
        self._text = ""
        self._channel: Channel = "answer"
        self._sent = float("-inf")

    def put(self, text: str, channel: Channel) -> None:
        """Take one piece."""
        if channel != self._channel:
            self.flush()
            self._channel = channel
        self._text += text
        if self._clock() - self._sent >= self._every_s:
            self.flush()

    def flush(self) -> None:
        """Hand on what was gathered."""
        if self._text:
            self._send(self._text, self._channel)
            self._text, self._sent = "", self._clock()
