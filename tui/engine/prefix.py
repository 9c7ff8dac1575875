"""Which part of a prompt need not be computed again.

Two questions, answered apart: how much of the new prompt is the same *text* as what the context holds (`Held.match`),
and how much of that the memory can really give back (`reusable`). Getting the second wrong yields fluent, wrong
answers, so llama.cpp's own yes to removing positions is never taken as proof.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Held:
    """Tokens of one sequence as they stand in the context, with the bytes they are."""

    tokens: list[int] = field(default_factory=list)
    text: bytearray = field(default_factory=bytearray)
    ends: list[int] = field(default_factory=list)
    """Byte at which each token ends."""
    control: list[bool] = field(default_factory=list)

    def add(self, token: int, piece: bytes, *, control: bool) -> None:
        """Note one token that was computed."""
        self.tokens.append(token)
        self.text += piece
        self.ends.append(len(self.text))
        self.control.append(control)

    def cut(self, count: int) -> None:
        """Forget everything after the first `count` tokens."""
        if count < len(self.tokens):
            del self.tokens[count:], self.ends[count:], self.control[count:]
            del self.text[self.ends[-1] if self.ends else 0 :]

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
        return next((n for n in range(most - 1, 0, -1) if self.control[n - 1] or self.control[n]), 0)

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
