"""Writes projectors for the tests' tiny models: a vision tower with random weights, small enough to look at an image in
a millisecond. What it says of an image means nothing, but another image gives clearly other logits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np

ProjectorKind = Literal["mlp", "qwen2vl_merger", "gemma3"]

SIDE, PATCH = 64, 8
"""Pixels of an image's side as the tower sees it, and of a patch's."""
MLP_TOKENS = (SIDE // PATCH) ** 2
"""Tokens of an image in the context of a model with an mlp projector; of gemma3's it is a quarter of a quarter."""
_N_EMBD, _N_FF, _N_LAYER = 64, 128, 2


def tiny_projector(path: Path, kind: ProjectorKind = "mlp", *, n_embd: int = 64, seed: int = 0) -> Path:
    """Write a projector for a model whose embeddings have `n_embd` values.

    `mlp` gives every image the same number of tokens, `qwen2vl_merger` (for a model with M-RoPE) a number that grows
    with the image, in a grid of positions; `gemma3` wants to be read without a causal mask.
    """
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    _add_keys(writer, kind, n_embd)
    for name, values in _tensors(kind, n_embd, seed).items():
        writer.add_tensor(name, values)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_keys(writer: Any, kind: ProjectorKind, n_embd: int) -> None:
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", kind)
    writer.add_bool("clip.use_gelu", True)
    numbers = {
        "embedding_length": _N_EMBD, "feed_forward_length": _N_FF, "block_count": _N_LAYER, "projection_dim": n_embd,
        "image_size": SIDE, "patch_size": PATCH, "attention.head_count": 4,
    }  # fmt: skip
    for key, number in numbers.items():
        writer.add_uint32(f"clip.vision.{key}", number)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])


def _tensors(kind: ProjectorKind, n_embd: int, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    pick, made = np.random.default_rng(seed), {}

    def matrix(name: str, *dims: int, scale: float = 1.0) -> None:
        made[name] = (pick.standard_normal(dims) * scale / np.sqrt(np.prod(dims[1:]))).astype(np.float32)

    def with_bias(name: str, rows: int, columns: int, scale: float = 1.0) -> None:
        matrix(f"{name}.weight", rows, columns, scale=scale)
        made[f"{name}.bias"] = (0.1 * pick.standard_normal(rows)).astype(np.float32)

    matrix("v.patch_embd.weight", _N_EMBD, 3, PATCH, PATCH, scale=8.0)
    if kind == "qwen2vl_merger":
        matrix("v.patch_embd.weight.1", _N_EMBD, 3, PATCH, PATCH, scale=8.0)
    else:
        matrix("v.position_embd.weight", MLP_TOKENS, _N_EMBD)
    for layer in range(_N_LAYER):
        block = f"v.blk.{layer}"
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            with_bias(f"{block}.{part}", _N_EMBD, _N_EMBD, scale=2.0)
        with_bias(f"{block}.ffn_up", _N_FF, _N_EMBD)
        with_bias(f"{block}.ffn_down", _N_EMBD, _N_FF)
        for norm in ("ln1", "ln2"):
            _norm(made, f"{block}.{norm}")
    if kind == "gemma3":
        _norm(made, "v.post_ln")
        matrix("mm.input_projection.weight", _N_EMBD, n_embd, scale=8.0)
        made["mm.soft_emb_norm.weight"] = np.ones(_N_EMBD, np.float32)
        return made
    if kind == "qwen2vl_merger":
        _norm(made, "v.post_ln")
    merged = 4 * _N_EMBD if kind == "qwen2vl_merger" else _N_EMBD
    with_bias("mm.0", merged, merged, scale=2.0)
    with_bias("mm.2", n_embd, merged, scale=8.0)
    return made


def _norm(made: dict[str, np.ndarray[Any, Any]], name: str) -> None:
    made[f"{name}.weight"] = np.ones(_N_EMBD, np.float32)
    made[f"{name}.bias"] = np.zeros(_N_EMBD, np.float32)
