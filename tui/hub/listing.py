"""What the starter catalogue, or a search of the Hub, tells of one repository of GGUF files. Values only.

Nothing in it was read from the files themselves: `hub.files` and `hub.header` do that. What is not known is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UseCase = Literal["chat", "writing", "code", "reasoning", "summarising", "vision", "embedding"]
USE_CASES: tuple[UseCase, ...] = ("chat", "writing", "code", "reasoning", "summarising", "vision", "embedding")
"""What models are for, as far as llama.cpp runs them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """One model that can be fetched."""

    repo: str
    """`org/name` of the repository of GGUF files that is proposed."""
    model: str = ""
    """`org/name` of the model that was quantized; empty where it is not known."""
    elsewhere: tuple[str, ...] = ()
    """Other repositories of files of the same model."""
    architecture: str = ""
    """transformers' `model_type`, or llama.cpp's name."""
    parameters: int | None = None
    active_parameters: int | None = None
    """Parameters that one token uses; None for a model without experts."""
    context_length: int | None = None
    """Tokens that it was trained on."""
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    hidden_size: int | None = None
    vocab_size: int | None = None
    experts: int | None = None
    experts_used: int | None = None
    use_cases: tuple[UseCase, ...] = ()
    licence: str | None = None
    """Its identifier, such as apache-2.0."""
    gated: bool = False
    """Somebody has to be asked for access."""
    downloads: int | None = None
    """In the last 30 days."""
    likes: int | None = None
    updated: str | None = None
    """ISO 8601: when the repository last changed, in the catalogue when the model came out."""

    @property
    def name(self) -> str:
        """The model's name without its owner, and without the ending that repositories of GGUF files have."""
        return (self.model or self.repo).rpartition("/")[2].removesuffix("-GGUF").removesuffix("-gguf")

    @property
    def owner(self) -> str:
        """Who keeps the repository."""
        return self.repo.partition("/")[0]
