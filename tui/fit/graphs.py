"""The operations of one layer as llama.cpp builds them, on a tape of sizes (`src/llama-graph.cpp`, `src/models/`).

Each method writes what one part of a layer computes and returns its result. Values are 4 bytes wide, `n_tokens` of
them at once. Names are those of the source, so that the two can be read together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tui.config.sizes import padded
from tui.fit.shape import Layer, ModelShape
from tui.fit.sizes import quantized
from tui.fit.tape import Tape
from tui.llama.cuda_facts import CUDA_ALIGNMENT

ROTATED = 64
"""Heads of a multiple of so many values are rotated in quantized caches."""


class Far(Enum):
    """What of a layer lies in host memory while a device computes it."""

    NOTHING = 0
    EXPERTS = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """What one graph is built for."""

    n_tokens: int
    """Tokens computed at once."""
    n_seq: int
    cells: int
    """Tokens that a full layer's cache holds."""
    cells_slides: int
    """Tokens that a sliding layer's cache holds."""
    flash: bool
    type_k: str
    type_v: str
    cuda: bool
    """The kernels are CUDA's, whose flash attention wants f16 copies of quantized keys and values."""

    def cells_of(self, layer: Layer) -> int:
        """Tokens that a layer's cache holds."""
        return self.cells_slides if layer.slides else self.cells

    def mask_bytes(self, slides: bool) -> int:
        """The mask of which tokens see which."""
        return (2 if self.flash else 4) * self.n_tokens * (self.cells_slides if slides else self.cells)


class When(Enum):
    """When the buffer of a device gets its copies of the inputs."""

    FIRST = 0
    """Before anything runs: where they are made, or where several batches are worked on in turn."""
    START = 1
    """When its layers begin."""
    NEEDED = 2
    """One by one, each with the first operation that reads it."""


class Inputs:
    """What every layer reads: positions, masks, and where in the cache to store."""

    def __init__(self, tape: Tape, shape: ModelShape, batch: Batch, when: When) -> None:
        self._make = tape.input if when is When.FIRST else tape.node
        self._shape, self._batch = shape, batch
        self._known: dict[tuple[str, bool], int] = {}
        if when is not When.NEEDED:
            self.all()

    def all(self) -> tuple[int, ...]:
        """Every one of them."""
        for slides in self._shape.cache_kinds:
            self.positions()
            self.indices(slides)
            self.mask(slides)
        return tuple(self._known.values())

    def positions(self) -> int:
        """Of each token its position."""
        return self._get("positions", False, 4 * self._batch.n_tokens)

    def mask(self, slides: bool) -> int:
        """Which tokens see which."""
        return self._get("mask", slides, self._batch.mask_bytes(slides))

    def indices(self, slides: bool) -> tuple[int, int]:
        """Where keys and values are stored; transposed values one by one."""
        t = self._batch.n_tokens
        values = 8 * t if self._batch.flash else 8 * t * self._shape.widest_value
        return self._get("keys", slides, 8 * t), self._get("values", slides, values)

    def _get(self, name: str, slides: bool, size: int) -> int:
        if (name, slides) not in self._known:
            self._known[name, slides] = self._make(size)
        return self._known[name, slides]


