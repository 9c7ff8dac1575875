"""A model's shape out of its header: exact with tensor infos, within bounds from the keys alone.

Takes values; never a path. Never fails on a header that parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tui.fit.architectures import INDEXED
from tui.fit.facts import Facts
from tui.fit.shape import CUDA_ALIGNMENT, CUDA_ROW, HOST_ALIGNMENT, NOTHING, Bytes, Layer, ModelShape, padded
from tui.gguf.header import Header
from tui.gguf.layout import Layout
from tui.gguf.tensors import Tensor
from tui.gguf.types import TENSOR_TYPES

_BLOCK = re.compile(r"blk\.(\d+)\.(.*)", re.DOTALL)
_EXPERTS = re.compile(r"ffn_(up|down|gate|gate_up)_(ch|)exps")
"""llama.cpp `LLM_FFN_EXPS_REGEX`."""
_INPUT = ("token_embd.", "per_layer_token_embd.", "position_embd.", "token_types.")
"""Looked up by token (`LLM_TENSOR_LAYER_INPUT`)."""
_REPEATED = ("rope_freqs.", "rope_factors_long.", "rope_factors_short.")
_FIRST_LAYER = ("token_embd_norm.", "per_layer_model_proj.", "per_layer_proj_norm.")
"""Belong to the first layer by their place, though not by their name."""
INDEXED_SPREAD = 0.3
"""How far off a context may be whose indexer is not counted: keys of 128 values beside a compressed row of 576."""


def tensor_bytes(tensor: Tensor) -> Bytes:
    """What one tensor takes in each kind of buffer. Source: `ggml_backend_cuda_buffer_type_get_alloc_size`."""
    kind = TENSOR_TYPES[tensor.type]
    size = tensor.n_bytes
    row = tensor.shape[0] if tensor.shape else 1
    if kind.block > 1 and row % CUDA_ROW:
        size += (CUDA_ROW - row % CUDA_ROW) // kind.block * kind.block_bytes
    return Bytes(padded(tensor.n_bytes, HOST_ALIGNMENT), padded(size, CUDA_ALIGNMENT))


def shape_of_layout(layout: Layout) -> ModelShape:
    """The shape of a model whose tensor infos are known: every byte of weights is exact."""
    shape = bare_shape(layout.header)
    sums = _Sums(shape.layers)
    for tensor in layout.tensors:
        sums.add(tensor)
    has_output = any(tensor.name == "output.weight" for tensor in layout.tensors)
    embeddings = next((tensor for tensor in layout.tensors if tensor.name == "token_embd.weight"), None)
    tied = embeddings is not None and not has_output
    n_vocab = embeddings.shape[1] if embeddings is not None and len(embeddings.shape) > 1 else shape.n_vocab
    return replace(
        shape,
        n_vocab=n_vocab,
        layers=tuple(sums.layers),
        input=sums.input,
        output=sums.output,
        repeated=sums.repeated,
        tied=tensor_bytes(embeddings) if embeddings is not None and tied else NOTHING,
        tied_type=embeddings.type if embeddings is not None and tied else None,
        parameters=layout.header.parameters or 0,
        expert_parameters=sums.expert_parameters,
        has_gate=any(".ffn_gate" in tensor.name for tensor in layout.tensors),
        exact=True,
        weights_spread=0.0,
    )


def bare_shape(header: Header) -> ModelShape:
    """All that the keys of a header say; no weights yet."""
    architecture = header.architecture or ""
    facts = Facts(architecture, header.metadata)
    n_layer, n_block = facts.block_counts()
    window, layers = facts.layers()
    n_expert = facts.number("expert_count")
    n_ff = max((layer.n_ff for layer in layers), default=0)
    shared = facts.number("expert_shared_feed_forward_length")
    n_ff_expert = facts.number("expert_feed_forward_length", n_ff if n_expert else 0)
    mla_key, mla_value = facts.number("attention.key_length_mla"), facts.number("attention.value_length_mla")
    return ModelShape(
        architecture=architecture,
        n_layer=n_layer,
        n_block=n_block,
        n_ctx_train=header.n_ctx_train or 0,
        n_embd=facts.number("embedding_length"),
        n_vocab=header.n_vocab or 0,
        layers=layers,
        window=window,
        mla=bool(mla_key and mla_value),
        mla_key_length=mla_key,
        mla_value_length=mla_value,
        state=facts.state(max((layer.n_head for layer in layers), default=0)),
        n_expert=n_expert,
        n_expert_used=min(n_expert, facts.number("expert_used_count")),
        n_ff_expert=n_ff_expert,
        n_ff_shared=shared or facts.number("expert_shared_count") * n_ff_expert,
        file_bytes=header.file_bytes,
        exact=False,
        context_spread=INDEXED_SPREAD if architecture in INDEXED else 0.0,
    )


class _Sums:
    """Adds tensors up by where llama.cpp puts them."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = list(layers)
        self.input = self.output = self.repeated = NOTHING
        self.expert_parameters = 0

    def add(self, tensor: Tensor) -> None:
        """Count one tensor in; blocks that only draft further tokens are not loaded."""
        size = tensor_bytes(tensor)
        block = _BLOCK.fullmatch(tensor.name)
        if block is not None:
            number = int(block[1])
            if number < len(self.layers):
                self._add_to_layer(number, tensor, size, _EXPERTS.search(block[2]) is not None)
        elif tensor.name.startswith(_INPUT):
            self.input = self.input.plus(size)
        elif tensor.name.startswith(_REPEATED):
            self.repeated = self.repeated.plus(size)
        elif tensor.name.startswith(_FIRST_LAYER) and self.layers:
            self._add_to_layer(0, tensor, size, False)
        else:
            self.output = self.output.plus(size)

    def _add_to_layer(self, number: int, tensor: Tensor, size: Bytes, is_expert: bool) -> None:
        layer = self.layers[number]
        if not is_expert:
            largest = max(layer.largest, tensor.n_bytes)
            self.layers[number] = layer._replace(weights=layer.weights.plus(size), largest=largest)
            return
        largest = max(layer.largest_expert, tensor.n_bytes)
        self.layers[number] = layer._replace(experts=layer.experts.plus(size), largest_expert=largest)
        values = 1
        for length in tensor.shape:
            values *= length
        self.expert_parameters += values
