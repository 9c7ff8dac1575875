"""Writes recipes as GGUF files, with weights or with a hole in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.rigs.architectures.layers import in_layer, linear, norm
from tests.rigs.architectures.published import PUBLISHED
from tests.rigs.architectures.quants import FILE_TYPES, Quant, Typed, assign_types, n_bytes
from tests.rigs.architectures.recipe import Recipe, Value
from tests.rigs.architectures.recurrent import RECURRENT
from tests.rigs.architectures.sizes import Dims, Sizes
from tests.rigs.architectures.transformers import TRANSFORMERS
from tests.rigs.tiny_vocab import CHATML, vocabulary

RECIPES = TRANSFORMERS | RECURRENT
"""Every architecture by the name that tests call it."""
_NUMPY: dict[gguf.GGMLQuantizationType, Any] = {
    gguf.GGMLQuantizationType.F32: np.float32,
    gguf.GGMLQuantizationType.F16: np.float16,
}


def tiny_architecture(path: Path, name: str, *, quant: Quant | None = None, **sizes: Any) -> Path:
    """Write a small model of the recipe `name`; `sizes` replace fields of its tiny Sizes.

    Unquantized tensors are random and quantized ones are zeros: it loads and decodes, and says nothing of sense.
    """
    recipe, words = RECIPES[name], vocabulary()
    quant = quant or recipe.quant
    s = replace(recipe.tiny, **sizes, n_vocab=len(words.tokens))
    writer = _started(path, recipe, s, quant, "tiny")
    words.write(writer, CHATML)
    random = np.random.default_rng(0)
    for tensor, dims, kind in model_tensors(recipe, s, quant):
        shape = dims[::-1]
        if dtype := _NUMPY.get(kind):
            writer.add_tensor(tensor, (0.1 * random.standard_normal(shape)).astype(dtype))
        else:
            rows = gguf.quants.quant_shape_to_byte_shape(shape, kind)
            writer.add_tensor(tensor, np.zeros(rows, dtype=np.uint8), raw_dtype=kind)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def published_model(path: Path, name: str, *, quant: Quant | None = None, words: bool = False) -> Path:
    """Write the header of a published model in front of a hole as large as its weights.

    Without `words` it has no vocabulary, only the size of one; with it, a made-up one of that size (megabytes).
    """
    model = PUBLISHED[name]
    recipe, quant = RECIPES[model.recipe], quant or model.quant
    writer = _started(path, recipe, model.sizes, quant, name)
    if words:
        _made_up_words(writer, model.sizes.n_vocab)
    else:
        writer.add_tokenizer_model("no_vocab")
    room = 0
    for tensor, dims, kind in model_tensors(recipe, model.sizes, quant):
        size = n_bytes(dims, kind)
        writer.add_tensor_info(tensor, dims[::-1], np.dtype(np.float32), size, raw_dtype=kind)
        room += gguf.GGUFWriter.ggml_pad(size, writer.data_alignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        header = gguf.GGUFWriter.ggml_pad(file.seek(0, 2), writer.data_alignment)
        file.truncate(header + room)
    return path


def model_tensors(recipe: Recipe, s: Sizes, quant: Quant) -> list[Typed]:
    """Every tensor of a model in file order, with its type."""
    return assign_types(_named(recipe, s), quant, recipe.architecture, s)


def _named(recipe: Recipe, s: Sizes) -> Iterator[tuple[str, Dims]]:
    yield from linear("token_embd", s.n_embd, s.n_vocab)
    yield from recipe.outside(s)
    for layer in range(s.n_layer):
        yield from in_layer(layer, *recipe.layer(s, layer))
    yield from norm(recipe.output_norm, s.n_embd, bias=recipe.norm_bias)
    if not s.tied:
        yield from linear("output", s.n_embd, s.n_vocab)


def _started(path: Path, recipe: Recipe, s: Sizes, quant: Quant, name: str) -> Any:
    writer = gguf.GGUFWriter(path, recipe.architecture)
    writer.add_name(name)
    writer.add_file_type(FILE_TYPES[quant])
    for key, value in {**_common_keys(s), **recipe.keys(s)}.items():
        _add(writer, f"{recipe.architecture}.{key}", value)
    return writer


def _common_keys(s: Sizes) -> Mapping[str, Value]:
    """The keys that most architectures share; what a model does not have is left out, as converters do."""
    keys: dict[str, Value] = {
        "vocab_size": s.n_vocab,
        "context_length": s.n_ctx_train,
        "embedding_length": s.n_embd,
        "block_count": s.n_layer,
        "feed_forward_length": s.n_ff if isinstance(s.n_ff, int) else list(s.n_ff),
        "attention.layer_norm_rms_epsilon": 1e-5,
        "attention.layer_norm_epsilon": 1e-5,
        "attention.head_count": s.n_head if isinstance(s.n_head, int) else list(s.n_head),
    }
    if s.n_head:
        kv = [s.heads_kv(layer) for layer in range(s.n_layer)]
        keys["attention.head_count_kv"] = kv if len(set(kv)) > 1 else kv[0]
        keys["rope.dimension_count"] = s.n_rot or s.head
    optional: dict[str, int] = {
        "attention.key_length": s.head_dim,
        "attention.value_length": s.head_dim,
        "attention.sliding_window": s.window,
        "expert_count": s.n_expert,
        "expert_used_count": s.n_expert_used,
        "expert_feed_forward_length": s.n_ff_exp,
        "expert_shared_feed_forward_length": s.n_ff_shexp,
        "ssm.conv_kernel": s.d_conv if s.d_inner else 0,
        "ssm.inner_size": s.d_inner,
        "ssm.state_size": s.d_state if s.d_inner else 0,
        "ssm.time_step_rank": s.dt_rank,
        "ssm.group_count": s.n_group,
    }
    return keys | {key: value for key, value in optional.items() if value}


def _add(writer: Any, key: str, value: Value) -> None:
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


def _made_up_words(writer: Any, count: int) -> None:
    """A vocabulary as large as the published one, in the form of SentencePiece."""
    raw = [f"<0x{byte:02X}>" for byte in range(256)]
    # llama.cpp looks the first four up by their spelling in models that are called phi-3.
    tokens = ["<unk>", "<s>", "</s>", "<|endoftext|>", *raw, *(f"▁word{i}" for i in range(count - len(raw) - 4))]
    types = [2, 3, 3, 3] + [6] * len(raw) + [1] * (count - len(raw) - 4)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * count)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(CHATML)
