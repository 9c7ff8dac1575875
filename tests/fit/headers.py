"""Headers out of plain keys, as a file of a published model would have them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from tui.gguf.header import Header

LLAMA_3_70B = {
    "block_count": 80,
    "context_length": 8192,
    "embedding_length": 8192,
    "feed_forward_length": 28672,
    "attention.head_count": 64,
    "attention.head_count_kv": 8,
}
QWEN3_30B_A3B = {
    "block_count": 48,
    "context_length": 40960,
    "embedding_length": 2048,
    "feed_forward_length": 6144,
    "attention.head_count": 32,
    "attention.head_count_kv": 4,
    "attention.key_length": 128,
    "attention.value_length": 128,
    "expert_count": 128,
    "expert_used_count": 8,
    "expert_feed_forward_length": 768,
}
GEMMA_3_12B = {
    "block_count": 48,
    "context_length": 131072,
    "embedding_length": 3840,
    "feed_forward_length": 15360,
    "attention.head_count": 16,
    "attention.head_count_kv": 8,
    "attention.key_length": 256,
    "attention.value_length": 256,
    "attention.sliding_window": 1024,
}
DEEPSEEK_V2_LITE = {
    "block_count": 27,
    "context_length": 163840,
    "embedding_length": 2048,
    "feed_forward_length": 10944,
    "attention.head_count": 16,
    "attention.head_count_kv": 1,
    "attention.key_length": 576,
    "attention.value_length": 512,
    "attention.key_length_mla": 192,
    "attention.value_length_mla": 128,
    "attention.kv_lora_rank": 512,
    "expert_count": 64,
    "expert_used_count": 6,
    "expert_shared_count": 2,
    "expert_feed_forward_length": 1408,
    "leading_dense_block_count": 1,
}
MAMBA_2_8B = {
    "block_count": 64,
    "context_length": 2048,
    "embedding_length": 2560,
    "attention.head_count": 0,
    "ssm.conv_kernel": 4,
    "ssm.inner_size": 5120,
    "ssm.state_size": 16,
    "ssm.time_step_rank": 160,
}
LFM2_1_2B = {
    "block_count": 16,
    "context_length": 128000,
    "embedding_length": 2048,
    "feed_forward_length": 8192,
    "attention.head_count": 32,
    "attention.head_count_kv": (0, 0, 8, 0, 0, 8, 0, 0, 8, 0, 8, 0, 8, 0, 8, 0),
    "shortconv.l_cache": 3,
}


def header(
    architecture: str,
    keys: dict[str, Any],
    *,
    n_vocab: int = 128_256,
    file_bytes: int = 8 << 30,
    file_type: str = "Q4_K_M",
) -> Header:
    """A header whose weights are not known."""
    return Header(
        version=3,
        architecture=architecture,
        name=None,
        kind="model",
        n_layer=keys.get("block_count"),
        n_ctx_train=keys.get("context_length"),
        file_type=file_type,
        parameters=None,
        n_tensors=0,
        chat_template=True,
        shards=1,
        file_bytes=file_bytes,
        data_offset=0,
        metadata=MappingProxyType({f"{architecture}.{key}": value for key, value in keys.items()}),
        n_vocab=n_vocab,
    )
