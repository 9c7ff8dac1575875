"""The weights of the tests' models: which tensors an architecture has, their shapes, and what is in them.

Random weights are scaled so that attention really looks around and a different past gives clearly different logits: a
cache that is reused wrongly must show. Scripted weights make the next token a function of the last one and of nothing
else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.rigs.tiny_vocab import Vocabulary

Tensors = dict[str, np.ndarray[Any, np.dtype[np.float32]]]

_SHARPNESS = 2.0
"""Factor on the query and key weights: attention is then far from an average over the whole past."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes a model is made of. Every matrix row is a multiple of 32, so that it can be quantized."""

    n_vocab: int
    n_embd: int = 64
    n_layer: int = 2
    n_head: int = 4
    n_head_kv: int = 2
    n_expert: int = 0
    d_conv: int = 4
    d_state: int = 16

    @property
    def head_dim(self) -> int:
        """Values per head; llama.cpp's flash attention has no kernel below 40 and takes the general path there."""
        return self.n_embd // self.n_head

    @property
    def n_ff(self) -> int:
        return 2 * self.n_embd

    @property
    def d_inner(self) -> int:
        return 2 * self.n_embd

    @property
    def dt_rank(self) -> int:
        return 32

    def is_attention(self, layer: int) -> bool:
        """In a hybrid model every second layer is attention."""
        return layer % 2 == 1


