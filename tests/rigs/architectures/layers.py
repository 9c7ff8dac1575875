"""Parts of a layer by their tensors' names and shapes, as llama.cpp asks for them (its `src/models`)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rigs.architectures.sizes import Dims, Named, Sizes

_Part = Iterator[tuple[str, Dims]]


def norm(name: str, length: int, *, bias: bool = False) -> _Part:
    """A normalisation's factors, and its offsets with `bias`."""
    yield f"{name}.weight", (length,)
    if bias:
        yield f"{name}.bias", (length,)


def linear(name: str, n_in: int, n_out: int, *, bias: bool = False) -> _Part:
    """A matrix that turns rows of `n_in` into rows of `n_out`."""
    yield f"{name}.weight", (n_in, n_out)
    if bias:
        yield f"{name}.bias", (n_out,)


def norms(s: Sizes, *names: str, bias: bool = False) -> _Part:
    """Normalisations over the whole embedding."""
    for name in names:
        yield from norm(name, s.n_embd, bias=bias)


def qkv(s: Sizes, layer: int, *, bias: bool = False, fused: bool = False, gated: bool = False) -> _Part:
    """Query, key and value projections; `gated` queries bring a gate of their own width."""
    wide, narrow = s.heads(layer) * s.head * (2 if gated else 1), s.heads_kv(layer) * s.head
    if fused:
        yield from linear("attn_qkv", s.n_embd, wide + 2 * narrow, bias=bias)
        return
    for name, width in (("attn_q", wide), ("attn_k", narrow), ("attn_v", narrow)):
        yield from linear(name, s.n_embd, width, bias=bias)


def attention(
    s: Sizes, layer: int, *, bias: bool = False, out_bias: bool = False, fused: bool = False, gated: bool = False
) -> _Part:
    """Attention with grouped heads."""
    yield from qkv(s, layer, bias=bias, fused=fused, gated=gated)
    yield from linear("attn_output", s.heads(layer) * s.head, s.n_embd, bias=out_bias)


def head_norms(s: Sizes) -> _Part:
    """Queries and keys normalised head by head."""
    yield from norm("attn_q_norm", s.head)
    yield from norm("attn_k_norm", s.head)


def latent_attention(s: Sizes, layer: int) -> _Part:
    """MLA: keys and values compressed into `kv_lora` values a token; `head` is a key's length before that."""
    heads, plain = s.heads(layer), s.head - s.n_rot
    if s.q_lora:
        yield from linear("attn_q_a", s.n_embd, s.q_lora)
        yield from norm("attn_q_a_norm", s.q_lora)
        yield from linear("attn_q_b", s.q_lora, heads * s.head)
    else:
        yield from linear("attn_q", s.n_embd, heads * s.head)
    yield from linear("attn_kv_a_mqa", s.n_embd, s.kv_lora + s.n_rot)
    yield from norm("attn_kv_a_norm", s.kv_lora)
    yield "attn_k_b.weight", (plain, s.kv_lora, heads)
    yield "attn_v_b.weight", (s.kv_lora, s.value_dim, heads)
    yield from linear("attn_output", heads * s.value_dim, s.n_embd)


def gated(s: Sizes, layer: int) -> _Part:
    """A feed-forward network with a gate."""
    yield from linear("ffn_gate", s.n_embd, s.ff(layer))
    yield from plain(s, layer)


def plain(s: Sizes, layer: int, *, bias: bool = False, doubled: bool = False) -> _Part:
    """A feed-forward network of two matrices; `doubled` keeps a gate in the upper half of the first."""
    yield from linear("ffn_up", s.n_embd, s.ff(layer) * (2 if doubled else 1), bias=bias)
    yield from linear("ffn_down", s.ff(layer), s.n_embd, bias=bias)


def experts(s: Sizes, layer: int, *, bias: bool = False) -> _Part:
    """A mixture of experts behind a router, and the shared ones beside them."""
    width = s.n_ff_exp or s.ff(layer)
    yield from linear("ffn_gate_inp", s.n_embd, s.n_expert, bias=bias)
    for name, rows, columns in (
        ("ffn_gate_exps", s.n_embd, width),
        ("ffn_down_exps", width, s.n_embd),
        ("ffn_up_exps", s.n_embd, width),
    ):
        yield f"{name}.weight", (rows, columns, s.n_expert)
        if bias:
            yield f"{name}.bias", (columns, s.n_expert)
    if shared := s.n_ff_shexp or s.n_ff_exp * s.n_expert_shared:
        yield from linear("ffn_gate_shexp", s.n_embd, shared)
        yield from linear("ffn_down_shexp", shared, s.n_embd)
        yield from linear("ffn_up_shexp", s.n_embd, shared)


