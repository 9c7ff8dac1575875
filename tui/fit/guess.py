"""Fills a shape without tensor infos with weights: how many values each part has, and how many bytes they take.

The shapes of matrices follow from widths that a header or a model card names. What they do not name is bounded, and the
bounds are said.
"""

from __future__ import annotations

from dataclasses import replace

from tui.fit.labels import Label
from tui.fit.shape import NOTHING, Bytes, Layer, ModelShape

TIED = frozenset(
    {"gemma", "gemma2", "gemma3", "gemma3n", "gemma4", "command-r", "cohere2", "lfm2", "lfm2moe", "mamba", "openelm"}
)
"""Architectures whose published models have no output matrix of their own."""


def embedding_values(shape: ModelShape) -> int:
    """Values of the token embeddings, as many as the output matrix has."""
    return shape.n_vocab * shape.n_embd


def layer_values(shape: ModelShape, layer: Layer) -> tuple[int, int]:
    """Values in the matrices of a layer: all but the experts', and the experts'."""
    n_q, n_k = layer.n_head * layer.key_length, layer.n_head_kv * layer.key_length
    mixer = (n_q + n_k + layer.n_head_kv * layer.value_length + layer.n_head * layer.value_length) * shape.n_embd
    if shape.mla:
        mixer = _latent_values(shape, layer)
    if layer.recurrent:
        state = shape.state
        inner = state.d_inner * (4 if state.short else 3) + 2 * state.n_group * state.d_state
        mixer = shape.n_embd * inner + (mixer if layer.keeps_cache else 0)
    ways = 2 if shape.wiring.gate == "none" else 3
    is_sparse = layer_is_sparse(shape, layer)
    dense = shape.n_ff_shared if is_sparse else layer.n_ff
    experts = shape.n_expert * ways * shape.n_ff_expert * shape.n_embd if is_sparse else 0
    return mixer + ways * dense * shape.n_embd, experts


def layer_is_sparse(shape: ModelShape, layer: Layer) -> bool:
    """A layer has experts, unless it is one of the first, dense ones."""
    return bool(shape.n_expert and shape.n_ff_expert) and not layer.dense


def values_by_layer(shape: ModelShape) -> list[tuple[int, int]]:
    """`layer_values` of each layer; layers that are alike are counted once."""
    kinds: dict[Layer, tuple[int, int]] = {}
    for layer in shape.layers:
        if layer not in kinds:
            kinds[layer] = layer_values(shape, layer)
    return [kinds[layer] for layer in shape.layers]


def total_values(shape: ModelShape, *, tied: bool) -> int:
    """Values of the whole model."""
    layers = sum(map(sum, values_by_layer(shape)))
    return layers + embedding_values(shape) * (1 if tied else 2)


def expert_values(shape: ModelShape) -> int:
    """Values of all routed experts."""
    return sum(experts for _, experts in values_by_layer(shape))


def is_tied(shape: ModelShape, label: Label, data_bytes: int) -> tuple[bool, bool]:
    """Whether the token embeddings serve as output matrix too, and whether that is sure: of both cases the one that
    is closer to the file's size.
    """
    if shape.architecture in TIED:
        return True, True
    apart, together = (abs(_bytes(shape, label, tied=tied) - data_bytes) for tied in (False, True))
    return together < apart, min(apart, together) < max(apart, together) / 4


def divided(shape: ModelShape, label: Label, data_bytes: int, *, tied: bool) -> tuple[int, int, int]:
    """Bytes of the token embeddings, of an output matrix of its own, and of the layers, which together are
    `data_bytes`.
    """
    values = embedding_values(shape)
    if tied:
        first, last = min(data_bytes, int(values * label.output_bytes)), 0
    else:
        first, last = int(values * label.input_bytes), int(values * label.output_bytes)
        if first + last > data_bytes:
            first = last = data_bytes // 2
    return first, last, data_bytes - first - last


def filled(shape: ModelShape, label: Label, data_bytes: int, *, tied: bool, spread: float) -> ModelShape:
    """The shape with `data_bytes` of weights spread over its parts."""
    first, last, rest = divided(shape, label, data_bytes, tied=tied)
    parts = values_by_layer(shape)
    total = sum(map(sum, parts)) or 1
    kinds: dict[Layer, Layer] = {}
    for layer, (own, experts) in zip(shape.layers, parts, strict=True):
        if layer not in kinds:
            kinds[layer] = _with_weights(shape, layer, own, own * rest // total, experts * rest // total)
    return replace(
        shape,
        layers=tuple(kinds[layer] for layer in shape.layers),
        input=Bytes(first, first),
        output=Bytes(last, last) if shape.layers else Bytes(last + rest, last + rest),
        tied=Bytes(first, first) if tied else NOTHING,
        tied_type=label.output if tied else None,
        exact=False,
        weights_spread=spread,
    )


def _with_weights(shape: ModelShape, layer: Layer, values: int, own: int, experts: int) -> Layer:
    ways = 2 if shape.wiring.gate == "none" else 3
    return layer._replace(
        weights=Bytes(own, own),
        experts=Bytes(experts, experts),
        largest=min(own, own * max(layer.n_ff * shape.n_embd, 1) // max(1, values)),
        largest_expert=experts // ways,
    )


def _latent_values(shape: ModelShape, layer: Layer) -> int:
    rank = layer.value_length
    rope = max(0, layer.key_length - rank)
    plain = max(0, shape.mla_key_length - rope)
    query = (
        shape.q_rank * (shape.n_embd + layer.n_head * shape.mla_key_length)
        if shape.q_rank
        else shape.n_embd * layer.n_head * shape.mla_key_length
    )
    unpacked = layer.n_head * rank * (plain + shape.mla_value_length)
    return query + shape.n_embd * layer.key_length + unpacked + layer.n_head * shape.mla_value_length * shape.n_embd


def _bytes(shape: ModelShape, label: Label, *, tied: bool) -> float:
    layers = sum(map(sum, values_by_layer(shape))) * label.layers
    return layers + embedding_values(shape) * (label.output_bytes + (0 if tied else label.input_bytes))
