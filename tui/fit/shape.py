"""What of a model decides how much memory it takes: layers, heads, windows, states, and the bytes of its weights.

Values only, made once for a model and asked for many settings. It must never read a file, and never fail on a shape
that is odd but possible: no heads, no layers, no vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from tui.fit.architectures import RECURRENT_BY_INTERVAL
from tui.fit.sizes import row_bytes


class Bytes(NamedTuple):
    """What tensors take in a buffer of the host, and in one of a CUDA device, padding included."""

    host: int = 0
    cuda: int = 0

    def plus(self, other: Bytes) -> Bytes:
        """Both together."""
        return Bytes(self.host + other.host, self.cuda + other.cuda)


NOTHING = Bytes()


class Layer(NamedTuple):
    """One layer."""

    n_head: int = 0
    n_head_kv: int = 0
    key_length: int = 0
    """Values of one head's key; with MLA of the compressed key that is cached."""
    value_length: int = 0
    n_ff: int = 0
    """Width of its dense feed-forward network; 0 without one."""
    slides: bool = False
    """Attends over the window only."""
    keeps_cache: bool = True
    recurrent: bool = False
    weights: Bytes = NOTHING
    """All its tensors but the experts'."""
    experts: Bytes = NOTHING
    """The tensors of its experts, which `n_cpu_moe` keeps in host memory."""
    dense: bool = False
    """One of the first layers of a mixture of experts that have none."""
    largest: int = 0
    """Bytes of the largest of its tensors that is no expert's."""
    largest_expert: int = 0
    """Bytes of the largest tensor of its experts; one tensor holds one matrix of all of them."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What one sequence keeps in a recurrent layer, in values of 4 bytes (`n_embd_r`, `n_embd_s`)."""

    conv: int = 0
    """The last inputs of its convolution, or its shifted tokens."""
    recurrent: int = 0
    d_inner: int = 0
    """Width of the layer inside."""
    d_state: int = 0
    n_group: int = 0
    steps: int = 0
    """Time steps of one token: one for each head, or for each value."""
    short: bool = False
    """A short convolution and nothing else."""

    @property
    def n_bytes(self) -> int:
        """Bytes for one sequence in one layer."""
        return 4 * (self.conv + self.recurrent)


class Wiring(NamedTuple):
    """How the parts of a layer are joined, as far as it changes what is held at once."""

    fused_qkv: bool = False
    """One matrix makes queries, keys and values."""
    gate: Literal["apart", "joined", "none"] = "apart"
    """The gate of a feed-forward network has a matrix of its own, one together with the way up, or there is no gate."""
    experts_joined: bool = False
    """The experts' gates and ways up are one matrix."""
    parallel: bool = False
    """Attention and feed-forward network read the same norm."""


