"""Images among the tokens of a prompt. Runs in the engine's worker thread.

In the text of a prompt an image stands as a mark with its digest. Among its tokens it stands as what the projector
makes of it: ordinary tokens around one or several parts, and a part is as many entries as it has cells in the cache.
Those entries are negative numbers that mean the same image (or the same slice of it) as long as the engine lives, so
that everything that compares or cuts tokens treats images as it does words. A part is never cut in two.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tui.engine.prefix import goes_on, is_part
from tui.engine.protocol import ImageFile
from tui.llama.errors import LlamaError
from tui.llama.picture import PictureError, digest_of, pixels_of, read_bytes, size_of
from tui.llama.projector import Projector
from tui.llama.vocab import Vocab

_PART = -1
"""Begins the facts of a part among portable numbers; no token is below 0."""
_WORDS = struct.Struct("<8i")
"""A digest as numbers."""
_FACTS = 11
_LARGEST = 1 << 17
"""Tokens of a part, more than any projector makes."""
MOST_EXTRA = 12 << 10
"""Numbers that parts of images may add to as many as there are tokens: a part of fewer tokens than facts is rare."""
NO_PROJECTOR = "this model was loaded without a projector, so it cannot see images"
GET_ONE = "load it with its projector (mmproj); `puna pull MODEL --projector` fetches one"


@dataclass(frozen=True, slots=True)
class Part:
    """What llama.cpp computes at once of an image: all of it, or a slice."""

    digest: str
    index: int
    """Of this part among those of its image."""
    n_tokens: int
    """Cells of the cache that it takes."""
    grid: int
    """Where its cells all stand at one position (M-RoPE), how many positions further on stands what follows."""


def mark(digest: str) -> str:
    """How an image stands in a prompt's text."""
    return f"\0image:{digest}\0"


def unmarked(text: str) -> str:
    """`text` of a person or a model, in which nothing looks like a mark."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def piece_of(tokens: Sequence[int], room: int) -> tuple[int, ...]:
    """The first of `tokens` that can be computed in one call: one part, or up to `room` tokens of text."""
    if tokens and is_part(tokens[0]):
        end = next((n for n in range(1, len(tokens)) if not goes_on(tokens[n])), len(tokens))
        return tuple(tokens[:end])
    return tuple(tokens[: next((n for n, token in enumerate(tokens[:room]) if is_part(token)), room)])


class Pictures:
    """The images that an engine has seen or heard of, and how they are spelled beside the words of its model."""

    def __init__(self, vocab: Vocab, projector: Projector | None) -> None:
        """Without a projector there are none."""
        self.vocab, self._projector = vocab, projector
        self._parts: list[Part] = []
        self._numbers: dict[tuple[str, int], int] = {}
        self._tokens: dict[str, tuple[int, ...]] = {}
        self._files: dict[str, bytes] = {}

    def expect(self, images: Sequence[ImageFile]) -> None:
        """The files of images that are about to be asked for."""
        self._files.update({image.digest: image.path for image in images})

    def tokens_of(self, digest: str) -> tuple[int, ...]:
        """What stands for an image among tokens. Raises LlamaError (kind input) for a file that cannot be used."""
        if digest not in self._tokens:
            if self._projector is None:
                raise LlamaError("input", NO_PROJECTOR, GET_ONE)
            try:
                width, height = size_of(self._read(digest))
            except PictureError as error:
                raise self._unusable(digest, str(error)) from error
            entries: list[int] = []
            index = 0
            for chunk in self._projector.outline(width, height):
                if chunk.is_image:
                    grid = chunk.n_pos if self._projector.in_grids else 0
                    entries += self.entries(Part(digest, index, chunk.n_tokens, grid))
                    index += 1
                else:
                    entries += chunk.tokens
            self._tokens[digest] = tuple(entries)
        return self._tokens[digest]

    def entries(self, part: Part) -> list[int]:
        """What stands for a part among tokens."""
        number = self._numbers.setdefault((part.digest, part.index), len(self._parts))
        if number == len(self._parts):
            self._parts.append(part)
        return [-2 * number - 1, *[-2 * number - 2] * (part.n_tokens - 1)]

    def part(self, token: int) -> Part:
        """The part that an entry is of."""
        return self._parts[(-token - 1) // 2]

    def grid(self, token: int) -> int:
        """As in Part; 0 for a word."""
        return self.part(token).grid if is_part(token) else 0

    def piece(self, token: int) -> bytes:
        """The bytes that stand for a token in a text; all of a part is in its first entry."""
        if not is_part(token):
            return self.vocab.piece(token)
        part = self.part(token)
        return b"" if goes_on(token) else f"\0{part.digest}:{part.index}\0".encode()

    def is_control(self, token: int) -> bool:
        """Whether a text may be cut beside it."""
        return is_part(token) or self.vocab.is_control(token)

    def portable(self, tokens: Sequence[int]) -> list[int]:
        """The same as numbers of 32 bits that mean the same in another engine: each part of an image as its facts."""
        made: list[int] = []
        for token in tokens:
            if not is_part(token):
                made.append(token)
            elif not goes_on(token):
                part = self.part(token)
                made += [_PART, part.index, part.n_tokens, part.grid, *_WORDS.unpack(bytes.fromhex(part.digest))]
        return made

    def known_again(self, numbers: Sequence[int]) -> list[int]:
        """The tokens that were made `portable`; none for what cannot have been."""
        tokens: list[int] = []
        rest = iter(numbers)
        for number in rest:
            if number >= 0:
                tokens.append(number)
                continue
            facts = tuple(islice(rest, _FACTS))
            if number != _PART or len(facts) < _FACTS or min(facts[:3]) < 0 or not 0 < facts[1] <= _LARGEST:
                return []
            index, n_tokens, grid, *words = facts
            tokens += self.entries(Part(_WORDS.pack(*words).hex(), index, n_tokens, grid))
        return tokens

    def compute(self, token: int, sequence: int, position: int) -> int:
        """Look at the part that `token` is of and have `sequence` hold it from `position` on; llama_decode's code."""
        part = self.part(token)
        assert self._projector is not None  # without one there are no parts
        if self._projector.shown != part.digest:
            try:
                pixels = pixels_of(self._read(part.digest))
            except PictureError as error:
                raise self._unusable(part.digest, str(error)) from error
            self._projector.show(part.digest, pixels)
        return self._projector.compute(part.index, part.n_tokens, sequence, position)

    def _read(self, digest: str) -> bytes:
        path = self._path(digest)
        try:
            data = read_bytes(path)
        except OSError as error:
            raise self._unusable(digest, f"cannot be read: {error.strerror}") from error
        if digest_of(data) != digest:
            raise self._unusable(digest, "was changed since it was attached")
        return data

    def _path(self, digest: str) -> Path:
        if digest not in self._files:
            raise LlamaError("input", f"nobody said where the image {digest[:12]} is", "attach it again")
        return Path(os.fsdecode(self._files[digest]))

    def _unusable(self, digest: str, why: str) -> LlamaError:
        return LlamaError("input", f"the image {self._path(digest)} {why}", "attach another, or take it out")
