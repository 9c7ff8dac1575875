"""A model's shape out of what its card says: parameters, perhaps layers and widths, and a quantization label.

What a card leaves out is estimated from models of its size, and the shape says how far off that may be. Takes values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from tui.fit.architectures import (
    BOTH,
    FUSED_QKV,
    GATE_JOINED,
    GATELESS,
    INDEXED,
    PARALLEL,
    RECURRENT,
    RECURRENT_BY_INTERVAL,
    RECURRENT_WITHOUT_HEADS,
    slides,
)
from tui.fit.guess import TIED, divided, embedding_values, filled, total_values
from tui.fit.labels import LABELS, UNKNOWN, Label, label_of
from tui.fit.shape import Layer, ModelShape, State, Wiring
from tui.gguf.types import TENSOR_TYPES

GGUF_NAMES = {
    **dict.fromkeys(("mistral", "mixtral", "ministral", "yi", "solar", "smolvlm", "idefics3"), "llama"),
    **dict.fromkeys(("gemma3_text", "gemma3"), "gemma3"),
    **dict.fromkeys(("qwen2_vl", "qwen2_5_vl"), "qwen2vl"),
    **dict.fromkeys(("deepseek_v2", "deepseek_v3", "kimi_k2", "kimi_k25", "kimi_vl", "deepseek_vl_v2"), "deepseek2"),
    **dict.fromkeys(("glm4_moe", "glm4v_moe"), "glm4moe"),
    **dict.fromkeys(("qwen3_5_moe", "qwen3_5_moe_text"), "qwen35moe"),
    **dict.fromkeys(("mimo_v2", "mimo_v2_flash"), "mimo2"),
    **dict.fromkeys(("lfm2", "lfm2_vl"), "lfm2"),
    **dict.fromkeys(("olmo3", "olmo2"), "olmo2"),
    "phi": "phi2",
    "gpt_oss": "gpt-oss",
    "gpt_bigcode": "starcoder",
    "gpt_neox": "gptneox",
    "cohere": "command-r",
    "granitemoehybrid": "granitehybrid",
    "falcon_h1": "falcon-h1",
    "falcon_mamba": "mamba",
    "qwen2_moe": "qwen2moe",
    "qwen3_moe": "qwen3moe",
    "qwen3_vl": "qwen3vl",
    "qwen3_vl_moe": "qwen3vlmoe",
    "qwen3_next": "qwen3next",
    "qwen3_5": "qwen35",
    "qwen4_exp": "qwen4exp",
    "deepseek_v32": "deepseek32",
    "deepseek_v4": "deepseek4",
    "glm_moe_dsa": "glm-dsa",
    "glm5_next": "glm5-next",
    "lfm2_moe": "lfm2moe",
    "kimi_linear": "kimi-linear",
    "kimi_k3": "kimi-k3",
    "exaone_moe": "exaone-moe",
    "minimax_m2": "minimax-m2",
    "ernie4_5_moe": "ernie4_5-moe",
    "hunyuan_v1_dense": "hunyuan-dense",
    "hunyuan_v1_moe": "hunyuan-moe",
}
"""llama.cpp's name of an architecture by transformers' `model_type`, where they differ."""
WINDOWS = {
    **dict.fromkeys(("gemma2", "cohere2", "cohere2moe", "olmo2", "smallthinker"), 4096),
    **dict.fromkeys(("gemma3", "gemma4"), 1024),
    **dict.fromkeys(("gpt-oss", "mimo2", "exaone-moe"), 128),
    "gemma3n": 512,
    "afmoe": 2048,
    "llama4": 8192,
}
"""Tokens of the sliding window in the published models of an architecture, which cards seldom name."""
ATTENDING = {"granitehybrid": 10, "jamba": 8, "nemotron_h": 12, "nemotron_h_moe": 9, "lfm2": 3, "lfm2moe": 4}
"""Hybrids: about one layer in so many attends."""
LATENT = frozenset({"deepseek2", "deepseek32", "glm-dsa", "kimi-linear"})
"""Architectures whose cache holds compressed keys: 512 values and 64 with positions in every published model."""
LATENT_RANK, LATENT_ROPE = 512, 64
UNEVEN = frozenset({"openelm", "deci", "nemotron-nas"})
"""Architectures whose layers have heads of different numbers."""
TIED_BELOW, TIED_SHARE = 4_500_000_000, 0.06
SUPER_BLOCK = 256
SUPER_BLOCKS = frozenset(number for number, kind in TENSOR_TYPES.items() if kind.block == SUPER_BLOCK)
FALLBACK_BYTES, FALLBACK_SPREAD = 0.72, 0.1
"""Bytes of a value in the types that stand in for those of super-blocks (`tensor_type_fallback`), Q5_0 and Q8_0."""
USUAL_HEAD, USUAL_HEADS_KV, USUAL_VOCABULARY = 128, 8, 128_000
_LEAST_USUAL = SUPER_BLOCK // 2
"""Below it a width is that of a toy, and may be any."""
WIDTH_BY_DEPTH = 128
"""Width of a dense model by its number of layers; with 12 × width² values a layer both follow from its parameters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CardFacts:
    """What a catalogue knows of a model. None, or 0, is what it does not."""

    parameters: int
    architecture: str = ""
    """transformers' model_type, or llama.cpp's name."""
    context_length: int | None = None
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_dim: int | None = None
    hidden_size: int | None = None
    vocab_size: int | None = None
    active_parameters: int | None = None
    experts: int | None = None
    experts_used: int | None = None


