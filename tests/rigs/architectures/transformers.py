"""Architectures whose layers all attend: dense, with sliding windows, with experts, with latent attention.

Source: llama.cpp's `src/models/*.cpp`, each one's `load_arch_hparams` and `load_arch_tensors`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.rigs.architectures.layers import (
    attention,
    experts,
    gated,
    head_norms,
    latent_attention,
    norms,
    plain,
)
from tests.rigs.architectures.recipe import Recipe, Value
from tests.rigs.architectures.sizes import Named, Sizes


def _latent(s: Sizes) -> Mapping[str, Value]:
    return {
        "attention.kv_lora_rank": s.kv_lora,
        **({"attention.q_lora_rank": s.q_lora} if s.q_lora else {}),
        "attention.key_length": s.kv_lora + s.n_rot,
        "attention.value_length": s.kv_lora,
        "attention.key_length_mla": s.head,
        "attention.value_length_mla": s.value_dim,
        "attention.head_count_kv": 1,
        "leading_dense_block_count": s.n_dense_lead,
        "expert_shared_count": s.n_expert_shared,
        "expert_weights_scale": 1.0,
    }


def _rope_freqs(s: Sizes) -> Named:
    return (("rope_freqs.weight", (s.head // 2,)),)


def _rope_factors(s: Sizes) -> Named:
    return tuple((f"rope_factors_{length}.weight", (s.head // 2,)) for length in ("long", "short"))


TRANSFORMERS: dict[str, Recipe] = {
    "llama": Recipe(
        architecture="llama",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm"), attention(s, i), gated(s, i)),
        outside=_rope_freqs,
        tiny=Sizes(),
    ),
    "mixtral": Recipe(
        architecture="llama",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm"), attention(s, i), experts(s, i)),
        tiny=Sizes(n_expert=8, n_expert_used=2, n_ff=256),
    ),
    "qwen2": Recipe(
        architecture="qwen2",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm"), attention(s, i, bias=True), gated(s, i)),
        tiny=Sizes(),
    ),
    "qwen3": Recipe(
        architecture="qwen3",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm"), attention(s, i), head_norms(s), gated(s, i)),
        tiny=Sizes(head_dim=128, tied=True),
    ),
    "qwen2moe": Recipe(
        architecture="qwen2moe",
        layer=lambda s, i: (
            norms(s, "attn_norm", "ffn_norm", "ffn_gate_inp_shexp"),
            attention(s, i, bias=True),
            experts(s, i),
        ),
        tiny=Sizes(n_expert=6, n_expert_used=2, n_ff_exp=256, n_ff_shexp=512),
    ),
    "qwen3moe": Recipe(
        architecture="qwen3moe",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm"), attention(s, i), head_norms(s), experts(s, i)),
        tiny=Sizes(head_dim=128, n_expert=8, n_expert_used=2, n_ff_exp=256),
    ),
    "gemma2": Recipe(
        architecture="gemma2",
        layer=lambda s, i: (
            norms(s, "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"),
            attention(s, i),
            gated(s, i),
        ),
        keys=lambda s: {"attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0},
        tiny=Sizes(head_dim=128, window=512, tied=True),
    ),
    "gemma3": Recipe(
        architecture="gemma3",
        layer=lambda s, i: (
            norms(s, "attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"),
            attention(s, i),
            head_norms(s),
            gated(s, i),
        ),
        tiny=Sizes(n_layer=7, head_dim=128, window=512, tied=True),
    ),
    "gpt-oss": Recipe(
        architecture="gpt-oss",
        layer=lambda s, i: (
            norms(s, "attn_norm", "post_attention_norm"),
            attention(s, i, bias=True, out_bias=True),
            (("attn_sinks.weight", (s.heads(i),)),),
            experts(s, i, bias=True),
        ),
        tiny=Sizes(n_expert=4, n_expert_used=2, n_ff_exp=256, window=128),
        quant="MXFP4",
    ),
    "deepseek2": Recipe(
        architecture="deepseek2",
        layer=lambda s, i: (
            norms(s, "attn_norm", "ffn_norm"),
            latent_attention(s, i),
            gated(s, i) if i < s.n_dense_lead else experts(s, i),
        ),
        keys=_latent,
        tiny=Sizes(
            head_dim=96,
            n_rot=32,
            value_dim=64,
            kv_lora=256,
            q_lora=128,
            n_dense_lead=1,
            n_expert=4,
            n_expert_used=2,
            n_ff_exp=256,
            n_expert_shared=2,
        ),
    ),
    "olmoe": Recipe(
        architecture="olmoe",
        layer=lambda s, i: (
            norms(s, "attn_norm", "attn_q_norm", "attn_k_norm", "ffn_norm"),
            attention(s, i),
            experts(s, i),
        ),
        tiny=Sizes(n_head_kv=4, n_expert=8, n_expert_used=2, n_ff=256),
    ),
    "granitemoe": Recipe(
        architecture="granitemoe",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm"), attention(s, i), experts(s, i)),
        keys=lambda s: {"logit_scale": 6.0, "residual_scale": 0.22, "embedding_scale": 12.0, "attention.scale": 0.0156},
        tiny=Sizes(tied=True, n_expert=8, n_expert_used=4, n_ff=256),
    ),
    "granite": Recipe(
        architecture="granite",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm"), attention(s, i), gated(s, i)),
        keys=lambda s: {"logit_scale": 8.0, "residual_scale": 0.22, "embedding_scale": 12.0, "attention.scale": 0.0156},
        tiny=Sizes(tied=True),
    ),
    "falcon": Recipe(
        architecture="falcon",
        layer=lambda s, i: (norms(s, "attn_norm", bias=True), attention(s, i, fused=True), plain(s, i)),
        norm_bias=True,
        tiny=Sizes(n_head_kv=1),
    ),
    "gptneox": Recipe(
        architecture="gptneox",
        layer=lambda s, i: (
            norms(s, "attn_norm", "ffn_norm", bias=True),
            attention(s, i, fused=True, bias=True, out_bias=True),
            plain(s, i, bias=True),
        ),
        keys=lambda s: {"use_parallel_residual": True},
        norm_bias=True,
        tiny=Sizes(n_head_kv=4, n_rot=16),
    ),
    "command-r": Recipe(
        architecture="command-r",
        layer=lambda s, i: (norms(s, "attn_norm"), attention(s, i), gated(s, i)),
        keys=lambda s: {"logit_scale": 0.0625},
        tiny=Sizes(tied=True),
    ),
    "cohere2": Recipe(
        architecture="cohere2",
        layer=lambda s, i: (norms(s, "attn_norm"), attention(s, i), gated(s, i)),
        keys=lambda s: {"logit_scale": 0.25},
        tiny=Sizes(n_layer=5, tied=True, window=512),
    ),
    "phi3": Recipe(
        architecture="phi3",
        layer=lambda s, i: (
            norms(s, "attn_norm", "ffn_norm"),
            attention(s, i, fused=True),
            plain(s, i, doubled=True),
        ),
        outside=_rope_factors,
        tiny=Sizes(n_head_kv=4),
    ),
    "starcoder2": Recipe(
        architecture="starcoder2",
        layer=lambda s, i: (
            norms(s, "attn_norm", "ffn_norm", bias=True),
            attention(s, i, bias=True, out_bias=True),
            plain(s, i, bias=True),
        ),
        norm_bias=True,
        tiny=Sizes(tied=True),
    ),
    "stablelm": Recipe(
        architecture="stablelm",
        layer=lambda s, i: (norms(s, "attn_norm", "ffn_norm", bias=True), attention(s, i), gated(s, i)),
        norm_bias=True,
        tiny=Sizes(n_head_kv=4, n_rot=16),
    ),
    "openelm": Recipe(
        architecture="openelm",
        layer=lambda s, i: (
            norms(s, "attn_norm", "ffn_norm"),
            attention(s, i, fused=True),
            head_norms(s),
            gated(s, i),
        ),
        tiny=Sizes(
            n_layer=3,
            head_dim=64,
            n_head=(4, 4, 8),
            n_head_kv=(1, 2, 2),
            n_ff=(256, 512, 1024),
            tied=True,
        ),
    ),
}
