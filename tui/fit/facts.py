"""Facts of a model out of the keys of its header: numbers that may be missing, single or one for each layer.

Only reads a mapping; never fails on a value of a kind that it does not expect, which counts as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from tui.fit.architectures import keeps_cache, recurs, slides
from tui.fit.shape import Layer, State
from tui.gguf.header import Value

MOST_LAYERS = 4096
"""Eight times what llama.cpp takes (`LLAMA_MAX_LAYERS`); more in a header is a lie."""
MOST = 1 << 40
"""Larger values make no sense of anything that is counted here."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The keys of one architecture."""

    architecture: str
    metadata: Mapping[str, Value]

    def value(self, key: str) -> Value | None:
        """The value of a key of the architecture; None without one."""
        return self.metadata.get(f"{self.architecture}.{key}")

    def number(self, key: str, otherwise: int = 0) -> int:
        """A count; of one for each layer the largest."""
        found = self.value(key)
        if isinstance(found, tuple):
            return max((item for item in found if _is_count(item)), default=otherwise)
        return found if _is_count(found) else otherwise

    def optional(self, key: str) -> int | None:
        """A single count, or None."""
        found = self.value(key)
        return found if _is_count(found) else None

    def each(self, key: str, n_layer: int, otherwise: tuple[int, ...] | int = 0) -> tuple[int, ...]:
        """A count for each layer (`get_key_or_arr`): an array, one number for all, or what is given."""
        found = self.value(key)
        if isinstance(found, tuple):
            counts = tuple(item if _is_count(item) else 0 for item in found[:n_layer])
            return counts + (0,) * (n_layer - len(counts))
        if _is_count(found):
            return (found,) * n_layer
        return otherwise if isinstance(otherwise, tuple) else (otherwise,) * n_layer

    def block_counts(self) -> tuple[int, int]:
        """Layers that compute, and all blocks including those that only draft further tokens."""
        blocks = min(self.number("block_count"), MOST_LAYERS)
        return blocks - min(blocks, self.number("nextn_predict_layers")), blocks

    def state(self, n_head: int) -> State:
        """What a recurrent layer keeps (`llama_hparams::n_embd_r` and `n_embd_s`)."""
        n_embd = self.number("embedding_length")
        if head := self.number("wkv.head_size"):
            return State(conv=self.number("token_shift_count", 2) * n_embd, recurrent=n_embd * head, d_inner=n_embd)
        if cache := self.number("shortconv.l_cache"):
            return State(conv=n_embd * (cache - 1), d_inner=n_embd, short=True)
        kernel = self.number("ssm.conv_kernel")
        if head := self.number("kda.head_dim"):
            conv = 3 * (kernel - 1 if kernel else 3) * n_head * head
            return State(conv=conv, recurrent=head * head * n_head, d_inner=n_head * head, d_state=head)
        if self.architecture == "minimax-01":
            head = self.number("attention.key_length", n_embd // n_head if n_head else 0)
            return State(recurrent=head * head * n_head, d_inner=n_head * head, d_state=head)
        d_inner, d_state = self.number("ssm.inner_size"), self.number("ssm.state_size")
        n_group = self.number("ssm.group_count")
        conv = max(0, kernel - 1) * (d_inner + 2 * n_group * d_state)
        steps = self.number("ssm.time_step_rank") if n_group else d_inner
        return State(
            conv=conv, recurrent=d_state * d_inner, d_inner=d_inner, d_state=d_state, n_group=n_group, steps=steps
        )

    def layers(self) -> tuple[int, tuple[Layer, ...]]:
        """The window in tokens, and every layer that computes, without its weights."""
        n_layer, _ = self.block_counts()
        heads = self.each("attention.head_count", n_layer)
        heads_kv = self.each("attention.head_count_kv", n_layer, heads)
        n_ff = self.each("feed_forward_length", n_layer)
        window, sliding = slides(
            self.architecture,
            n_layer,
            self.optional("attention.sliding_window"),
            self.value("attention.sliding_window_pattern"),
        )
        interval, flags = self.optional("full_attention_interval"), self.value("attention.recurrent_layers")
        recurrent = recurs(self.architecture, n_layer, heads_kv, n_ff, interval, flags)
        n_dense = self.number("leading_dense_block_count")
        n_shared = min(n_layer, self.number("attention.shared_kv_layers"))
        head = self.number("embedding_length") // heads[0] if heads and heads[0] else 0
        key, value = self.number("attention.key_length", head), self.number("attention.value_length", head)
        key_slides = self.number("attention.key_length_swa", key)
        value_slides = self.number("attention.value_length_swa", value)
        return window, tuple(
            Layer(
                n_head=heads[layer],
                n_head_kv=heads_kv[layer],
                key_length=key_slides if sliding[layer] else key,
                value_length=value_slides if sliding[layer] else value,
                n_ff=n_ff[layer],
                slides=sliding[layer],
                keeps_cache=keeps_cache(self.architecture, layer, n_layer, n_shared, recurrent[layer]),
                recurrent=recurrent[layer],
                dense=layer < n_dense,
            )
            for layer in range(n_layer)
        )


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MOST
