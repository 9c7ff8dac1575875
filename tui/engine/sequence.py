"""One sequence of a context: puts a prompt into it, computing only what is new. Runs in the engine's worker thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.engine.prefix import Held, reusable
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel

_LOOK_AHEAD = 256
"""Bytes after a seam that are enough to see whether a control token begins there."""


class Cancelled(Exception):
    """The person asked for a stop."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as tokens, of which the first `kept` already stand in the context."""

    tokens: tuple[int, ...]
    kept: int


class Sequence:
    """One pane's part of the context."""

    def __init__(self, model: LoadedModel, number: int) -> None:
        """`number` is llama.cpp's sequence id."""
        self._model, self.number = model, number
        self.held = Held()

    @property
    def used(self) -> int:
        """Tokens in the context, from llama.cpp's memory itself."""
        return self._model.positions(self.number)[1] + 1

    def prepare(self, text: str) -> Prompt:
        """Tokens of `text`, and how many of them can stay in the context. Changes nothing."""
        vocab = self._model.vocab
        raw = text.encode("utf-8", "replace")
        if vocab.adds_bos and vocab.bos and not raw.startswith(vocab.bos):
            raw = vocab.bos + raw
        tokens = vocab.tokenize(raw, start=False)
        if not tokens:
            raise LlamaError("input", "the prompt is empty", "type something to say")
        same = self.held.same_tokens(tokens)
        matched = self.held.match(raw, self._starts_with_control)
        if matched > same:
            rest = vocab.tokenize(raw[self.held.ends[matched - 1] :], start=False)
            tokens = [*self.held.tokens[:matched], *rest]
            same = matched
        return Prompt(tuple(tokens), self._reusable(min(same, len(tokens) - 1)))

    def _starts_with_control(self, rest: bytes) -> bool:
        first = self._model.vocab.tokenize(rest[:_LOOK_AHEAD], start=False)[:1]
        return bool(first) and self._model.vocab.is_control(first[0])

    def _reusable(self, matched: int) -> int:
        model = self._model
        first, last = model.positions(self.number)
        return reusable(
            matched,
            first=first,
            last=last,
            n_swa=model.n_swa,
            swa_full=model.settings.swa_full,
            recurrent=model.recurrent,
        )

    def prefill(self, prompt: Prompt, on_progress: Callable[[int], None]) -> None:
        """Compute what is new of `prompt`, in calls of n_ubatch tokens; logits of its last token are ready afterwards.

        `on_progress` gets the prompt tokens done so far. Raises Cancelled, or LlamaError (kind decode).
        """
        model = self._model
        if prompt.kept:
            if not model.keep_until(prompt.kept, sequence=self.number):
                model.clear(self.number)
                prompt = Prompt(prompt.tokens, 0)
        else:
            model.clear(self.number)
        self.held.cut(prompt.kept)
        done, total = prompt.kept, len(prompt.tokens)
        on_progress(done)
        while done < total:
            if model.cancel.is_set():  # a GPU does not ask while it computes
                raise Cancelled
            chunk = prompt.tokens[done : done + model.n_ubatch]
            self.compute(chunk, last=done + len(chunk) == total)
            done += len(chunk)
            on_progress(done)

    def compute(self, tokens: tuple[int, ...], *, last: bool = True) -> None:
        """Decode `tokens` after what is held; `last` asks for logits. Raises Cancelled, or LlamaError (kind decode)."""
        model = self._model
        code = model.decode(tokens, len(self.held.tokens), sequence=self.number, output=last)
        if code == 0:
            for token in tokens:
                self.held.add(token, model.vocab.piece(token), control=model.vocab.is_control(token))
            return
        self.held.cut(self.used)  # an aborted call may leave some of its tokens, or none
        if code == 2 or model.cancel.is_set():
            raise Cancelled
        if code == 1:
            raise LlamaError("decode", "llama.cpp found no room in its cache", "reload the model with a larger n_ctx")
        raise LlamaError("decode", f"llama.cpp could not compute the next token (code {code})", "reload the model")