class _Filler:
    """Random tensors by name; each is scaled by its fan-in, as a freshly initialised model is."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.made: Tensors = {}

    def matrix(self, name: str, rows: int, columns: int, scale: float = 1.0, *, experts: int = 0) -> None:
        dims = (experts, rows, columns) if experts else (rows, columns)
        self.made[f"{name}.weight"] = (self.random.standard_normal(dims) * scale / np.sqrt(columns)).astype(np.float32)

    def norm(self, name: str, length: int) -> None:
        self.made[f"{name}.weight"] = (1.0 + 0.1 * self.random.standard_normal(length)).astype(np.float32)


def random_tensors(architecture: str, shape: Shape, words: Vocabulary, seed: int) -> Tensors:
    """Every tensor of one model, in file order; control tokens get a logit of 0, below the best of the others."""
    fill = _Filler(seed)
    fill.matrix("token_embd", shape.n_vocab, shape.n_embd, scale=np.sqrt(shape.n_embd))
    for layer in range(shape.n_layer):
        _layer(fill, architecture, shape, layer)
    fill.norm("output_norm", shape.n_embd)
    if architecture == "gemma3":
        # gemma ties its output to the embedding and multiplies what goes in by sqrt(n_embd).
        # Kept small there, or the tied output would only ever repeat the last token; the last norm makes up for it.
        fill.made["token_embd.weight"] *= np.float32(0.5 / np.sqrt(shape.n_embd))
        fill.made["output_norm.weight"] *= np.float32(6.0)
        fill.made["token_embd.weight"][list(words.control_ids)] *= np.float32(1e-3)
    else:
        fill.matrix("output", shape.n_vocab, shape.n_embd, scale=3.0)
        fill.made["output.weight"][list(words.control_ids)] = 0.0
    return fill.made


def scripted_tensors(shape: Shape, script: Sequence[int], then: int) -> Tensors:
    """A llama whose layers add nothing: dimension k says "the last token was the script's k-th", dimension 0 "was
    none".
    """
    silent = random_tensors("llama", shape, _no_control(), seed=0)
    for name, values in silent.items():
        if name.endswith(("attn_output.weight", "ffn_down.weight")):
            values[:] = 0.0
    silent["output_norm.weight"][:] = 1.0
    into, out = silent["token_embd.weight"], silent["output.weight"]
    into[:], out[:] = 0.0, 0.0
    into[:, 0] = 1.0
    for k, token in enumerate(script, start=1):
        into[token] = 0.0
        into[token, k] = 1.0
        out[token, k - 1] = 20.0
    out[then, len(script)] = 20.0
    return silent


def _no_control() -> Vocabulary:
    return Vocabulary("bpe", (), ())


def _layer(fill: _Filler, architecture: str, shape: Shape, layer: int) -> None:
    block = f"blk.{layer}"
    fill.norm(f"{block}.attn_norm", shape.n_embd)
    if architecture == "mamba" or (architecture == "jamba" and not shape.is_attention(layer)):
        _recurrent(fill, architecture, shape, block)
    else:
        _attention(fill, architecture, shape, block)
    if architecture != "mamba":
        _feed_forward(fill, architecture, shape, block)


def _attention(fill: _Filler, architecture: str, shape: Shape, block: str) -> None:
    wide, narrow = shape.n_head * shape.head_dim, shape.n_head_kv * shape.head_dim
    fill.matrix(f"{block}.attn_q", wide, shape.n_embd, scale=_SHARPNESS)
    fill.matrix(f"{block}.attn_k", narrow, shape.n_embd, scale=_SHARPNESS)
    fill.matrix(f"{block}.attn_v", narrow, shape.n_embd, scale=2.0)
    fill.matrix(f"{block}.attn_output", shape.n_embd, wide, scale=2.0)
    if architecture == "qwen2vl":
        for part, length in (("attn_q", wide), ("attn_k", narrow), ("attn_v", narrow)):
            fill.made[f"{block}.{part}.bias"] = np.zeros(length, dtype=np.float32)
    if architecture == "gemma3":
        fill.norm(f"{block}.attn_q_norm", shape.head_dim)
        fill.norm(f"{block}.attn_k_norm", shape.head_dim)
        fill.norm(f"{block}.post_attention_norm", shape.n_embd)


def _recurrent(fill: _Filler, architecture: str, shape: Shape, block: str) -> None:
    fill.matrix(f"{block}.ssm_in", 2 * shape.d_inner, shape.n_embd)
    fill.matrix(f"{block}.ssm_conv1d", shape.d_inner, shape.d_conv, scale=2.0)
    fill.matrix(f"{block}.ssm_x", shape.dt_rank + 2 * shape.d_state, shape.d_inner, scale=2.0)
    fill.matrix(f"{block}.ssm_dt", shape.d_inner, shape.dt_rank)
    fill.matrix(f"{block}.ssm_out", shape.n_embd, shape.d_inner, scale=2.0)
    # Slow decay (A close to zero) and a time step around softplus(-2): the state remembers some dozen tokens.
    fill.made[f"{block}.ssm_dt.bias"] = np.full(shape.d_inner, -2.0, dtype=np.float32)
    decay = -np.tile(np.linspace(0.1, 1.0, shape.d_state, dtype=np.float32), (shape.d_inner, 1))
    fill.made[f"{block}.ssm_a"] = decay
    fill.made[f"{block}.ssm_d"] = np.ones(shape.d_inner, dtype=np.float32)
    fill.made[f"{block}.ssm_conv1d.bias"] = np.zeros(shape.d_inner, dtype=np.float32)
    if architecture == "jamba":
        fill.norm(f"{block}.ssm_dt_norm", shape.dt_rank)
        fill.norm(f"{block}.ssm_b_norm", shape.d_state)
        fill.norm(f"{block}.ssm_c_norm", shape.d_state)


def _feed_forward(fill: _Filler, architecture: str, shape: Shape, block: str) -> None:
    fill.norm(f"{block}.ffn_norm", shape.n_embd)
    if shape.n_expert:
        fill.matrix(f"{block}.ffn_gate_inp", shape.n_expert, shape.n_embd)
        fill.matrix(f"{block}.ffn_gate_exps", shape.n_ff, shape.n_embd, experts=shape.n_expert)
        fill.matrix(f"{block}.ffn_up_exps", shape.n_ff, shape.n_embd, experts=shape.n_expert)
        fill.matrix(f"{block}.ffn_down_exps", shape.n_embd, shape.n_ff, experts=shape.n_expert)
        return
    fill.matrix(f"{block}.ffn_gate", shape.n_ff, shape.n_embd)
    fill.matrix(f"{block}.ffn_up", shape.n_ff, shape.n_embd)
    fill.matrix(f"{block}.ffn_down", shape.n_embd, shape.n_ff)
    if architecture == "gemma3":
        fill.norm(f"{block}.post_ffw_norm", shape.n_embd)
