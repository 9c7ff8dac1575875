"""One answer: prompt in, tokens out, until the model ends, a stop text comes, room runs out or a person says stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tui.engine.protocol import Delta, Done, DoneReason, Event, Generate, PromptProgress, Timings
from tui.engine.sequence import Cancelled, Prompt, Sequence
from tui.engine.text import THINKING_TAGS, Outbox, TextStream
from tui.llama.errors import LlamaError
from tui.llama.model import LoadedModel
from tui.llama.sampler import Sampler

_SEND_EVERY_S = 0.03


@dataclass
class _Clock:
    """When things happened, in seconds of the monotonic clock."""

    begun: float
    prefill_begun: float = 0.0
    prefill_done: float = 0.0
    first_token: float = 0.0
    last_token: float = 0.0


class Generation:
    """Runs one Generate request on one sequence and sends its events."""

    def __init__(
        self,
        request: Generate,
        text: str,
        *,
        model: LoadedModel,
        sequence: Sequence,
        send: Callable[[Event], None],
        on_token: Callable[[float | None], None],
    ) -> None:
        """`text` is the rendered prompt; `on_token` gets the decode rate so far, for whoever watches this engine."""
        self._request, self._text = request, text
        self._model, self._sequence = model, sequence
        self._send, self._on_token = send, on_token
        self._clock = _Clock(time.monotonic())
        self._prompt = Prompt((), 0)
        self._count = 0
        self._draws = 0
        self._outbox = Outbox(
            lambda text, channel: send(Delta(request.id, text, channel)), _SEND_EVERY_S, time.monotonic
        )

    def run(self) -> Done:
        """Send PromptProgress and Delta; the Done to send last. Raises LlamaError for what is told as Failed."""
        reason: DoneReason
        try:
            self._prompt = self._sequence.prepare(self._text)
            self._check_room()
            self._prefill()
            reason = self._answer()
        except Cancelled:
            reason = "cancelled"
        return Done(self._request.id, reason, self._timings())

    def _check_room(self) -> None:
        prompt, n_ctx = len(self._prompt.tokens), self._model.n_ctx
        if prompt >= n_ctx:
            raise LlamaError(
                "context",
                f"the prompt has {prompt} tokens, but the context holds {n_ctx}, and the answer needs room, too",
                f"shorten it, or reload the model with n_ctx above {prompt}",
            )

    def _prefill(self) -> None:
        total = len(self._prompt.tokens)
        self._clock.prefill_begun = time.monotonic()
        self._sequence.prefill(self._prompt, lambda done: self._send(PromptProgress(self._request.id, done, total)))
        self._clock.prefill_done = time.monotonic()

    def _answer(self) -> DoneReason:
        stream = TextStream(self._request.stop, thinking=self._opened_thinking())
        sampler = Sampler(self._request.sampling, vocab=self._model.vocab.handle, n_ctx=self._model.n_ctx)
        try:
            for token in self._prompt.tokens:
                sampler.accept(token)
            reason = self._sample_all(sampler, stream)
        finally:
            sampler.close()
            for text, channel in stream.finish():
                self._outbox.put(text, channel)
            self._outbox.flush()
        return reason

    def _opened_thinking(self) -> str:
        """The tag with which the chat template made the answer begin, if it did."""
        if self._request.messages is None:
            return ""
        end = self._text.rstrip()
        return next((opening for opening, _ in THINKING_TAGS if end.endswith(opening)), "")

    def _sample_all(self, sampler: Sampler, stream: TextStream) -> DoneReason:
        model, sequence, limit = self._model, self._sequence, self._request.max_tokens
        while limit is None or self._count < limit:
            token = sampler.sample(model.context)
            self._tick()
            if model.vocab.is_end(token) and not self._request.ignore_end:
                return "eog"
            self._count += 1
            for text, channel in stream.feed(self._visible(token)):
                self._outbox.put(text, channel)
            if stream.stopped:
                return "stop"
            if len(sequence.held.tokens) >= model.n_ctx:
                return "context"
            if self._count == limit:
                break
            sequence.compute((token,))
            if model.cancel.is_set():  # a GPU finishes its step before it hears of a stop
                return "cancelled"
        return "length"

    def _visible(self, token: int) -> bytes:
        piece = self._model.vocab.piece(token)
        # Control tokens are the format's markup, except where a model's thinking tags are such tokens.
        if self._model.vocab.is_control(token) and not any(
            piece.decode("utf-8", "replace") in tags for tags in THINKING_TAGS
        ):
            return b""
        return piece

    def _tick(self) -> None:
        self._clock.last_token = time.monotonic()
        if not self._draws:
            self._clock.first_token = self._clock.last_token
        self._draws += 1
        self._on_token(self._decode_rate())

    def _decode_rate(self) -> float | None:
        elapsed = self._clock.last_token - self._clock.first_token
        return (self._draws - 1) / elapsed if elapsed > 0 else None

    def _timings(self) -> Timings:
        clock, prompt = self._clock, self._prompt
        fresh = len(prompt.tokens) - prompt.kept
        prefill_s = clock.prefill_done - clock.prefill_begun
        return Timings(
            prompt_tokens=len(prompt.tokens),
            prefilled_tokens=fresh,
            completion_tokens=self._count,
            ttft_s=clock.first_token - clock.begun if clock.first_token else None,
            prefill_tok_s=fresh / prefill_s if prefill_s > 0 else None,
            decode_tok_s=self._decode_rate(),
            n_ctx_used=self._sequence.used,
            n_ctx=self._model.n_ctx,
        )