PLAIN = Wiring()


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelShape:
    """All that the closed form and the speed need of a model."""

    architecture: str
    """As in GGUF; empty where it is not known."""
    n_layer: int
    """Layers that compute; blocks that only draft further tokens are left out."""
    n_block: int = 0
    """Layers as n_gpu_layers counts them, those that only draft further tokens included (`n_layer_all`)."""
    n_ctx_train: int = 0
    """0 where it is not known."""
    n_embd: int = 0
    n_vocab: int = 0
    layers: tuple[Layer, ...] = ()
    window: int = 0
    """Tokens that sliding layers attend over."""
    mla: bool = False
    """Keys and values share one compressed cache, so that values take nothing."""
    q_rank: int = 0
    """Width that queries are compressed to; 0 where they are not."""
    mla_key_length: int = 0
    """Values of one head's key once decompressed."""
    mla_value_length: int = 0
    state: State = State()
    wiring: Wiring = PLAIN
    n_expert: int = 0
    n_expert_used: int = 0
    n_ff_expert: int = 0
    """Width of one expert."""
    n_ff_shared: int = 0
    """Width of the experts that every token passes."""
    input: Bytes = NOTHING
    """Token embeddings and what else is looked up by token; always in host memory."""
    output: Bytes = NOTHING
    """Output matrix and norm, without a tied matrix."""
    tied: Bytes = NOTHING
    """The token embeddings that serve as output matrix too; nothing where the output has a matrix of its own. A second
    copy of them lies on the device that holds the output.
    """
    tied_type: int | None = None
    """ggml's number of the type they are stored in, where it is known."""
    repeated: Bytes = NOTHING
    """Tables that each device with a layer has a copy of (`rope_freqs`)."""
    file_bytes: int = 0
    parameters: int = 0
    """0 where it is not known."""
    expert_parameters: int = 0
    """Those of them in routed experts."""
    exact: bool = True
    """The bytes of weights are those of tensor infos."""
    weights_spread: float = 0.0
    """How far off the bytes of weights may be, as a share of them."""
    context_spread: float = 0.0
    """How far off the bytes of a context may be, as a share of them."""

    @property
    def output_at(self) -> int:
        """Where the output counts as a layer: behind every block, those that only draft further tokens included."""
        return max(self.n_block, self.n_layer)

    @cached_property
    def weights_bytes(self) -> int:
        """Bytes of all weights in host memory."""
        parts = [self.input.host, self.output.host, self.repeated.host]
        return sum(parts) + sum(layer.weights.host + layer.experts.host for layer in self.layers)

    @cached_property
    def experts_bytes(self) -> int:
        """Those of them in routed experts."""
        return sum(layer.experts.host for layer in self.layers)

    @cached_property
    def widest_value(self) -> int:
        """Values of the widest value row that any layer caches."""
        return max((layer.n_head_kv * layer.value_length for layer in self.layers), default=0)

    @cached_property
    def heads(self) -> int:
        """Most heads of any layer."""
        return max((layer.n_head for layer in self.layers), default=0)

    @cached_property
    def cache_kinds(self) -> tuple[bool, ...]:
        """Which KV caches there are: one of full layers (False), one of sliding ones (True)."""
        return tuple(sorted({layer.slides for layer in self.layers if layer.keeps_cache}))

    @cached_property
    def attends_on_host(self) -> bool:
        """Layers in host memory attend there even while a device computes the rest of them: the scheduler keeps what
        lies between two operations on states in host memory. Gated attention does not lie between two of them.
        """
        recurs = any(layer.recurrent for layer in self.layers)
        return recurs and self.architecture not in RECURRENT_BY_INTERVAL

    def bytes_per_value(self, layer: Layer) -> float:
        """Bytes of one value in the matrices of a layer, experts left out, on average."""
        n_q, n_k = layer.n_head * layer.key_length, layer.n_head_kv * layer.key_length
        n_v, n_out = layer.n_head_kv * layer.value_length, layer.n_head * layer.value_length
        ways = 2 if self.wiring.gate == "none" else 3
        n_ff = self.n_ff_shared if layer.experts.host else layer.n_ff
        mixer = 3 * self.state.d_inner if layer.recurrent else n_q + n_k + n_v + n_out
        values = self.n_embd * (mixer + ways * n_ff)
        return layer.weights.host / values if values else 0.0

    def cache_bytes(self, layer: Layer, type_k: str, type_v: str, cells: int) -> tuple[int, int]:
        """Bytes of the keys and of the values that one layer caches."""
        values = 0 if self.mla else layer.n_head_kv * layer.value_length
        return row_bytes(layer.n_head_kv * layer.key_length, type_k) * cells, row_bytes(values, type_v) * cells

    @cached_property
    def slides(self) -> bool:
        """Whether a layer attends over a window only."""
        return any(layer.slides for layer in self.layers)

    @property
    def expert_share(self) -> float:
        """Share of the routed experts that one token passes."""
        return min(1.0, self.n_expert_used / self.n_expert) if self.n_expert and self.n_expert_used else 1.0

    @property
    def active_parameters(self) -> int:
        """Parameters that one token passes; 0 where it is not known."""
        return self.parameters - round(self.expert_parameters * (1.0 - self.expert_share))

    def layer_read_bytes(self, layer: int) -> int:
        """Bytes of weights in a layer, counted from 0, that decoding one token reads, of its experts those in use. The
        output is layer `n_layer`.
        """
        if layer >= len(self.layers):
            return self.output.host + self.tied.host
        return self.layers[layer].weights.host + round(self.layers[layer].experts.host * self.expert_share)

    def row_bytes(self, layer: Layer, type_k: str, type_v: str) -> int:
        """Bytes that one token takes in the KV cache of one layer."""
        return sum(self.cache_bytes(layer, type_k, type_v, 1)) if layer.keeps_cache else 0

    def kv_read_bytes(self, n_tokens: int, type_k: str = "f16", type_v: str = "f16") -> int:
        """Bytes of context and state that decoding one token reads when `n_tokens` came before it."""
        seen = [min(n_tokens, self.window) if layer.slides else n_tokens for layer in self.layers]
        cache = sum(n * self.row_bytes(layer, type_k, type_v) for n, layer in zip(seen, self.layers, strict=True))
        return cache + self.state.n_bytes * sum(layer.recurrent for layer in self.layers)