class Weights(NamedTuple):
    """What the files of one quantization hold."""

    label: Label
    data_bytes: int
    """All of them."""
    tied: bool
    """The embeddings serve as output matrix, too."""
    spread: float
    """How far off the bytes may be, as a share of them."""
    input_bytes: int
    """The token embeddings."""
    output_bytes: int
    """An output matrix of its own."""
    layers_bytes: int
    """All layers together."""


def shape_of_facts(facts: CardFacts, label: str) -> ModelShape:
    """The shape of a model as its files with this quantization label would have it."""
    architecture = GGUF_NAMES.get(facts.architecture, facts.architecture)
    parameters = max(0, facts.parameters)
    n_expert = facts.experts if facts.experts and facts.experts > 1 else 0
    n_layer = facts.layers or max(1, round((_dense(facts) / (12 * WIDTH_BY_DEPTH**2)) ** (1 / 3)))
    n_embd = facts.hidden_size or (facts.heads or 0) * (facts.head_dim or 0) or _usual(n_layer * WIDTH_BY_DEPTH)
    window, layers = _layers(facts, architecture, n_layer, n_embd)
    shape = ModelShape(
        architecture=architecture,
        n_layer=n_layer,
        n_block=n_layer,
        n_ctx_train=facts.context_length or 0,
        n_embd=n_embd,
        n_vocab=facts.vocab_size or USUAL_VOCABULARY,
        layers=layers,
        window=window,
        mla=architecture in LATENT,
        mla_key_length=192,
        mla_value_length=128,
        state=_state(architecture, n_embd),
        wiring=Wiring(
            fused_qkv=architecture in FUSED_QKV,
            gate="joined" if architecture in GATE_JOINED else "none" if architecture in GATELESS else "apart",
            parallel=architecture in PARALLEL,
        ),
        n_expert=n_expert,
        n_expert_used=min(n_expert, facts.experts_used or 1),
        parameters=parameters,
        context_spread=_context_spread(facts, architecture),
    )
    return _weighed(_widened(shape, facts), label)


def _usual(width: int) -> int:
    """A width that no card tells, near this one: of whole super-blocks, as those of 498 of 510 models above a billion
    parameters are. One that came out odd by chance would be taken for one whose rows need larger types.
    """
    return max(1, round(width / SUPER_BLOCK)) * SUPER_BLOCK if width >= _LEAST_USUAL else width


def _dense(facts: CardFacts) -> int:
    """Parameters that tell how deep a model is: of a mixture those in use."""
    return max(1, facts.active_parameters or facts.parameters)


