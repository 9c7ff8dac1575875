"""Which part of a prompt need not be computed again.

Two questions, answered apart: how much of the new prompt is the same *text* as what the context holds (`Held.match`),
and how much of that the memory can really give back (`reusable`). Getting the second wrong yields fluent, wrong
answers, so llama.cpp's own yes to removing positions is never taken as proof.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


def is_part(token: int) -> bool:
    """Whether an entry among tokens stands for a cell of an image (see `engine.pictures`)."""
    return token < 0


def goes_on(token: int) -> bool:
    """Whether it is not the first cell of its part of the image, so that nothing may be cut before it."""
    return token < 0 and token % 2 == 0


@dataclass
class Held:
    """Tokens of one sequence as they stand in the context, with the bytes they are."""

    tokens: list[int] = field(default_factory=list)
    text: bytearray = field(default_factory=bytearray)
    ends: list[int] = field(default_factory=list)
    """Byte at which each token ends."""
    control: list[bool] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    """Position in the context at which each token stands."""
    behind: list[int] = field(default_factory=list)
    """Position of what follows each token."""

    def add(self, token: int, piece: bytes, *, control: bool, grid: int = 0) -> None:
        """Note one token that was computed. `grid` is for a cell of an image whose cells all stand at one position
        (M-RoPE): that many positions further on stands what follows the image.
        """
        place = self.position(len(self.tokens))
        if grid and goes_on(token):
            place = self.places[-1]
        self.tokens.append(token)
        self.text += piece
        self.ends.append(len(self.text))
        self.control.append(control)
        self.places.append(place)
        self.behind.append(place + (grid or 1))

    def cut(self, count: int) -> None:
        """Forget everything after the first `count` tokens."""
        if count < len(self.tokens):
            del self.tokens[count:], self.ends[count:], self.control[count:], self.places[count:], self.behind[count:]
            del self.text[self.ends[-1] if self.ends else 0 :]

    def position(self, count: int) -> int:
        """Where the token stands, or would, that follows the first `count`."""
        return self.behind[count - 1] if count else 0

    def count(self, last: int) -> int:
        """How many of the tokens a memory holds whose last position is `last`; -1 is an empty one."""
        return self.whole(bisect_right(self.places, last))

    def whole(self, count: int) -> int:
        """The nearest number of tokens up to `count` that ends in no part of an image."""
        while 0 < count < len(self.tokens) and goes_on(self.tokens[count]):
            count -= 1
        return count

    def match(self, prompt: bytes, starts_with_control: Callable[[bytes], bool]) -> int:
        """How many held tokens stand for the beginning of `prompt`.

        Text is compared, not tokens: what a model generated is often split otherwise than the tokenizer would, and
        must not be computed again for that. The cut is made only where the tokenizer cuts too, beside a control
        token, or where the prompt goes on with white space after all that is held. `starts_with_control(rest)` tells
        whether a text begins with a control token.
        """
        most = bisect_right(self.ends, _common_length(self.text, prompt))
        if not most:
            return 0
        rest = prompt[self.ends[most - 1] :]
        if self.control[most - 1] or starts_with_control(rest) or (most == len(self.tokens) and rest[:1].isspace()):
            return most
        # Further back the text is the same on both sides, so the held tokens tell where control tokens are.
        seams = (n for n in range(most - 1, 0, -1) if self.control[n - 1] or self.control[n])
        return next((n for n in seams if not goes_on(self.tokens[n])), 0)

    def same_tokens(self, tokens: Sequence[int]) -> int:
        """How many held tokens are the same as the first of `tokens`."""
        pairs = zip(self.tokens, tokens, strict=False)
        return next((n for n, (held, new) in enumerate(pairs) if held != new), min(len(self.tokens), len(tokens)))


def _common_length(held: bytearray, prompt: bytes) -> int:
    limit = min(len(held), len(prompt))
    if held[:limit] == prompt[:limit]:
        return limit
    low, high = 0, limit  # the first difference lies in [low, high)
    while high - low > 1:
        middle = (low + high) // 2
        if held[low:middle] == prompt[low:middle]:
            low = middle
        else:
            high = middle
    return low


def reusable(matched: int, *, first: int, last: int, n_swa: int, swa_full: bool, recurrent: bool) -> int:
    """How many of `matched` tokens can stay, when memory holds positions `first` to `last` of the sequence.

    A recurrent state cannot be rolled back: all or nothing. A sliding window that was pruned holds what position p
    needs only while `first <= max(0, p - n_swa + 1)`: going further back gives wrong logits though the removal
    succeeds (measured on gemma: off by 4 to 8).
    """
    held = last + 1
    if held <= 0:
        return 0
    if recurrent:
        return held if matched >= held else 0
    position = min(matched, held)
    if n_swa > 0 and not swa_full:
        return position if first <= max(0, position - n_swa + 1) else 0
    return position if first == 0 else 0
