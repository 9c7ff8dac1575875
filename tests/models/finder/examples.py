"""Models and machines that the finder's tests share."""

from __future__ import annotations

from typing import Any

from tui.fit.values import DeviceSpec, Machine
from tui.hub.listing import Listing
from tui.models.finder.values import FinderRow

GIB = 1 << 30

QWEN3_8B = Listing(
    repo="bartowski/Qwen3-8B-GGUF",
    model="Qwen/Qwen3-8B",
    architecture="qwen3",
    parameters=8_190_735_360,
    context_length=40_960,
    layers=36,
    heads=32,
    kv_heads=8,
    head_dim=128,
    hidden_size=4096,
    vocab_size=151_936,
    use_cases=("chat", "writing", "reasoning", "summarising"),
    licence="apache-2.0",
    updated="2025-04-27",
)
QWEN3_30B_A3B = Listing(
    repo="unsloth/Qwen3-30B-A3B-GGUF",
    model="Qwen/Qwen3-30B-A3B",
    architecture="qwen3_moe",
    parameters=30_532_122_624,
    active_parameters=3_345_000_000,
    context_length=40_960,
    layers=48,
    heads=32,
    kv_heads=4,
    head_dim=128,
    hidden_size=2048,
    vocab_size=151_936,
    experts=128,
    experts_used=8,
    use_cases=("chat", "writing", "reasoning", "summarising"),
    licence="apache-2.0",
    updated="2025-04-26",
)
GEMMA3_4B = Listing(
    repo="unsloth/gemma-3-4b-it-GGUF",
    model="google/gemma-3-4b-it",
    architecture="gemma3",
    parameters=4_300_079_472,
    context_length=131_072,
    layers=34,
    heads=8,
    kv_heads=4,
    head_dim=256,
    hidden_size=2560,
    vocab_size=262_144,
    use_cases=("chat", "writing", "summarising", "vision"),
    licence="gemma",
    updated="2025-03-12",
)
ALL = (QWEN3_8B, QWEN3_30B_A3B, GEMMA3_4B)


def machine(*gpus_gib: float, ram_gib: float = 64) -> Machine:
    """GPUs of so much memory each, all of it free, at 1 TB/s, and RAM at 40 GB/s."""
    devices = tuple(
        DeviceSpec(
            name=f"CUDA{index}",
            total_bytes=int(gib * GIB),
            free_bytes=int(gib * GIB),
            bandwidth_bytes_s=1e12,
        )
        for index, gib in enumerate(gpus_gib)
    )
    return Machine(
        devices=devices,
        host_total_bytes=int(ram_gib * GIB),
        host_available_bytes=int(ram_gib * GIB),
        host_bandwidth_bytes_s=40e9,
    )


def row(listing: Listing = QWEN3_8B, quant: str = "Q4_K_M", **said: Any) -> FinderRow:
    """A row that fits a GPU, unless more is said."""
    return FinderRow(listing=listing, quant=quant, **{"verdict": "gpu", "file_bytes": 5 * GIB, **said})