class LayerWriter:
    """Writes layers on one tape."""

    def __init__(self, tape: Tape, shape: ModelShape, batch: Batch, inputs: Inputs) -> None:
        self._tape, self._shape, self._batch, self._inputs = tape, shape, batch, inputs
        self._one = 4 * batch.n_tokens
        self._far, self._rate = Far.NOTHING, 0.0

    def write(self, layer: Layer, came: int, far: Far = Far.NOTHING) -> int:
        """One layer on top of `came`."""
        tape, width = self._tape, self._one * self._shape.n_embd
        self._far, self._rate = far, self._shape.bytes_per_value(layer) if far is Far.ALL else 0.0
        norm = tape.node(width, came)
        made = self._mix(layer, norm)
        if self._shape.wiring.parallel:
            fed = self._feed_forward(layer, norm)
            return tape.node(width, tape.node(width, fed, made, in_place=True), came, in_place=True)
        stays = tape.node(width, made, came, in_place=True)
        if not layer.n_ff and not layer.experts.host:
            return stays
        fed = self._feed_forward(layer, tape.node(width, stays))
        return tape.node(width, fed, stays, in_place=True)

    def _times(self, n_in: int, n_out: int, *sources: int, n_bytes: int | None = None) -> int:
        """Multiply by a matrix, which is fetched first if it lies in host memory. `n_bytes`: its size, where that is
        known better than from the layer's average.
        """
        if self._far is Far.ALL:
            fetched = int(n_in * n_out * self._rate) if n_bytes is None else n_bytes
            return self._tape.node(self._one * n_out, *sources, self._tape.node(fetched))
        return self._tape.node(self._one * n_out, *sources)

    def _mix(self, layer: Layer, norm: int) -> int:
        if layer.recurrent and not layer.keeps_cache:
            return self._recurrent(norm)
        if not layer.n_head_kv:
            return norm
        return self._latent_attention(layer, norm) if self._shape.mla else self._attention(layer, norm)

    def _attention(self, layer: Layer, norm: int) -> int:
        tape, one, n_embd = self._tape, self._one, self._shape.n_embd
        n_q, n_k = layer.n_head * layer.key_length, layer.n_head_kv * layer.key_length
        n_v, positions = layer.n_head_kv * layer.value_length, self._inputs.positions()
        if self._shape.wiring.fused_qkv:
            fused = self._times(n_embd, n_q + n_k + n_v, norm)
            q = self._rotated(tape.node(one * n_q, fused, positions), layer.key_length, self._batch.type_k)
            v = self._rotated(fused, layer.value_length, self._batch.type_v, one * n_v)
            k = tape.node(one * n_k, fused, positions)
        else:
            q = tape.node(one * n_q, self._times(n_embd, n_q, norm), positions, in_place=True)
            q = self._rotated(q, layer.key_length, self._batch.type_k)
            v = self._rotated(self._times(n_embd, n_v, norm), layer.value_length, self._batch.type_v)
            k = tape.node(one * n_k, self._times(n_embd, n_k, norm), positions, in_place=True)
        k = self._rotated(k, layer.key_length, self._batch.type_k)
        self._store(layer, k, v)
        made = self._attend(layer, q, (layer.key_length, layer.value_length))
        made = self._rotated(made, layer.value_length, self._batch.type_v, one * layer.n_head * layer.value_length)
        return self._times(layer.n_head * layer.value_length, n_embd, made)

    def _store(self, layer: Layer, *rows: int) -> None:
        """Keys and values go into the cache; a far one reads them in host memory."""
        if self._far is Far.ALL:
            self._tape.node(0, *rows)
            return
        for row, at in zip(rows, self._inputs.indices(layer.slides), strict=False):
            self._tape.node(0, row, at)

    def _rotated(self, node: int, length: int, kv_type: str, size: int | None = None) -> int:
        """A quantized cache holds its rows rotated (`attn_rot_k`, `attn_rot_v`). `size`: bytes, if not the node's."""
        if not quantized(kv_type) or length % ROTATED:
            return node
        return self._tape.node(self._tape.size(node) if size is None else size, node)

    def _attend(self, layer: Layer, q: int, cached: tuple[int, int]) -> int:
        """`build_attn_mha`. `cached`: values of one head's key and value in the cache, 0 for a value that is
        part of the key."""
        tape, batch, cells = self._tape, self._batch, self._batch.cells_of(layer)
        wide = self._one * layer.n_head * layer.value_length
        fetched: tuple[int, ...] = ()
        if self._far is Far.ALL and self._shape.attends_on_host:
            return tape.node(wide, q)
        if self._far is Far.ALL:
            fetched = tuple(
                tape.node(size) for size in self._shape.cache_bytes(layer, batch.type_k, batch.type_v, cells)
            )
        mask = self._inputs.mask(layer.slides)
        if batch.flash:
            scratch = 0
            if batch.cuda and batch.n_tokens > 2:
                kinds = zip((batch.type_k, batch.type_v), cached, strict=True)
                scratch = sum(2 * cells * layer.n_head_kv * length for kind, length in kinds if kind != "f16")
            size = padded(wide, CUDA_ALIGNMENT) + scratch if scratch else wide
            return tape.node(size, q, mask, *fetched)
        scores = self._one * layer.n_head * cells
        soft = tape.node(scores, tape.node(scores, q, *fetched[:1]), mask, in_place=True)
        return tape.node(wide, tape.node(wide, soft, *fetched[1:]))

    def _latent_attention(self, layer: Layer, norm: int) -> int:
        """Multi-head latent attention with the key's matrix absorbed into the query (`models/deepseek2.cpp`)."""
        tape, shape, one, heads = self._tape, self._shape, self._one, layer.n_head
        rope = max(0, layer.key_length - layer.value_length)
        q = self._times(shape.n_embd, heads * shape.mla_key_length, norm)
        compressed = self._times(shape.n_embd, layer.key_length, norm)
        q_rope = tape.node(one * heads * rope, q, self._inputs.positions())
        k_rope = tape.node(one * rope, compressed, self._inputs.positions())
        values = tape.node(one * layer.value_length, compressed)
        absorbed = tape.node(one * heads * layer.value_length, q)
        q = tape.node(one * heads * layer.key_length, q_rope, absorbed)
        k = tape.node(one * layer.key_length, k_rope, values)
        self._store(layer, k)
        made = self._attend(layer, q, (layer.key_length, 0))
        wide = one * heads * shape.mla_value_length
        made = tape.node(wide, tape.node(wide, made))
        return self._times(heads * shape.mla_value_length, shape.n_embd, made)

    def _feed_forward(self, layer: Layer, norm: int) -> int:
        if not layer.experts.host:
            return self._network(layer.n_ff, norm, layer.largest)
        tape, shape, one = self._tape, self._shape, self._one
        used, n_expert = max(1, shape.n_expert_used), shape.n_expert
        probabilities = tape.node(one * n_expert, tape.node(one * n_expert, norm), in_place=True)
        chosen = tape.node(one * n_expert, probabilities)
        weights = tape.node(one * used, probabilities, chosen)
        largest = layer.largest_expert
        wide, narrow = one * used * shape.n_ff_expert, one * used * shape.n_embd
        if shape.wiring.experts_joined:
            active = tape.node(wide, self._times_experts(layer.experts.host - largest, 2 * wide, norm, chosen))
        else:
            each = (layer.experts.host - largest) // 2
            up = self._times_experts(each, wide, norm, chosen)
            active = tape.node(wide, self._times_experts(each, wide, norm, chosen), up)
        down = self._times_experts(largest, narrow, active, chosen)
        down = tape.node(narrow, down, weights, in_place=True)
        made = tape.node(one * shape.n_embd, down)
        if used > 1:
            made = tape.node(one * shape.n_embd, made, down, in_place=True)
        if not shape.n_ff_shared:
            return made
        return tape.node(one * shape.n_embd, made, self._network(shape.n_ff_shared, norm), in_place=True)

    def _times_experts(self, n_bytes: int, size: int, *sources: int) -> int:
        """Multiply by the experts' matrices, `n_bytes` together, which are fetched all if they lie in host memory."""
        if self._far is Far.NOTHING:
            return self._tape.node(size, *sources)
        return self._tape.node(size, *sources, self._tape.node(n_bytes))

    def _network(self, n_ff: int, norm: int, n_bytes: int | None = None) -> int:
        """`build_ffn` with or without a gate. `n_bytes` of the matrix on the way down, which is stored the finest."""
        n_embd, wide = self._shape.n_embd, self._one * n_ff
        if self._shape.wiring.gate == "apart":
            up = self._times(n_embd, n_ff, norm)
            active = self._tape.node(wide, self._times(n_embd, n_ff, norm), up)
        elif self._shape.wiring.gate == "joined":
            active = self._tape.node(wide, self._times(n_embd, 2 * n_ff, norm))
        else:
            active = self._tape.node(wide, self._times(n_embd, n_ff, norm), in_place=True)
        return self._times(n_ff, n_embd, active, n_bytes=n_bytes)

    def _recurrent(self, norm: int) -> int:
        """A state-space layer (`models/mamba-base.cpp`) or one like it, or a short convolution (`models/lfm2.cpp`)."""
        tape, one, state, n_seq = self._tape, self._one, self._shape.state, self._batch.n_seq
        n_embd, wide, conv = self._shape.n_embd, self._one * self._shape.state.d_inner, 4 * state.conv * n_seq
        if state.short:
            bcx = self._times(n_embd, 3 * state.d_inner, norm)
            gated, kept = tape.node(wide, bcx), tape.node(conv)
            convolved = tape.node(wide, tape.node(wide + conv, gated, kept))
            return self._times(state.d_inner, n_embd, tape.node(wide, bcx, convolved, in_place=True))
        n_mixed = state.d_inner + 2 * state.n_group * state.d_state
        kept = tape.node(conv)
        projected = self._times(n_embd, state.d_inner + n_mixed, norm)
        convolved = tape.node(one * n_mixed, tape.node(one * n_mixed + conv, kept, projected))
        steps = tape.node(one * state.steps, convolved)
        scanned = tape.node(wide + 4 * state.recurrent * n_seq, convolved, steps)
        summed = tape.node(wide, scanned, tape.node(wide, convolved))
        apart = tape.node(wide, projected)
        return self._times(state.d_inner, n_embd, tape.node(wide, apart, summed))