def mamba(s: Sizes, *, normed: bool = False) -> _Part:
    """The selective state space of the first Mamba; `normed` is Jamba's."""
    yield from linear("ssm_in", s.n_embd, 2 * s.d_inner)
    yield "ssm_conv1d.weight", (s.d_conv, s.d_inner)
    yield "ssm_conv1d.bias", (s.d_inner,)
    yield from linear("ssm_x", s.d_inner, s.dt_rank + 2 * s.d_state)
    if normed:
        yield from norm("ssm_dt_norm", s.dt_rank)
        yield from norm("ssm_b_norm", s.d_state)
        yield from norm("ssm_c_norm", s.d_state)
    yield from linear("ssm_dt", s.dt_rank, s.d_inner, bias=True)
    yield "ssm_a", (s.d_state, s.d_inner)
    yield "ssm_d", (s.d_inner,)
    yield from linear("ssm_out", s.d_inner, s.n_embd)


def mamba2(s: Sizes) -> _Part:
    """The second Mamba: `dt_rank` heads in `n_group` groups."""
    conv = s.d_inner + 2 * s.n_group * s.d_state
    yield from linear("ssm_in", s.n_embd, s.d_inner + conv + s.dt_rank)
    yield "ssm_conv1d.weight", (s.d_conv, conv)
    yield "ssm_conv1d.bias", (conv,)
    yield "ssm_dt.bias", (s.dt_rank,)
    yield "ssm_a", (1, s.dt_rank)
    yield "ssm_d", (1, s.dt_rank)
    yield "ssm_norm.weight", (s.d_inner // s.n_group, s.n_group)
    yield from linear("ssm_out", s.d_inner, s.n_embd)


def short_convolution(s: Sizes) -> _Part:
    """LFM2's gated convolution over `d_conv` tokens."""
    yield "shortconv.conv.weight", (s.d_conv, s.n_embd)
    yield from linear("shortconv.in_proj", s.n_embd, 3 * s.n_embd)
    yield from linear("shortconv.out_proj", s.n_embd, s.n_embd)


def delta_net(s: Sizes) -> _Part:
    """Gated delta net: `n_group` key heads and `dt_rank` value heads of `d_state` values."""
    keys, values = s.d_state * s.n_group, s.d_state * s.dt_rank
    yield from linear("attn_qkv", s.n_embd, 2 * keys + values)
    yield from linear("attn_gate", s.n_embd, values)
    yield "ssm_conv1d.weight", (s.d_conv, 2 * keys + values)
    yield "ssm_dt.bias", (s.dt_rank,)
    yield "ssm_a", (s.dt_rank,)
    yield from linear("ssm_ba", s.n_embd, 2 * s.dt_rank)
    yield from norm("ssm_norm", s.d_state)
    yield from linear("ssm_out", values, s.n_embd)


def rwkv6(s: Sizes) -> _Part:
    """RWKV 6: time mixing with heads of `d_state` values and low-rank shifts, then channel mixing."""
    n, heads = s.n_embd, s.n_embd // s.d_state
    yield "time_mix_w1.weight", (n, 5 * s.q_lora)
    yield "time_mix_w2.weight", (s.q_lora, n, 5)
    yield "time_mix_lerp_x.weight", (n, 1, 1)
    yield "time_mix_lerp_fused.weight", (n, 1, 1, 5)
    yield "time_mix_first.weight", (s.d_state, heads)
    yield "time_mix_decay.weight", (n,)
    yield from linear("time_mix_decay_w1", n, s.kv_lora)
    yield from linear("time_mix_decay_w2", s.kv_lora, n)
    for name in ("key", "value", "receptance", "gate", "output"):
        yield from linear(f"time_mix_{name}", n, n)
    yield from norm("time_mix_ln", n, bias=True)
    yield "channel_mix_lerp_k.weight", (n, 1, 1)
    yield "channel_mix_lerp_r.weight", (n, 1, 1)
    yield from linear("channel_mix_key", n, s.ff(0))
    yield from linear("channel_mix_value", s.ff(0), n)
    yield from linear("channel_mix_receptance", n, n)


def rwkv7(s: Sizes) -> _Part:
    """RWKV 7: all its low-rank parts share the rank `kv_lora`."""
    n = s.n_embd
    for part in ("w", "a", "v"):
        yield f"time_mix_{part}0.weight", (n,)
    for part in ("w", "a", "v", "g"):
        yield from linear(f"time_mix_{part}1", n, s.kv_lora)
        yield from linear(f"time_mix_{part}2", s.kv_lora, n)
    yield "time_mix_lerp_fused.weight", (n, 1, 1, 6)
    for part in ("k_k", "k_a", "r_k"):
        yield f"time_mix_{part}.weight", (n,)
    for name in ("key", "value", "receptance", "output"):
        yield from linear(f"time_mix_{name}", n, n)
    yield from norm("time_mix_ln", n, bias=True)
    yield "channel_mix_lerp_k.weight", (n, 1, 1)
    yield from linear("channel_mix_key", n, s.ff(0))
    yield from linear("channel_mix_value", s.ff(0), n)


def in_layer(layer: int, *parts: Named) -> _Part:
    """The parts under the name of their layer."""
    for part in parts:
        for name, dims in part:
            yield f"blk.{layer}.{name}", dims
