"""A prompt in which images stand among the words, as bytes and as tokens. Runs in the engine's worker thread."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.engine.pictures import Pictures

_MARK = re.compile(rb"\0image:([0-9a-f]{64})\0")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Part of a prompt: text, or (with `tokens`) an image."""

    start: int
    """Byte at which it begins."""
    raw: bytes
    tokens: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    """Byte at which each of them ends."""


class PromptText:
    """A prompt whose tokens can be had from any byte on. Each image and each text between two is split by itself, as
    mtmd does.
    """

    def __init__(self, text: bytes, pictures: Pictures) -> None:
        """`text` has marks of images (`pictures.mark`). Raises LlamaError (kinds input, settings)."""
        self._pictures = pictures
        self._stretches: list[_Stretch] = []
        self.raw = b""
        """The text with the parts of images spelled out, as `Held` has them."""
        for number, found in enumerate(_MARK.split(text)):
            self._add(pictures.tokens_of(found.decode()) if number % 2 else (), b"" if number % 2 else found)
        if self._stretches and self._stretches[-1].tokens:
            self._add((), b"\n")  # the logits that an answer begins with are those of a word

    def tokens_from(self, at: int) -> list[int]:
        """The tokens of all that is behind byte `at`, where one of them begins."""
        made: list[int] = []
        for stretch in self._stretches:
            if not stretch.tokens:
                rest = stretch.raw[max(0, at - stretch.start) :]
                made += self._pictures.vocab.tokenize(rest, start=False) if rest else []
            elif at <= stretch.start:
                made += stretch.tokens
            else:
                made += [token for token, end in zip(stretch.tokens, stretch.ends, strict=True) if end > at]
        return made

    def _add(self, tokens: tuple[int, ...], raw: bytes) -> None:
        start, ends = len(self.raw), []
        for token in tokens:
            raw += self._pictures.piece(token)
            ends.append(start + len(raw))
        if raw:
            self._stretches.append(_Stretch(start, raw, tokens, tuple(ends)))
            self.raw += raw