def _layers(facts: CardFacts, architecture: str, n_layer: int, n_embd: int) -> tuple[int, tuple[Layer, ...]]:
    head = facts.head_dim or (n_embd // facts.heads if facts.heads else USUAL_HEAD)
    heads = facts.heads or max(1, n_embd // max(1, head))
    heads_kv = facts.kv_heads or min(heads, USUAL_HEADS_KV)
    window, sliding = slides(architecture, n_layer, WINDOWS.get(architecture), None)
    every = RECURRENT_BY_INTERVAL.get(architecture) or ATTENDING.get(architecture, 4)
    hybrid = architecture in RECURRENT_BY_INTERVAL or architecture in RECURRENT_WITHOUT_HEADS
    key, value = head, head
    if architecture in LATENT:
        key, value, heads_kv = LATENT_RANK + LATENT_ROPE, LATENT_RANK, 1
    made: list[Layer] = []
    for number in range(n_layer):
        recurrent = architecture in RECURRENT or (hybrid and (number + 1) % every != 0)
        made.append(
            Layer(
                n_head=heads,
                n_head_kv=0 if recurrent else heads_kv,
                key_length=key,
                value_length=value,
                slides=sliding[number],
                keeps_cache=not recurrent,
                recurrent=recurrent or architecture in BOTH,
            )
        )
    return window, tuple(made)


def _state(architecture: str, n_embd: int) -> State:
    """What published models of the architecture keep."""
    if architecture in ("lfm2", "lfm2moe"):
        return State(conv=2 * n_embd, d_inner=n_embd, short=True)
    if architecture in RECURRENT_BY_INTERVAL:
        return State(
            conv=3 * 4 * n_embd, recurrent=128 * 2 * n_embd, d_inner=2 * n_embd, d_state=128, n_group=16, steps=32
        )
    if architecture in RECURRENT or architecture in BOTH or architecture in RECURRENT_WITHOUT_HEADS:
        d_state = 16 if architecture in ("mamba", "jamba") else 128
        wide = 2 * n_embd
        return State(
            conv=3 * wide, recurrent=d_state * wide, d_inner=wide, d_state=d_state, n_group=1, steps=wide // 64
        )
    return State()


def _is_tied(shape: ModelShape) -> bool:
    """Whether the token embeddings probably serve as output matrix: they do in small models, of which they are much."""
    share = embedding_values(shape) / max(1, shape.parameters)
    return shape.architecture in TIED or (shape.parameters < TIED_BELOW and share > TIED_SHARE)


def _widened(shape: ModelShape, facts: CardFacts) -> ModelShape:
    """The widths of the feed-forward networks, out of the parameters that nothing else accounts for."""
    left = max(0, shape.parameters - total_values(shape, tied=_is_tied(shape)))
    ways = 2 if shape.wiring.gate == "none" else 3
    each = left // max(1, shape.n_layer * ways * max(1, shape.n_embd))
    told = facts.hidden_size and facts.layers and facts.vocab_size
    if not shape.n_expert:
        n_ff = each if told else _usual(each)
        return replace(shape, layers=tuple(layer._replace(n_ff=n_ff) for layer in shape.layers))
    routed = left
    if facts.active_parameters and shape.n_expert > shape.n_expert_used:
        idle = 1 - shape.n_expert_used / shape.n_expert
        routed = min(left, round(max(0, shape.parameters - facts.active_parameters) / idle))
    per_layer = ways * max(1, shape.n_embd) * max(1, shape.n_layer)
    n_ff_expert = routed // (per_layer * shape.n_expert)
    return replace(
        shape,
        n_ff_expert=n_ff_expert if told and facts.experts else _usual(n_ff_expert),
        n_ff_shared=(left - routed) // per_layer,
        expert_parameters=routed,
    )


def weights_of(shape: ModelShape, name: str, file_bytes: int | None = None) -> Weights:
    """The bytes that a label makes of a shape's parameters; where the bytes of the files are known, how they lie."""
    label = _fitting(shape, label_of(name))
    tied, values = _is_tied(shape), embedding_values(shape)
    layers = max(0, shape.parameters - values * (1 if tied else 2))
    data = int(layers * label.layers + values * (label.output_bytes + (0 if tied else label.input_bytes)))
    unsure = min(0.5, values * label.output_bytes / max(1, data))
    if shape.parameters >= TIED_BELOW:
        unsure /= 2  # few large models are tied, and those are known
    spread = (label.spread if file_bytes is None else 0.0) + (0.0 if shape.architecture in TIED else unsure)
    data = data if file_bytes is None else file_bytes
    return Weights(label, data, tied, spread, *divided(shape, label, data, tied=tied))


def _weighed(shape: ModelShape, name: str) -> ModelShape:
    """The shape with the bytes that a label makes of its parameters."""
    found = weights_of(shape, name)
    made = filled(shape, found.label, found.data_bytes, tied=found.tied, spread=found.spread)
    return replace(made, file_bytes=found.data_bytes)


def _fitting(shape: ModelShape, label: Label) -> Label:
    """The label as far as the model's rows allow it: ones that fill no super-block are stored in larger types."""
    if label[:3] == LABELS["MXFP4_MOE"][:3] and not shape.n_expert:
        return UNKNOWN  # it says something of experts alone
    if label.layers >= FALLBACK_BYTES or label.input not in SUPER_BLOCKS:
        return label
    n_ff = shape.n_ff_expert or max((layer.n_ff for layer in shape.layers), default=0)
    share = (0 if _fills(shape.n_embd) else 2 / 3) + (0 if _fills(n_ff) else 1 / 3)
    larger = label.layers + share * (FALLBACK_BYTES - label.layers)
    return label._replace(layers=larger, spread=label.spread + share * FALLBACK_SPREAD)


def _fills(row: int) -> bool:
    """A row is of whole super-blocks, as far as a width can tell that is itself no more than near."""
    return abs(row - round(row / SUPER_BLOCK) * SUPER_BLOCK) <= row * 0.01


def _context_spread(facts: CardFacts, architecture: str) -> float:
    """How far off the bytes of a context may be: grouped or not, a width by rule of thumb, a hybrid's unknown order."""
    known = facts.layers and facts.kv_heads and facts.head_dim and architecture not in UNEVEN
    spread = 0.0 if known else 0.75
    if architecture in LATENT and facts.layers:
        spread = 0.05
    if architecture in RECURRENT_WITHOUT_HEADS or architecture in RECURRENT_BY_INTERVAL or architecture in BOTH:
        spread = max(spread, 0.5)
    return max(spread, 0.3) if architecture in INDEXED or architecture in WINDOWS else spread
