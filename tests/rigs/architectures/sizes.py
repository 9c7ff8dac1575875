"""The sizes that a model is made of, and how the recipes write a tensor down: its name and its shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Dims = tuple[int, ...]
"""A tensor's shape in ggml's order, the length of a row first."""
Named = Iterable[tuple[str, Dims]]
PerLayer = int | tuple[int, ...]
"""One number for all layers, or one for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What a recipe needs to know of one model; the names are GGUF's. 0 is "has none"."""

    n_layer: int = 4
    n_embd: int = 256
    n_head: PerLayer = 4
    n_head_kv: PerLayer = 2
    head_dim: int = 0
    """Values per head where the file says so; 0 follows from n_embd and n_head."""
    n_ff: PerLayer = 512
    n_vocab: int = 0
    n_ctx_train: int = 4096
    tied: bool = False
    """The output is the token embedding."""
    window: int = 0
    n_rot: int = 0
    """Values of a head that are rotated, where that is not the whole head."""
    attention_layers: tuple[int, ...] = ()
    """In a hybrid: the layers that have a KV cache; the others are recurrent."""
    mlp_layers: tuple[int, ...] = ()
    """In nemotron-h: the layers that are nothing but a feed-forward network."""
    n_expert: int = 0
    n_expert_used: int = 0
    n_ff_exp: int = 0
    n_ff_shexp: int = 0
    n_expert_shared: int = 0
    n_dense_lead: int = 0
    kv_lora: int = 0
    q_lora: int = 0
    value_dim: int = 0
    """In MLA: values per head after decompression."""
    d_conv: int = 0
    d_inner: int = 0
    d_state: int = 0
    dt_rank: int = 0
    n_group: int = 0

    def heads(self, layer: int) -> int:
        """Query heads of one layer."""
        return _at(self.n_head, layer)

    def heads_kv(self, layer: int) -> int:
        """Key and value heads of one layer; 0 where it is recurrent."""
        return _at(self.n_head_kv, layer) if self.is_attention(layer) else 0

    def ff(self, layer: int) -> int:
        """Width of one layer's feed-forward network."""
        return _at(self.n_ff, layer)

    @property
    def head(self) -> int:
        """Values per head."""
        return self.head_dim or self.n_embd // self.heads(0)

    def is_attention(self, layer: int) -> bool:
        """True where the layer has a KV cache."""
        return not self.attention_layers or layer in self.attention_layers


def _at(value: PerLayer, layer: int) -> int:
    return value if isinstance(value, int) else value[layer]
