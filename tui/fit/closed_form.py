"""What a model would take, by formula: for rows without a whole header, and where no dry run can answer.

Weights and context are exact where the shape is; compute buffers come from a model of llama.cpp's graphs. It must never
raise on a shape that is odd but possible, and never take long: a list of ten thousand rows uses it.
"""

from __future__ import annotations

import platform

from tui.config.sizes import padded
from tui.fit import compute
from tui.fit.graphs import Batch, Far
from tui.fit.placement import HOST, Placement, place
from tui.fit.shape import Layer, ModelShape
from tui.fit.sizes import HOST_ALIGNMENT, quantized, row_bytes
from tui.fit.values import Machine, Prediction
from tui.llama.cuda_facts import CUDA_ALIGNMENT, CUDA_GROUPED_HEADS, CUDA_HEADS, CUDA_ROW
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import CONTEXT_MULTIPLE, LoadSettings

CUDA_PROFILES = frozenset({"cuda", "real"})
"""Devices that are counted by CUDA's rules; a real one is nearly always one."""
USUAL_N_CTX = 4096
"""Context of a model that does not say what it was trained for, when none is asked for."""
COMPUTE_SPREAD, COMPUTE_SPREAD_PARTIAL = 0.15, 0.5
"""How far off compute buffers may be, as a share of them; partial where layers or experts lie in host memory beside
devices. Nearly all answers are within (benchmarks/closed_form.py).
"""
REPACKED = {
    "x86": frozenset({2, 12, 20, 39}),
    "arm": frozenset({2, 8, 12, 13, 14, 20, 39, 41}),
}
"""ggml's numbers of the types that are repacked for a CPU (`ggml_repack_get_optimal_repack_type`, AVX2, NEON with dot
products). A tied output is then a copy of its own even in host memory.
"""
REPACKED_ROWS = 8
"""Rows that are woven together, so that a matrix must have a multiple of them."""
_CPU = {"x86_64": "x86", "amd64": "x86", "aarch64": "arm", "arm64": "arm"}.get(platform.machine().lower(), "")


def predict(shape: ModelShape, settings: LoadSettings, machine: Machine, reason: str = "") -> Prediction:
    """Bytes of one model with these settings on this machine. `reason`: why no dry run answers.

    "auto" in the settings counts as all layers, and as the context that the model was trained for.
    """
    placement = place(shape.output_at, settings, machine)
    n_ctx = padded(
        settings.n_ctx if isinstance(settings.n_ctx, int) else shape.n_ctx_train or USUAL_N_CTX, CONTEXT_MULTIPLE
    )
    batch = _batch(shape, settings, machine, placement, n_ctx * settings.panes)
    n_host = placement.n_host if placement.starts else shape.output_at + 1
    computes = _computes(shape, settings, batch, placement, n_host)
    host = DeviceBytes(
        name="host",
        weights_bytes=_host_weights(shape, settings, n_host, alone=placement.main == HOST),
        context_bytes=context_bytes(shape, shape.layers[:n_host], batch, cuda=False),
        compute_bytes=computes[HOST],
    )
    devices = _devices(shape, settings, machine, placement, batch, computes)
    lent = n_host > 0 or (settings.n_cpu_moe > 0 and shape.n_expert > 0)
    return Prediction(
        devices=devices,
        host=host,
        output_bytes=4 * shape.n_vocab * settings.panes,
        source="estimate",
        reason=reason,
        n_ctx=n_ctx,
        n_gpu_layers=placement.n_gpu_layers,
        flash_attn="on" if batch.flash else "off",
        spread=_spread(shape, (*devices, host), partial=placement.main != HOST and lent),
    )


def _devices(
    shape: ModelShape,
    settings: LoadSettings,
    machine: Machine,
    placement: Placement,
    batch: Batch,
    computes: dict[int, int],
) -> tuple[DeviceBytes, ...]:
    rows = {index: (first, last) for index, first, last in placement.starts}
    made: list[DeviceBytes] = []
    for index, spec in enumerate(machine.devices):
        first, last = rows.get(index, (0, 0))
        cuda = spec.profile in CUDA_PROFILES
        made.append(
            DeviceBytes(
                name=spec.name,
                description=spec.description,
                weights_bytes=_device_weights(shape, settings, first, last, cuda),
                context_bytes=context_bytes(shape, shape.layers[first:last], batch, cuda=cuda),
                compute_bytes=computes.get(index, 0),
            )
        )
    return tuple(made)


def context_bytes(shape: ModelShape, layers: tuple[Layer, ...], batch: Batch, *, cuda: bool) -> int:
    """KV caches and states of `layers` in one buffer (`llama_kv_cache`, `llama_memory_recurrent`)."""
    known: dict[tuple[object, ...], int] = {}
    total = 0
    for layer in layers:
        kind = layer[1:8]
        if kind not in known:
            known[kind] = _layer_context(shape, layer, batch, cuda)
        total += known[kind]
    return total


def _layer_context(shape: ModelShape, layer: Layer, batch: Batch, cuda: bool) -> int:
    total = 0
    if layer.recurrent:
        for values in (shape.state.conv, shape.state.recurrent):
            total += padded(4 * values * batch.n_seq, CUDA_ALIGNMENT if cuda else HOST_ALIGNMENT)
    if not layer.keeps_cache:
        return total
    cells = batch.cells_slides if layer.slides else batch.cells
    total += _cache_bytes(layer.n_head_kv * layer.key_length, batch.type_k, cells, cuda)
    if not shape.mla:
        # Without flash attention values are stored transposed, every layer as wide as the widest.
        width = layer.n_head_kv * layer.value_length
        total += _cache_bytes(width if batch.flash else shape.widest_value, batch.type_v, cells, cuda)
    return total


