"""Writes GGUF files for tests: small runnable models with random or scripted weights, sharded ones, and mere headers.

The runnable ones load and decode in llama.cpp within milliseconds and need no network. A file made twice with the same
arguments is the same file. Only tests import this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np

from tests.rigs.tiny_tensors import Shape, Tensors, random_tensors, scripted_tensors
from tests.rigs.tiny_vocab import CHATML, Kind, Vocabulary, vocabulary

Architecture = Literal["llama", "gemma3", "qwen2vl", "mamba", "jamba"]
Quant = Literal["F32", "F16", "Q8_0", "Q4_0"]

GEMMA3_PATTERN = 6
"""llama.cpp makes every sixth layer of gemma3 a global one; the others look back over the sliding window only."""

_FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7}


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What the writer needs beyond the tensors."""

    architecture: str
    shape: Shape
    n_ctx_train: int
    sliding_window: int
    quant: Quant
    chat_template: str | None
    name: str


def tiny_model(
    path: Path,
    architecture: Architecture = "llama",
    *,
    n_ctx_train: int = 4096,
    n_layer: int | None = None,
    n_embd: int = 64,
    n_expert: int = 0,
    chat_template: str | None = CHATML,
    sliding_window: int = 64,
    vocab: Kind | None = None,
    quant: Quant = "F32",
    shards: int = 1,
    seed: int = 0,
    name: str = "",
) -> Path:
    """Write a runnable model with random weights; the path to load is returned (of several shards, the first).

    It answers with nonsense, and under greedy sampling it never ends by itself. `llama` is dense (`n_expert` > 0: a
    mixture of experts), `gemma3` has sliding-window layers of `sliding_window` tokens with every sixth layer global,
    `qwen2vl` is dense with M-RoPE, `mamba` is recurrent, `jamba` alternates recurrent and attention layers. With
    `chat_template=None` the file has none. `shards` > 1 splits it as llama.cpp does.
    """
    layers = n_layer or {"llama": 2, "gemma3": GEMMA3_PATTERN, "qwen2vl": 2, "mamba": 2, "jamba": 4}[architecture]
    words = vocabulary(vocab or ("spm" if architecture == "gemma3" else "bpe"))
    shape = Shape(n_vocab=len(words.tokens), n_embd=n_embd, n_layer=layers, n_expert=n_expert)
    tensors = random_tensors(architecture, shape, words, seed)
    recipe = _Recipe(
        architecture, shape, n_ctx_train, sliding_window, quant, chat_template, name or f"tiny {architecture}"
    )
    return _write(path, recipe, words, tensors, shards)


def scripted_model(
    path: Path,
    says: str,
    *,
    ends: bool = True,
    n_ctx_train: int = 4096,
    n_layer: int = 2,
    vocab: Kind = "bpe",
    chat_template: str | None = CHATML,
    name: str = "scripted llama",
) -> Path:
    """Write a runnable llama that answers `says`, byte by byte, whatever it is asked, and then ends or says it again.

    Each token is one byte, so a character outside ASCII comes in pieces. The next byte follows from the last one alone:
    no byte may occur twice in `says`, and a prompt should not end in one of its bytes.
    """
    words = vocabulary(vocab)
    script = [words.id_of_byte(byte) for byte in says.encode()]
    if len(set(script)) != len(script):
        raise ValueError(f"a byte occurs twice in {says!r}; the model could not tell what follows it")
    n_embd = -(-(len(script) + 1) // 64) * 64
    shape = Shape(n_vocab=len(words.tokens), n_embd=n_embd, n_layer=n_layer)
    then = words.id_of("<|im_end|>") if ends else script[0]
    recipe = _Recipe("llama", shape, n_ctx_train, 0, "F32", chat_template, name)
    return _write(path, recipe, words, scripted_tensors(shape, script, then), 1)


def plain_gguf(
    path: Path,
    metadata: Mapping[str, str | int | float | bool | Sequence[Any]] | None = None,
    *,
    architecture: str = "llama",
    tensors: Mapping[str, tuple[int, ...]] | None = None,
) -> Path:
    """Write a well-formed file that is no runnable model: this metadata, and float32 zeros of these (numpy) shapes."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in (metadata or {}).items():
        _add_value(writer, key, value)
    for tensor, dims in (tensors or {}).items():
        writer.add_tensor(tensor, np.zeros(dims, dtype=np.float32))
    return _finish(writer, path, 1)


def _add_value(writer: Any, key: str, value: str | int | float | bool | Sequence[Any]) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_array(key, list(value))


def _write(path: Path, recipe: _Recipe, words: Vocabulary, tensors: Tensors, shards: int) -> Path:
    per_shard = -(-len(tensors) // shards) if shards > 1 else 0
    # The writer puts the numbering in front of the suffix by itself.
    writer = gguf.GGUFWriter(path, recipe.architecture, split_max_tensors=per_shard)
    writer.add_name(recipe.name)
    writer.add_file_type(_FILE_TYPES[recipe.quant])
    _add_shape(writer, recipe)
    words.write(writer, recipe.chat_template)
    for tensor, values in tensors.items():
        _add_tensor(writer, tensor, values, recipe.quant)
    return _finish(writer, path, shards)


def _add_shape(writer: Any, recipe: _Recipe) -> None:
    shape, arch = recipe.shape, recipe.architecture
    writer.add_context_length(recipe.n_ctx_train)
    writer.add_embedding_length(shape.n_embd)
    writer.add_block_count(shape.n_layer)
    writer.add_vocab_size(shape.n_vocab)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_feed_forward_length(0 if arch == "mamba" else shape.n_ff)
    writer.add_head_count(0 if arch == "mamba" else shape.n_head)
    if arch in ("mamba", "jamba"):
        writer.add_ssm_conv_kernel(shape.d_conv)
        writer.add_ssm_inner_size(shape.d_inner)
        writer.add_ssm_state_size(shape.d_state)
        writer.add_ssm_time_step_rank(shape.dt_rank)
    if arch == "jamba":
        writer.add_head_count_kv([shape.n_head_kv if shape.is_attention(i) else 0 for i in range(shape.n_layer)])
    elif arch != "mamba":
        writer.add_head_count_kv(shape.n_head_kv)
        writer.add_rope_dimension_count(shape.head_dim)
    if arch == "gemma3":
        writer.add_key_length(shape.head_dim)
        writer.add_value_length(shape.head_dim)
        writer.add_sliding_window(recipe.sliding_window)
    if arch == "qwen2vl":
        writer.add_rope_dimension_sections([shape.head_dim // 4, shape.head_dim // 8, shape.head_dim // 8, 0])
    if shape.n_expert:
        writer.add_expert_count(shape.n_expert)
        writer.add_expert_used_count(2)


def _add_tensor(writer: Any, name: str, values: np.ndarray[Any, Any], quant: Quant) -> None:
    """Matrices are stored in `quant`; vectors and the small parts of recurrent layers stay float32: llama.cpp
    wants that.
    """
    if quant == "F32" or values.ndim < 2 or ".ssm_conv1d" in name or ".ssm_a" in name or "ffn_gate_inp" in name:
        writer.add_tensor(name, values)
    elif quant == "F16":
        writer.add_tensor(name, values.astype(np.float16))
    else:
        kind = gguf.GGMLQuantizationType[quant]
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


def _finish(writer: Any, path: Path, shards: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path if shards == 1 else path.with_name(f"{path.stem}-00001-of-{shards:05d}{path.suffix}")
