"""One sequence of a context: which tokens it holds, and what of a prompt is new to it. Runs in the engine's worker
thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.engine.pictures import Pictures
from tui.engine.prefix import Held, reusable
from tui.engine.prompt_text import PromptText
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel

_LOOK_AHEAD = 256
"""Bytes after a seam that are enough to see whether a control token begins there."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as tokens, of which the first `kept` already stand in the context."""

    tokens: tuple[int, ...]
    kept: int


class Sequence:
    """One pane's part of the context."""

    def __init__(self, model: LoadedModel, number: int, pictures: Pictures | None = None) -> None:
        """`number` is llama.cpp's sequence id; `pictures` are those of all sequences of the model."""
        self._model, self.number = model, number
        self.pictures = pictures or Pictures(model.vocab, None)
        self.held = Held()

    @property
    def used(self) -> int:
        """Tokens in the context, by what llama.cpp's memory itself says of their positions."""
        return self.held.count(self._model.positions(self.number)[1])

    def prepare(self, text: str) -> Prompt:
        """Tokens of `text`, and how many of them can stay in the context. Changes nothing."""
        vocab = self._model.vocab
        raw = text.encode("utf-8", "replace")
        if vocab.adds_bos and vocab.bos and not raw.startswith(vocab.bos):
            raw = vocab.bos + raw
        prompt = PromptText(raw, self.pictures)
        tokens = prompt.tokens_from(0)
        if not tokens:
            raise LlamaError("input", "the prompt is empty", "type something to say")
        same = self.held.same_tokens(tokens)
        matched = self.held.match(prompt.raw, self._starts_with_control)
        if matched > same:
            tokens = [*self.held.tokens[:matched], *prompt.tokens_from(self.held.ends[matched - 1])]
            same = matched
        return Prompt(tuple(tokens), self._reusable(min(same, len(tokens) - 1)))

    def _starts_with_control(self, rest: bytes) -> bool:
        if rest.startswith(b"\0"):  # only an image does
            return True
        first = self._model.vocab.tokenize(rest[:_LOOK_AHEAD], start=False)[:1]
        return bool(first) and self._model.vocab.is_control(first[0])

    def _reusable(self, matched: int) -> int:
        """How many of the first `matched` tokens that are held can stay."""
        model, held = self._model, self.held
        first, last = model.positions(self.number)
        there = held.count(last)
        matched = held.whole(min(matched, there))
        kept = reusable(
            held.position(matched),
            first=first,
            last=held.position(there) - 1,
            n_swa=model.n_swa,
            swa_full=model.settings.swa_full,
            recurrent=model.recurrent,
        )
        return matched if kept else 0

    def begin(self, prompt: Prompt) -> Prompt:
        """Make the context hold exactly what is kept of `prompt`; the prompt with what really could be kept."""
        model = self._model
        if not (prompt.kept and model.keep_until(self.held.position(prompt.kept), sequence=self.number)):
            model.clear(self.number)
            prompt = Prompt(prompt.tokens, 0)
        self.held.cut(prompt.kept)
        return prompt

    def clear(self) -> None:
        """Forget everything."""
        self._model.clear(self.number)
        self.held.cut(0)

    def note(self, tokens: Iterable[int]) -> None:
        """These were computed behind what is held."""
        pictures = self.pictures
        for token in tokens:
            grid = pictures.grid(token)
            self.held.add(token, pictures.piece(token), control=pictures.is_control(token), grid=grid)

    def settle(self) -> None:
        """Forget what the memory lost in a call that failed, and what it has of an image that is not whole."""
        model, held = self._model, self.held
        held.cut(self.used)
        end = held.position(len(held.tokens))
        if model.positions(self.number)[1] >= end and not model.keep_until(end, sequence=self.number):
            self.clear()

    def recover(self) -> tuple[int, ...]:
        """Go on after an aborted call that was not meant for this sequence: the memory is brought back to what is held.
        Tokens that have to be computed again, if not even that can be had.
        """
        held = tuple(self.held.tokens)
        # A recurrent state was overwritten while it was computed, and nothing tells how far.
        kept = 0 if self._model.recurrent else self._reusable(len(held))
        return held[self.begin(Prompt(held, kept)).kept :]
