"""How fast each GPU reads its memory: `python -m tui.llama.bandwidth` prints one JSON line. A process of its own.

What is timed is what decoding does: matrices of half-precision numbers, larger than any cache, times one vector,
through ggml's backend interface, so that it works on whatever device the installed llama.cpp has.
"""

from __future__ import annotations

import ctypes
import json
import os
import time
from contextlib import ExitStack
from typing import Any

from tui.llama import binding
from tui.llama.devices import Device, gpu_devices
from tui.llama.log import NativeLog

SECONDS = 0.5
"""How long each device is measured."""
MOST_BYTES, LEAST_BYTES = 1 << 30, 64 << 20
"""Memory taken for it: at most a quarter of what is free, and nothing is measured with less than the least."""
_F32, _F16, _F16_BYTES = 0, 1, 2
"""ggml_type"""
_ROW = 4096
_MATRICES, _TURNS = 8, 4
"""Multiplications by different matrices, and how often all of them are done in one graph: starting it costs little
then.
"""
_PATTERN = 0x2C
"""0x2C2C is 0.065 in half precision: no zero that hardware could skip, and nothing overflows."""
_SUCCESS = 0


class BandwidthError(Exception):
    """The device could not be measured; the text says why."""


class _InitParams(ctypes.Structure):
    """ggml_init_params"""

    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


def _function(name: str, restype: Any, *argtypes: Any) -> Any:
    function = getattr(binding.lib, name)
    function.restype, function.argtypes = restype, list(argtypes)
    return function


_pointer, _int64 = ctypes.c_void_p, ctypes.c_int64
_init = _function("ggml_init", _pointer, _InitParams)
_free = _function("ggml_free", None, _pointer)
_tensor_overhead = _function("ggml_tensor_overhead", ctypes.c_size_t)
_graph_overhead = _function("ggml_graph_overhead_custom", ctypes.c_size_t, ctypes.c_size_t, ctypes.c_bool)
_new_tensor = _function("ggml_new_tensor_2d", _pointer, _pointer, ctypes.c_int, _int64, _int64)
_mul_mat = _function("ggml_mul_mat", _pointer, _pointer, _pointer, _pointer)
_new_graph = _function("ggml_new_graph_custom", _pointer, _pointer, ctypes.c_size_t, ctypes.c_bool)
_expand = _function("ggml_build_forward_expand", None, _pointer, _pointer)
_device_init = _function("ggml_backend_dev_init", _pointer, _pointer, ctypes.c_char_p)
_backend_free = _function("ggml_backend_free", None, _pointer)
_buffer_type = _function("ggml_backend_dev_buffer_type", _pointer, _pointer)
_supports = _function("ggml_backend_dev_supports_op", ctypes.c_bool, _pointer, _pointer)
_allocate = _function("ggml_backend_alloc_ctx_tensors_from_buft", _pointer, _pointer, _pointer)
_buffer_clear = _function("ggml_backend_buffer_clear", None, _pointer, ctypes.c_uint8)
_buffer_free = _function("ggml_backend_buffer_free", None, _pointer)
_compute = _function("ggml_backend_graph_compute", ctypes.c_int, _pointer, _pointer)
_synchronize = _function("ggml_backend_synchronize", None, _pointer)


def read_bandwidth(handle: int, size_bytes: int, *, seconds: float = SECONDS) -> float:
    """Bytes a second that a device (ggml_backend_dev_t) reads from `size_bytes` of its own memory, the best of several
    rounds: other programs only slow it. Raises BandwidthError.
    """
    rows = max(1, size_bytes // (_MATRICES * _ROW * _F16_BYTES))
    with ExitStack() as undo:
        backend = _device_init(handle, None)
        if not backend:
            raise BandwidthError("the device could not be opened")
        undo.callback(_backend_free, backend)
        context, graph = _graph(handle, rows, undo)
        buffer = _allocate(context, _buffer_type(handle))
        if not buffer:
            raise BandwidthError(f"{size_bytes >> 20} MiB could not be had")
        undo.callback(_buffer_free, buffer)
        _buffer_clear(buffer, _PATTERN)
        _timed(backend, graph)  # kernels are compiled and memory is touched
        best_s, until = float("inf"), time.perf_counter() + seconds
        while best_s == float("inf") or time.perf_counter() < until:
            best_s = min(best_s, _timed(backend, graph))
    return _TURNS * _MATRICES * rows * _ROW * _F16_BYTES / best_s


def _graph(handle: int, rows: int, undo: ExitStack) -> tuple[int, int]:
    """A ggml context with the tensors, and the graph of all multiplications."""
    nodes = _TURNS * _MATRICES
    size = (_MATRICES + nodes + 2) * _tensor_overhead() + _graph_overhead(4 * nodes, False)
    context = _init(_InitParams(size, None, True))
    if not context:
        raise BandwidthError("ggml has no memory for a graph")
    undo.callback(_free, context)
    matrices = [_new_tensor(context, _F16, _ROW, rows) for _ in range(_MATRICES)]
    vector = _new_tensor(context, _F32, _ROW, 1)
    graph = _new_graph(context, 4 * nodes, False)
    for _ in range(_TURNS):
        for matrix in matrices:
            product = _mul_mat(context, matrix, vector)
            if not _supports(handle, product):
                raise BandwidthError("the device does not multiply matrices")
            _expand(graph, product)
    return context, graph


def _timed(backend: int, graph: int) -> float:
    begun = time.perf_counter()
    if _compute(backend, graph) != _SUCCESS:
        raise BandwidthError("the device failed to compute")
    _synchronize(backend)
    return time.perf_counter() - begun


def measured(device: Device) -> dict[str, Any]:
    """A device with its bandwidth, or with the reason why there is none."""
    answer: dict[str, Any] = {
        "name": device.name,
        "description": device.description,
        "read_bytes_s": None,
        "error": None,
    }
    size_bytes = min(MOST_BYTES, device.free_bytes // 4)
    try:
        if size_bytes < LEAST_BYTES:
            raise BandwidthError("too little of its memory is free")
        answer["read_bytes_s"] = read_bandwidth(device.handle, size_bytes)
    except BandwidthError as error:
        answer["error"] = str(error)
    return answer


def main() -> None:
    """Print {"devices": […]}; native code's own printing goes nowhere."""
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    log = NativeLog()
    log.install()
    os.write(out, json.dumps({"devices": [measured(device) for device in gpu_devices()]}).encode() + b"\n")


if __name__ == "__main__":
    main()
