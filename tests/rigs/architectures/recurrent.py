"""Architectures with a recurrent state: all of one, and hybrids whose other layers attend.

Source: llama.cpp's `src/models/*.cpp`, each one's `load_arch_hparams` and `load_arch_tensors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tests.rigs.architectures.layers import (
    attention,
    delta_net,
    experts,
    gated,
    head_norms,
    mamba,
    mamba2,
    norm,
    norms,
    plain,
    rwkv6,
    rwkv7,
    short_convolution,
)
from tests.rigs.architectures.recipe import LayerParts, Recipe, Value
from tests.rigs.architectures.sizes import Named, Sizes

_SSM2 = Sizes(d_conv=4, d_inner=512, d_state=128, dt_rank=8, n_group=1)


def _nemotron_layer(s: Sizes, i: int) -> Sequence[Named]:
    kind = attention(s, i) if i in s.attention_layers else plain(s, i) if i in s.mlp_layers else mamba2(s)
    return (norms(s, "attn_norm"), kind)


def _nemotron_keys(s: Sizes) -> Mapping[str, Value]:
    return {"feed_forward_length": [s.ff(i) if i in s.mlp_layers else 0 for i in range(s.n_layer)]}


def _hybrid(recurrent: Callable[[Sizes], Named]) -> LayerParts:
    """Recurrent layers but for `attention_layers`, a gated feed-forward network in all of them."""
    return lambda s, i: (
        norms(s, "attn_norm", "ffn_norm"),
        attention(s, i) if s.is_attention(i) else recurrent(s),
        gated(s, i),
    )


def _token_norm(s: Sizes) -> Named:
    return norm("token_embd_norm", s.n_embd, bias=True)


RECURRENT: dict[str, Recipe] = {
    "mamba": Recipe(
        architecture="mamba",
        layer=lambda s, i: (norms(s, "attn_norm"), mamba(s)),
        tiny=Sizes(n_head=0, n_head_kv=0, n_ff=0, tied=True, d_conv=4, d_inner=512, d_state=16, dt_rank=32),
    ),
    "mamba2": Recipe(
        architecture="mamba2",
        layer=lambda s, i: (norms(s, "attn_norm"), mamba2(s)),
        tiny=replace(_SSM2, n_head=0, n_head_kv=0, n_ff=0),
    ),
    "rwkv6": Recipe(
        architecture="rwkv6",
        layer=lambda s, i: (norms(s, "attn_norm", "attn_norm_2", bias=True), rwkv6(s)),
        keys=lambda s: {"wkv.head_size": s.d_state, "time_mix_extra_dim": s.q_lora, "time_decay_extra_dim": s.kv_lora},
        outside=_token_norm,
        norm_bias=True,
        tiny=Sizes(n_head=0, n_head_kv=0, d_state=64, q_lora=32, kv_lora=64),
    ),
    "rwkv7": Recipe(
        architecture="rwkv7",
        layer=lambda s, i: (norms(s, "attn_norm", "attn_norm_2", bias=True), rwkv7(s)),
        keys=lambda s: {
            "wkv.head_size": s.d_state,
            **{f"attention.{part}_lora_rank": s.kv_lora for part in ("decay", "iclr", "value_residual_mix", "gate")},
        },
        outside=_token_norm,
        norm_bias=True,
        tiny=Sizes(n_head=0, n_head_kv=0, d_state=64, kv_lora=32),
    ),
    "jamba": Recipe(
        architecture="jamba",
        layer=_hybrid(lambda s: mamba(s, normed=True)),
        tiny=Sizes(attention_layers=(1, 3), d_conv=4, d_inner=512, d_state=16, dt_rank=32),
    ),
    "granite-hybrid": Recipe(
        architecture="granitehybrid",
        layer=_hybrid(mamba2),
        keys=lambda s: {"logit_scale": 8.0, "residual_scale": 0.22, "embedding_scale": 12.0, "attention.scale": 0.0156},
        tiny=replace(_SSM2, attention_layers=(2,), tied=True),
    ),
    "lfm2": Recipe(
        architecture="lfm2",
        layer=lambda s, i: (
            norms(s, "attn_norm", "ffn_norm"),
            (*attention(s, i), *head_norms(s)) if s.is_attention(i) else short_convolution(s),
            gated(s, i),
        ),
        keys=lambda s: {"shortconv.l_cache": s.d_conv},
        output_norm="token_embd_norm",
        tiny=Sizes(n_layer=5, attention_layers=(2, 4), tied=True, d_conv=3),
    ),
    "nemotron-h": Recipe(
        architecture="nemotron_h",
        layer=_nemotron_layer,
        keys=_nemotron_keys,
        tiny=replace(_SSM2, n_layer=5, attention_layers=(3,), mlp_layers=(1, 4)),
    ),
    "falcon-h1": Recipe(
        architecture="falcon-h1",
        layer=lambda s, i: (
            norms(s, "attn_norm"),
            (("ffn_norm", (s.n_embd,)),),
            mamba2(s),
            attention(s, i),
            gated(s, i),
        ),
        tiny=_SSM2,
    ),
    "qwen3next": Recipe(
        architecture="qwen3next",
        layer=lambda s, i: (
            norms(s, "attn_norm", "post_attention_norm", "ffn_gate_inp_shexp"),
            (*attention(s, i, gated=True), *head_norms(s)) if s.is_attention(i) else delta_net(s),
            experts(s, i),
        ),
        # Which layers attend follows from the interval, so the key-value heads are one number here.
        keys=lambda s: {"full_attention_interval": 4, "attention.head_count_kv": s.n_head_kv},
        tiny=Sizes(
            attention_layers=(3,),
            head_dim=128,
            n_rot=64,
            n_expert=8,
            n_expert_used=2,
            n_ff_exp=256,
            n_ff_shexp=256,
            d_conv=4,
            d_inner=256,
            d_state=64,
            dt_rank=4,
            n_group=2,
        ),
    ),
}
