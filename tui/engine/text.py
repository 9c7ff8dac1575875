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
    seen. However the bytes are cut into tokens, the same texts come out: of several marks that of the earliest end
    counts.
    """

    def __init__(self, stop: Sequence[str] = (), *, thinking: str = "", begun: bool = False) -> None:
        """`stop` texts end the answer, are not part of it, and mean nothing inside thinking; `thinking` is the opening
        tag of the thinking that the prompt ended in, if it did; `begun`: some of the answer is there already.
        """
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(text for text in stop if text)
        self._pending = ""
        self._closing = dict(THINKING_TAGS)[thinking] if thinking else ""
        self._seen_text = begun
        self._trim = bool(thinking)
        self.stopped = False

    def feed(self, piece: bytes) -> Iterator[tuple[str, Channel]]:
        """The text that became certain with this piece."""
        if not self.stopped:
            yield from self._take(self._decoder.decode(piece))
            hold = 0 if self.stopped else held_back(self._pending, (*self._tags(), *self._stops()))
            yield from self._out(len(self._pending) - hold)

    def finish(self) -> Iterator[tuple[str, Channel]]:
        """What was held back; a character that was never completed is dropped."""
        if not self.stopped:
            yield from self._out(len(self._pending))

    def _take(self, text: str) -> Iterator[tuple[str, Channel]]:
        """Add `text`, and act on the marks that are complete now."""
        self._pending += text
        self._trim_newlines()
        while (found := self._next_mark()) is not None:
            at, mark = found
            if mark in self._stops():
                self._pending, self.stopped = self._pending[:at], True
                return
            yield from self._out(at)
            self._pending = self._pending[len(mark) :]
            self._closing = "" if self._closing else dict(THINKING_TAGS)[mark]
            self._trim = True
            self._trim_newlines()

    def _trim_newlines(self) -> None:
        """Line ends that only set the thinking apart are no text."""
        if self._trim:
            self._pending = self._pending.lstrip("\n")
            self._trim = not self._pending

    def _tags(self) -> tuple[str, ...]:
        if self._closing:
            return (self._closing,)
        # An opening tag counts only before any text of the answer: later it is something that the model talks about.
        return () if self._seen_text else tuple(opening for opening, _ in THINKING_TAGS)

    def _stops(self) -> tuple[str, ...]:
        return () if self._closing else self._stop

    def _next_mark(self) -> tuple[int, str] | None:
        """Where the mark with the earliest end begins, and the mark."""
        found = []
        for mark in (*self._tags(), *self._stops()):
            at = self._pending.find(mark)
            is_late = not self._closing and mark not in self._stops() and self._pending[:at].strip()
            if at >= 0 and not is_late:
                found.append((at + len(mark), at, mark))
        return min(found)[1:] if found else None

    def _out(self, count: int) -> Iterator[tuple[str, Channel]]:
        text, self._pending = self._pending[:count], self._pending[count:]
        if text and self._closing:
            yield text, "thinking"
        elif text:
            self._seen_text = self._seen_text or bool(text.strip())
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
