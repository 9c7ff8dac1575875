"""llama.cpp's own sampler chain, built from SamplingSettings. Child processes only."""

from __future__ import annotations

import ctypes
import secrets
from typing import Any

from tui.llama.binding import L
from tui.llama.settings import SamplingSettings

_DRY_BREAKERS = (b"\n", b":", b'"', b"*")
"""Texts across which DRY sees no repetition (llama.cpp `dry_sequence_breakers`)."""


class Sampler:
    """A chain that draws one token at a time. Close it when done."""

    def __init__(self, settings: SamplingSettings, *, vocab: Any, n_ctx: int) -> None:
        """`vocab` is a llama_vocab *; `n_ctx` in tokens replaces a look-back of -1."""
        self.seed = settings.seed if settings.seed is not None else secrets.randbits(32)
        params = L.llama_sampler_chain_default_params()
        params.no_perf = True
        self._chain: Any = L.llama_sampler_chain_init(params)
        for link in _links(settings, vocab, n_ctx, self.seed):
            L.llama_sampler_chain_add(self._chain, link)

    def sample(self, context: Any, index: int) -> int:
        """Draw from the logits of the token at `index` of the last call for `context`, and remember what was drawn."""
        token: int = L.llama_sampler_sample(self._chain, context, index)
        return token

    def accept(self, token: int) -> None:
        """Remember a token that was not drawn here, for the penalties."""
        L.llama_sampler_accept(self._chain, token)

    def close(self) -> None:
        """Free the chain."""
        if self._chain is not None:
            L.llama_sampler_free(self._chain)
            self._chain = None


def _links(s: SamplingSettings, vocab: Any, n_ctx: int, seed: int) -> list[Any]:
    links = []
    if s.repeat_penalty != 1.0 or s.presence_penalty or s.frequency_penalty:
        last_n = n_ctx if s.repeat_last_n < 0 else s.repeat_last_n
        n_vocab = L.llama_vocab_n_tokens(vocab)
        links.append(
            L.llama_sampler_init_penalties(n_vocab, last_n, s.repeat_penalty, s.frequency_penalty, s.presence_penalty)
        )
    if s.dry_multiplier:
        last_n = n_ctx if s.dry_penalty_last_n < 0 else s.dry_penalty_last_n
        breakers = (ctypes.c_char_p * len(_DRY_BREAKERS))(*_DRY_BREAKERS)
        links.append(
            L.llama_sampler_init_dry(
                vocab, s.dry_multiplier, s.dry_base, s.dry_allowed_length, last_n, breakers, len(_DRY_BREAKERS)
            )
        )
    if s.temperature <= 0:
        return [*links, L.llama_sampler_init_greedy()]
    if s.top_k:
        links.append(L.llama_sampler_init_top_k(s.top_k))
    if s.top_p < 1:
        links.append(L.llama_sampler_init_top_p(s.top_p, 1))
    if s.min_p:
        links.append(L.llama_sampler_init_min_p(s.min_p, 1))
    if s.xtc_probability:
        links.append(L.llama_sampler_init_xtc(s.xtc_probability, s.xtc_threshold, 1, seed))
    return [*links, L.llama_sampler_init_temp(s.temperature), L.llama_sampler_init_dist(seed)]
