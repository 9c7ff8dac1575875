"""Bytes of the buffers that a graph is computed in: llama.cpp's graph of a few layers, laid out as its allocator does.

A few layers stand for all of them, since what is held at once does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tui.fit.graphs import Batch, Far, Inputs, LayerWriter, When
from tui.fit.shape import Layer, ModelShape
from tui.fit.sizes import HOST_ALIGNMENT
from tui.fit.tape import Tape
from tui.llama.cuda_facts import CUDA_ALIGNMENT

PIPELINE_COPIES = 4
"""Copies of each input that several devices work on in turn (`GGML_SCHED_MAX_COPIES`)."""
KINDS = 4
"""Most kinds of layers that are looked at; real models have up to four."""

Placed = tuple[Layer, Far]


def samples(layers: Sequence[Layer], far: Far = Far.NOTHING) -> tuple[Placed, ...]:
    """Each kind of layer twice in a row, in the order they come: enough to reach the peak."""
    kinds: dict[tuple[object, ...], Layer] = {}
    for layer in layers:
        kinds.setdefault((*layer[:8], layer.experts.host > 0), layer)
    found = list(kinds.values())
    if len(found) > KINDS:
        widest = sorted(found, key=lambda layer: layer.n_ff + layer.n_head * layer.key_length)[-KINDS:]
        found = [layer for layer in found if layer in widest]
    return tuple((layer, far) for layer in found for _ in range(2))


@lru_cache(maxsize=512)
def host_alone(shape: ModelShape, batch: Batch, layers: tuple[Placed, ...]) -> int:
    """Bytes of the host's buffer when everything is computed there."""
    tape = Tape()
    tokens = tape.input(4 * batch.n_tokens)
    tape.input(4 * batch.n_tokens * shape.n_embd)
    inputs = Inputs(tape, shape, batch, When.FIRST)
    _write(tape, shape, batch, inputs, layers, tape.node(4 * batch.n_tokens * shape.n_embd, tokens), is_last=True)
    return tape.peak(HOST_ALIGNMENT)


@lru_cache(maxsize=512)
def host_beside(shape: ModelShape, batch: Batch, layers: tuple[Layer, ...], copies: int, attends: bool) -> int:
    """Bytes of the host's buffer where devices compute. `copies` of the inputs are made there; `layers` are samples of
    those whose cache or state lies there: what goes into it comes back. `attends`: attention is computed there too.
    """
    tape, one = Tape(), 4 * batch.n_tokens
    for _ in range(copies):
        tape.input(one)
        tape.input(one * shape.n_embd)
        inputs = Inputs(tape, shape, batch, When.FIRST)
    tape.node(0, tape.node(one * shape.n_embd))
    for layer in layers:
        if layer.recurrent:
            _scan_on_host(tape, shape, batch)
        if layer.keeps_cache and layer.n_head_kv:
            _cache_on_host(tape, shape, batch, layer, inputs.mask(layer.slides), attends)
    return tape.peak(HOST_ALIGNMENT)


def _cache_on_host(tape: Tape, shape: ModelShape, batch: Batch, layer: Layer, mask: int, attends: bool) -> None:
    one, n_q, n_k = 4 * batch.n_tokens, layer.n_head * layer.key_length, layer.n_head_kv * layer.key_length
    n_v = 0 if shape.mla else layer.n_head_kv * layer.value_length
    v = tape.node(one * (n_q + n_k + n_v if shape.wiring.fused_qkv else n_v))
    k = tape.node(one * n_k)
    if attends:
        q = tape.node(one * n_q)
        scores = 0 if batch.flash else one * layer.n_head * batch.cells_of(layer)
        tape.node(0, tape.node(one * layer.n_head * layer.value_length, tape.node(scores, q), q, mask))
    tape.node(0, k, v)


def _scan_on_host(tape: Tape, shape: ModelShape, batch: Batch) -> None:
    one, state = 4 * batch.n_tokens, shape.state
    mixed = tape.node(one * (state.d_inner + 2 * state.n_group * state.d_state))
    steps = tape.node(one * state.steps)
    if not state.short:
        tape.node(0, tape.node(one * state.d_inner + 4 * state.recurrent * batch.n_seq, mixed, steps))


@lru_cache(maxsize=512)
def device(
    shape: ModelShape, batch: Batch, layers: tuple[Placed, ...], copies: int, is_first: bool, is_last: bool
) -> int:
    """Bytes of the buffer of a device that computes `layers`, with `copies` of its inputs."""
    tape = Tape()
    width = 4 * batch.n_tokens * shape.n_embd
    pipelined = copies > 1
    for _ in range(copies - 1):
        tape.input(width)
        Inputs(tape, shape, batch, When.FIRST)
    make = tape.input if pipelined else tape.node
    came = make(width)
    if not is_first:
        for _ in range(copies - 1):
            tape.input(width)
        came = tape.node(width, came, make(width), in_place=not pipelined)
    far = any(far is Far.ALL for _, far in layers)
    if pipelined and shape.attends_on_host and not shape.state.short:
        # Operations on states beside a boundary change sides, so that what they work on travels: seen, not derived.
        for _ in range(copies if is_first else 2 * copies):
            tape.input(4 * batch.n_tokens * shape.state.d_inner)
    inputs = Inputs(tape, shape, batch, When.FIRST if pipelined else When.NEEDED if far else When.START)
    _write(tape, shape, batch, inputs, layers, came, is_last=is_last)
    if pipelined:  # inputs of a pipeline are never freed
        tape.node(0, came, *inputs.all())
    return tape.peak(CUDA_ALIGNMENT if batch.cuda else HOST_ALIGNMENT)


def _write(
    tape: Tape,
    shape: ModelShape,
    batch: Batch,
    inputs: Inputs,
    layers: tuple[Placed, ...],
    came: int,
    *,
    is_last: bool,
) -> None:
    writer = LayerWriter(tape, shape, batch, inputs)
    for layer, far in layers:
        came = writer.write(layer, came, far)
    if is_last:
        tape.node(4 * shape.n_vocab * batch.n_seq, tape.node(4 * shape.n_embd * batch.n_seq, came))
