"""One answer: prompt in, tokens out, until the model ends, a stop text comes, room runs out or a person says stop.

It computes nothing by itself: `schedule` asks for its share of the next call, and tells when that was computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tui.engine.beginning import Beginning
from tui.engine.pictures import piece_of
from tui.engine.prefix import is_part
from tui.engine.protocol import Delta, Done, DoneReason, Event, Generate, PromptProgress, Timings
from tui.engine.sequence import Prompt, Sequence
from tui.engine.step import Share
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
    """Carries out one Generate request on one sequence and sends all events but the last; `close` ends it."""

    def __init__(
        self,
        request: Generate,
        beginning: Beginning,
        *,
        model: LoadedModel,
        sequence: Sequence,
        send: Callable[[Event], None],
    ) -> None:
        """Prepare to compute; raises LlamaError (kinds input, context) for a prompt that cannot be."""
        self.request, self.sequence = request, sequence
        self._model, self._send = model, send
        self._clock = _Clock(time.monotonic())
        self._count = self._draws = 0
        self._stream = TextStream(request.stop, thinking=beginning.thinking, begun=beginning.begun)
        self._outbox = Outbox(
            lambda text, channel: send(Delta(request.id, text, channel)), _SEND_EVERY_S, time.monotonic
        )
        self._sampler: Sampler | None = None
        prompt = sequence.prepare(beginning.text)
        self._check_room(prompt)
        self._prompt = sequence.begin(prompt)
        self._pending = self._prompt.tokens[self._prompt.kept :]
        self._clock.prefill_begun = time.monotonic()
        self._tell_progress()

    @property
    def reading(self) -> bool:
        """True until the whole prompt is in the context."""
        return self._sampler is None

    @property
    def decode_rate(self) -> float | None:
        """Tokens a second so far."""
        elapsed = self._clock.last_token - self._clock.first_token
        return (self._draws - 1) / elapsed if elapsed > 0 else None

    def share(self, room: int) -> Share:
        """What to compute next: at most `room` tokens, or a part of an image."""
        tokens = piece_of(self._pending, room)
        if is_part(tokens[0]):
            self._tell_progress(looking=True)
        return Share(self.sequence, tokens, len(tokens) == len(self._pending))

    def computed(self, share: Share, index: int) -> DoneReason | None:
        """`share` was computed, its last token at `index` of the call; why the answer is over, if it is."""
        self._pending = self._pending[len(share.tokens) :]
        if self._sampler is None:
            self._tell_progress()
        return None if self._pending else self._draw(index)

    def recover(self) -> None:
        """A call was aborted for the sake of another answer: do it again, with all that was lost."""
        self._pending = (*self.sequence.recover(), *self._pending)

    def close(self, reason: DoneReason) -> Done:
        """Send what is left of the text; the event to send last."""
        self.free()
        for text, channel in self._stream.finish():
            self._outbox.put(text, channel)
        self._outbox.flush()
        return Done(self.request.id, reason, self._timings())

    def free(self) -> None:
        """Let go of what native memory it has."""
        if self._sampler is not None:
            self._sampler.close()

    def _check_room(self, prompt: Prompt) -> None:
        tokens, n_ctx = len(prompt.tokens), self._model.n_ctx
        if tokens >= n_ctx:
            raise LlamaError(
                "context",
                f"the prompt has {tokens} tokens, but the context holds {n_ctx}, and the answer needs room, too",
                f"shorten it, or reload the model with n_ctx above {tokens}",
            )

    def _tell_progress(self, *, looking: bool = False) -> None:
        total = len(self._prompt.tokens)
        self._send(PromptProgress(self.request.id, total - len(self._pending), total, looking))

    def _draw(self, index: int) -> DoneReason | None:
        """Draw the next token; why the answer is over, if it is."""
        request, model = self.request, self._model
        if self._sampler is None:
            self._clock.prefill_done = time.monotonic()
            self._sampler = Sampler(request.sampling, vocab=model.vocab.handle, n_ctx=model.n_ctx)
            for token in self._prompt.tokens:
                if not is_part(token):
                    self._sampler.accept(token)
        if self._count == request.max_tokens:
            return "length"
        token = self._sampler.sample(model.context, index)
        self._tick()
        if model.vocab.is_end(token) and not request.ignore_end:
            return "eog"
        self._count += 1
        for text, channel in self._stream.feed(self._visible(token)):
            self._outbox.put(text, channel)
        if self._stream.stopped:
            return "stop"
        if len(self.sequence.held.tokens) >= model.n_ctx:
            return "context"
        if self._count == request.max_tokens:
            return "length"
        self._pending = (token,)
        return None

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
            decode_tok_s=self.decode_rate,
            n_ctx_used=self.sequence.used,
            n_ctx=self._model.n_ctx,
        )
