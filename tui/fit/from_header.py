"""A model's shape out of its header: exact with tensor infos, within bounds from the keys alone.

Takes values; never a path. Never fails on a header that parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tui.config.sizes import padded
from tui.fit.architectures import FUSED_QKV, GATE_JOINED, GATELESS, INDEXED, PARALLEL
from tui.fit.facts import Facts
from tui.fit.guess import embedding_values, expert_values, filled, is_tied, total_values
from tui.fit.labels import label_of
from tui.fit.shape import NOTHING, Bytes, Layer, ModelShape, Wiring
from tui.fit.sizes import HOST_ALIGNMENT
from tui.gguf.header import Header
from tui.gguf.layout import Layout
from tui.gguf.tensors import Tensor
from tui.gguf.types import TENSOR_TYPES
from tui.llama.cuda_facts import CUDA_ALIGNMENT, CUDA_ROW

_BLOCK = re.compile(r"blk\.(\d+)\.(.*)", re.DOTALL)
_EXPERTS = re.compile(r"ffn_(up|down|gate|gate_up)_(ch|)exps")
"""llama.cpp `LLM_FFN_EXPS_REGEX`."""
_INPUT = ("token_embd.", "per_layer_token_embd.", "position_embd.", "token_types.")
"""Looked up by token (`LLM_TENSOR_LAYER_INPUT`)."""
_REPEATED = ("rope_freqs.", "rope_factors_long.", "rope_factors_short.")
_FIRST_LAYER = ("token_embd_norm.", "per_layer_model_proj.", "per_layer_proj_norm.")
"""Belong to the first layer by their place, though not by their name."""
_NORMED_LIKE_INPUT = frozenset({"lfm2", "lfm2moe"})
"""Their last norm goes by the name of the first (`LLM_TENSOR_OUTPUT_NORM_LFM2`)."""
USUAL_VOCABULARY = 128_000
TOKEN_BYTES = 40
"""Bytes that a token and its merges take in a header, on average."""
HEADER_SPREAD = 0.02
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
    sums = _Sums(shape.layers, shape.architecture)
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
        wiring=_wiring(layout, shape),
        exact=True,
        weights_spread=0.0,
    )


def shape_of_header(header: Header) -> ModelShape:
    """The shape of a model of which only the keys are known: the file's bytes, spread over its parts by formula."""
    shape = bare_shape(header)
    label = label_of(header.file_type)
    if not shape.n_vocab:
        shape = replace(shape, n_vocab=USUAL_VOCABULARY)
    data = max(0, header.file_bytes - (header.data_offset or shape.n_vocab * TOKEN_BYTES))
    tied, sure = is_tied(shape, label, data)
    unsure = 0.0 if sure else min(0.3, embedding_values(shape) * label.output_bytes / max(1, data))
    made = filled(shape, label, data, tied=tied, spread=HEADER_SPREAD + unsure)
    return replace(made, parameters=total_values(shape, tied=tied), expert_parameters=expert_values(shape))


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
        q_rank=facts.number("attention.q_lora_rank"),
        mla_key_length=mla_key,
        mla_value_length=mla_value,
        state=facts.state(max((layer.n_head for layer in layers), default=0)),
        wiring=Wiring(
            fused_qkv=architecture in FUSED_QKV,
            gate="joined" if architecture in GATE_JOINED else "none" if architecture in GATELESS else "apart",
            parallel=architecture in PARALLEL
            and header.metadata.get(f"{architecture}.use_parallel_residual") is not False,
        ),
        n_expert=n_expert,
        n_expert_used=min(n_expert, facts.number("expert_used_count")),
        n_ff_expert=n_ff_expert,
        n_ff_shared=shared or facts.number("expert_shared_count") * n_ff_expert,
        file_bytes=header.file_bytes,
        exact=False,
        context_spread=INDEXED_SPREAD if architecture in INDEXED else 0.0,
    )


def _wiring(layout: Layout, shape: ModelShape) -> Wiring:
    """How the layers are joined, by the names and shapes of their tensors."""
    names = {tensor.name.partition(".")[2].partition(".")[2]: tensor for tensor in layout.tensors}
    up, gate = names.get("ffn_up.weight"), "ffn_gate.weight" in names or "ffn_gate_shexp.weight" in names
    widest = max((layer.n_ff for layer in shape.layers), default=0)
    doubled = up is not None and len(up.shape) > 1 and widest and up.shape[1] == 2 * widest
    return shape.wiring._replace(
        fused_qkv="attn_qkv.weight" in names,
        gate="apart" if gate or up is None else "joined" if doubled else "none",
        experts_joined="ffn_gate_up_exps.weight" in names,
    )


class _Sums:
    """Adds tensors up by where llama.cpp puts them."""

    def __init__(self, layers: Iterable[Layer], architecture: str) -> None:
        self.layers = list(layers)
        self._last_norm = "token_embd_norm." if architecture in _NORMED_LIKE_INPUT else "output_norm."
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
        elif tensor.name.startswith(_FIRST_LAYER) and self.layers and not tensor.name.startswith(self._last_norm):
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
