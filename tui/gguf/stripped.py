"""A header without its vocabulary: all that llama.cpp needs to lay a model out, in 15 to 44 KB instead of megabytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StrippedHeader:
    """The bytes of a GGUF file up to its weights, the tokenizer replaced; every other key and tensor info is kept.

    llama.cpp accepts it as a file once it is extended by `data_bytes`, which may be a hole.
    """

    data: bytes
    """Padded to the file's alignment, so that the weights would begin at its end."""
    data_bytes: int
    """Bytes of weights that the tensor infos speak of."""
    digest: str
    """SHA-256 of `data`, in hexadecimal: what a cache knows it by."""
