"""What a phantom run is asked and what it answers, as values. Imports no llama_cpp."""

from __future__ import annotations

import msgspec

from tui.llama.settings import LoadSettings


class PhantomRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Load this header as if its weights were there, all of them zero, and decode."""

    header: bytes
    """A GGUF file up to its weights, padded to its alignment."""
    data_bytes: int
    """How long the weights would be."""
    settings: LoadSettings
    """Resolved."""
    threads: int
    cpus: int
    """Logical CPUs that the process may run on."""


class PhantomSpeed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How fast it was."""

    prefill_tok_s: float
    prefill_tokens: int
    """Tokens of the prompt that was timed."""
    decode_tok_s: float
    decode_tokens: int
    n_past: int
    """Tokens of context in the middle of the decoding."""
    load_s: float


class PhantomFailed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """llama.cpp refused it."""

    message: str
    hint: str = ""


PhantomAnswer = PhantomSpeed | PhantomFailed
