"""Writes a LoRA adapter for the tests' tiny llama: random, so that an applied one clearly changes what is said."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np


def tiny_lora(path: Path, *, architecture: str = "llama", n_embd: int = 64, n_layer: int = 2, rank: int = 4) -> Path:
    """An adapter of the attention's query weights of every layer."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    pick = np.random.default_rng(5)
    for layer in range(n_layer):
        name = f"blk.{layer}.attn_q.weight"
        writer.add_tensor(f"{name}.lora_a", pick.standard_normal((rank, n_embd)).astype(np.float32))
        writer.add_tensor(f"{name}.lora_b", pick.standard_normal((n_embd, rank)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