def _cache_bytes(width: int, kv_type: str, cells: int, cuda: bool) -> int:
    size = row_bytes(width, kv_type) * cells
    if not cuda:
        return padded(size, HOST_ALIGNMENT)
    if quantized(kv_type) and width % CUDA_ROW:
        size += row_bytes(CUDA_ROW - width % CUDA_ROW, kv_type)
    return padded(size, CUDA_ALIGNMENT)


def _batch(shape: ModelShape, settings: LoadSettings, machine: Machine, placement: Placement, cells: int) -> Batch:
    n_tokens = min(cells, settings.n_batch, settings.n_ubatch)
    cuda = placement.main != HOST and machine.devices[placement.main].profile in CUDA_PROFILES
    flash = settings.flash_attn != "off"
    if cuda and settings.flash_attn == "auto":
        flash = all(_cuda_attends(layer) for layer in shape.layers if layer.keeps_cache and layer.n_head_kv)
        flash &= quantized(settings.type_v) or not _is_drawn_over(shape, placement.n_host)
    window = padded(min(cells, shape.window * settings.panes + n_tokens), CONTEXT_MULTIPLE)
    return Batch(
        n_tokens=padded(n_tokens, settings.panes),
        n_seq=settings.panes,
        cells=cells,
        cells_slides=cells if settings.swa_full else window,
        flash=flash,
        type_k=settings.type_k,
        type_v=settings.type_v,
        cuda=cuda,
    )


def _cuda_attends(layer: Layer) -> bool:
    """CUDA has a flash-attention kernel for the layer's heads."""
    if layer.key_length in CUDA_HEADS:
        return layer.key_length == layer.value_length
    value, multiple = CUDA_GROUPED_HEADS.get(layer.key_length, (0, 1))
    shared = layer.n_head // layer.n_head_kv
    return layer.value_length == value and shared > 1 and shared % multiple == 0


def _is_drawn_over(shape: ModelShape, n_host: int) -> bool:
    """The last layer in host memory attends and the first on a device works on a state: the scheduler then draws the
    attention to the device, where its cache is not, and llama.cpp does without flash attention.
    """
    if not shape.attends_on_host or not 0 < n_host < shape.n_layer:
        return False
    return shape.layers[n_host - 1].n_head_kv > 0 and shape.layers[n_host].recurrent


def _device_weights(shape: ModelShape, settings: LoadSettings, first: int, last: int, cuda: bool) -> int:
    if first == last:
        return 0
    kind = 1 if cuda else 0
    total = 0
    layers = shape.layers[first:last]
    for number, layer in enumerate(layers, first):
        total += layer.weights[kind]
        if number >= settings.n_cpu_moe:
            total += layer.experts[kind]
    if layers:
        total += shape.repeated[kind]
    if last > shape.output_at:
        total += shape.output[kind] + shape.tied[kind]
    return total


def _host_weights(shape: ModelShape, settings: LoadSettings, n_host: int, *, alone: bool) -> int:
    total = shape.input.host
    for number, layer in enumerate(shape.layers):
        if number < n_host:
            total += layer.weights.host
        if number < n_host or number < settings.n_cpu_moe:
            total += layer.experts.host
    if n_host > 0:
        total += shape.repeated.host
    if n_host > shape.output_at:
        total += shape.output.host
        if alone and shape.tied_type in REPACKED.get(_CPU, ()) and shape.n_vocab % REPACKED_ROWS == 0:
            total += shape.tied.host
    return total


def _computes(
    shape: ModelShape, settings: LoadSettings, batch: Batch, placement: Placement, n_host: int
) -> dict[int, int]:
    """Bytes of the compute buffer of each device and of the host."""
    layers = shape.layers
    if placement.main == HOST:
        return {HOST: compute.host_alone(shape, batch, compute.samples(layers))}
    experts = settings.n_cpu_moe if shape.n_expert else 0
    copies = _copies(shape, settings, placement, overridden=experts > 0)
    lent = compute.samples(layers[:n_host], Far.ALL)
    # Where branches are parallel, what follows the last layer's attention is one row, too little for a device.
    attends = shape.attends_on_host or (shape.wiring.parallel and n_host >= shape.n_layer)
    found = {HOST: compute.host_beside(shape, batch, tuple(layer for layer, _ in lent), copies, attends)}
    for index, first, last in placement.starts:
        rows = lent if index == placement.main else ()
        rows += compute.samples(layers[first : min(last, experts)], Far.EXPERTS)
        rows += compute.samples(layers[max(first, experts) : last])
        is_last = last > shape.output_at
        found[index] = compute.device(shape, batch, rows, copies, index == placement.main, is_last)
    if placement.main not in found:
        found[placement.main] = compute.device(shape, batch, lent, 1, True, False)
    return found


def _copies(shape: ModelShape, settings: LoadSettings, placement: Placement, *, overridden: bool) -> int:
    """Copies of the inputs: several where devices work on several batches in turn (`pipeline_parallel`)."""
    whole = placement.n_gpu_layers > shape.output_at
    pipelined = placement.n_devices > 1 and whole and settings.split_mode == "layer" and not overridden
    return compute.PIPELINE_COPIES if pipelined else 1


def _spread(shape: ModelShape, parts: tuple[DeviceBytes, ...], *, partial: bool) -> float:
    total = sum(part.sum_bytes for part in parts)
    if not total:
        return 0.0
    off = sum(part.weights_bytes for part in parts) * shape.weights_spread
    off += sum(part.context_bytes for part in parts) * shape.context_spread
    off += sum(part.compute_bytes for part in parts) * (COMPUTE_SPREAD_PARTIAL if partial else COMPUTE_SPREAD)
    return off / total
