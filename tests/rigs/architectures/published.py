"""Sizes of models that people run, from their published configurations; the quantization is one that is offered."""

from __future__ import annotations

from dataclasses import dataclass

from tests.rigs.architectures.quants import Quant
from tests.rigs.architectures.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Published:
    """A published model: which recipe, how large, and in which quantization."""

    recipe: str
    sizes: Sizes
    quant: Quant = "Q4_K_M"
    """One that is offered for it."""


_OPENELM_FF = (0.5, 0.73, 0.97, 1.2, 1.43, 1.67, 1.9, 2.13, 2.37, 2.6, 2.83, 3.07, 3.3, 3.53, 3.77, 4.0)
"""OpenELM's ffn_multipliers; a width is rounded to 256."""

PUBLISHED: dict[str, Published] = {
    "smollm2-135m": Published(
        "llama",
        Sizes(n_layer=30, n_embd=576, n_head=9, n_head_kv=3, n_ff=1536, n_vocab=49152, n_ctx_train=8192, tied=True),
        "Q8_0",
    ),
    "llama3-8b": Published(
        "llama",
        Sizes(n_layer=32, n_embd=4096, n_head=32, n_head_kv=8, n_ff=14336, n_vocab=128256, n_ctx_train=131072),
    ),
    "llama3-70b": Published(
        "llama",
        Sizes(n_layer=80, n_embd=8192, n_head=64, n_head_kv=8, n_ff=28672, n_vocab=128256, n_ctx_train=131072),
    ),
    "mixtral-8x7b": Published(
        "mixtral",
        Sizes(
            n_layer=32,
            n_embd=4096,
            n_head=32,
            n_head_kv=8,
            n_ff=14336,
            n_vocab=32000,
            n_ctx_train=32768,
            n_expert=8,
            n_expert_used=2,
        ),
    ),
    "qwen2.5-7b": Published(
        "qwen2",
        Sizes(n_layer=28, n_embd=3584, n_head=28, n_head_kv=4, n_ff=18944, n_vocab=152064, n_ctx_train=32768),
    ),
    "qwen3-0.6b": Published(
        "qwen3",
        Sizes(
            n_layer=28,
            n_embd=1024,
            n_head=16,
            n_head_kv=8,
            head_dim=128,
            n_ff=3072,
            n_vocab=151936,
            n_ctx_train=40960,
            tied=True,
        ),
        "Q8_0",
    ),
    "qwen3-8b": Published(
        "qwen3",
        Sizes(
            n_layer=36,
            n_embd=4096,
            n_head=32,
            n_head_kv=8,
            head_dim=128,
            n_ff=12288,
            n_vocab=151936,
            n_ctx_train=40960,
        ),
    ),
    "qwen3-30b-a3b": Published(
        "qwen3moe",
        Sizes(
            n_layer=48,
            n_embd=2048,
            n_head=32,
            n_head_kv=4,
            head_dim=128,
            n_ff=6144,
            n_vocab=151936,
            n_ctx_train=40960,
            n_expert=128,
            n_expert_used=8,
            n_ff_exp=768,
        ),
    ),
    "qwen3-next-80b-a3b": Published(
        "qwen3next",
        Sizes(
            n_layer=48,
            n_embd=2048,
            n_head=16,
            n_head_kv=2,
            head_dim=256,
            n_rot=64,
            n_ff=5120,
            n_vocab=151936,
            n_ctx_train=262144,
            attention_layers=tuple(range(3, 48, 4)),
            n_expert=512,
            n_expert_used=10,
            n_ff_exp=512,
            n_ff_shexp=512,
            d_conv=4,
            d_inner=4096,
            d_state=128,
            dt_rank=32,
            n_group=16,
        ),
    ),
    "gemma2-9b": Published(
        "gemma2",
        Sizes(
            n_layer=42,
            n_embd=3584,
            n_head=16,
            n_head_kv=8,
            head_dim=256,
            n_ff=14336,
            n_vocab=256000,
            n_ctx_train=8192,
            window=4096,
            tied=True,
        ),
    ),
    "gemma3-12b": Published(
        "gemma3",
        Sizes(
            n_layer=48,
            n_embd=3840,
            n_head=16,
            n_head_kv=8,
            head_dim=256,
            n_ff=15360,
            n_vocab=262208,
            n_ctx_train=131072,
            window=1024,
            tied=True,
        ),
    ),
    "gpt-oss-20b": Published(
        "gpt-oss",
        Sizes(
            n_layer=24,
            n_embd=2880,
            n_head=64,
            n_head_kv=8,
            head_dim=64,
            n_ff=2880,
            n_vocab=201088,
            n_ctx_train=131072,
            window=128,
            n_expert=32,
            n_expert_used=4,
            n_ff_exp=2880,
        ),
        "MXFP4",
    ),
    "deepseek-v2-lite": Published(
        "deepseek2",
        Sizes(
            n_layer=27,
            n_embd=2048,
            n_head=16,
            n_head_kv=16,
            head_dim=192,
            n_rot=64,
            value_dim=128,
            kv_lora=512,
            n_ff=10944,
            n_vocab=102400,
            n_ctx_train=163840,
            n_dense_lead=1,
            n_expert=64,
            n_expert_used=6,
            n_ff_exp=1408,
            n_expert_shared=2,
        ),
    ),
    "olmoe-1b-7b": Published(
        "olmoe",
        Sizes(
            n_layer=16,
            n_embd=2048,
            n_head=16,
            n_head_kv=16,
            n_ff=1024,
            n_vocab=50304,
            n_expert=64,
            n_expert_used=8,
        ),
    ),
    "granite-3.0-3b-a800m": Published(
        "granitemoe",
        Sizes(
            n_layer=32,
            n_embd=1536,
            n_head=24,
            n_head_kv=8,
            n_ff=512,
            n_vocab=49155,
            tied=True,
            n_expert=40,
            n_expert_used=8,
        ),
    ),
    "granite-4.0-h-micro": Published(
        "granite-hybrid",
        Sizes(
            n_layer=40,
            n_embd=2048,
            n_head=32,
            n_head_kv=8,
            n_ff=8192,
            n_vocab=100352,
            n_ctx_train=131072,
            tied=True,
            attention_layers=(5, 15, 25, 35),
            d_conv=4,
            d_inner=4096,
            d_state=128,
            dt_rank=64,
            n_group=1,
        ),
    ),
    "falcon-7b": Published(
        "falcon",
        Sizes(n_layer=32, n_embd=4544, n_head=71, n_head_kv=1, n_ff=18176, n_vocab=65024, n_ctx_train=2048),
    ),
    "phi3-mini-128k": Published(
        "phi3",
        Sizes(n_layer=32, n_embd=3072, n_head=32, n_head_kv=32, n_ff=8192, n_vocab=32064, n_ctx_train=131072),
    ),
    "starcoder2-3b": Published(
        "starcoder2",
        Sizes(n_layer=30, n_embd=3072, n_head=24, n_head_kv=2, n_ff=12288, n_vocab=49152, n_ctx_train=16384, tied=True),
    ),
    "openelm-270m": Published(
        "openelm",
        Sizes(
            n_layer=16,
            n_embd=1280,
            n_head=(12,) * 5 + (16,) * 7 + (20,) * 4,
            n_head_kv=(3,) * 5 + (4,) * 7 + (5,) * 4,
            head_dim=64,
            n_ff=tuple(int(1280 * times + 128) // 256 * 256 for times in _OPENELM_FF),
            n_vocab=32000,
            n_ctx_train=2048,
            tied=True,
        ),
    ),
    "mamba-2.8b": Published(
        "mamba",
        Sizes(
            n_layer=64,
            n_embd=2560,
            n_head=0,
            n_head_kv=0,
            n_ff=0,
            n_vocab=50280,
            n_ctx_train=1048576,
            tied=True,
            d_conv=4,
            d_inner=5120,
            d_state=16,
            dt_rank=160,
        ),
    ),
    "lfm2-1.2b": Published(
        "lfm2",
        Sizes(
            n_layer=16,
            n_embd=2048,
            n_head=32,
            n_head_kv=8,
            n_ff=8192,
            n_vocab=65536,
            n_ctx_train=128000,
            tied=True,
            attention_layers=(2, 5, 8, 10, 12, 14),
            d_conv=3,
        ),
    ),
}
