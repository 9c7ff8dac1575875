"""What a context occupies, by buffer type, read from llama.cpp itself. Child processes only.

`llama_get_memory_breakdown` is an exported C++ function that returns a std::map by value, so its tree is walked here
by the layout of libstdc++ (bits/stl_tree.h). It is private ABI, hence the exact pin of llama-cpp-python; where the
symbol or that library is missing, the answer is None and callers say "estimate".
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tui.llama import binding
from tui.llama.devices import GPU_TYPES

_GET_TENSOR = "_ZNK11llama_model10get_tensorEPKc"
_PROJECTOR = "_Z21mtmd_get_memory_usagePKc19mtmd_context_params"
_BUFFER_OFFSET = 8
"""Of ggml_tensor.buffer, in bytes (ggml.h)."""
_SYMBOLS = ("_Z26llama_get_memory_breakdownPK13llama_context", "llama_get_memory_breakdown")


class _StdMap(ctypes.Structure):
    """std::map of libstdc++: comparator, header node (colour, parent, left, right), node count; 48 bytes, so returned
    in memory.
    """

    _fields_ = (
        ("compare", ctypes.c_uint64),
        ("colour", ctypes.c_uint64),
        ("root", ctypes.c_uint64),
        ("leftmost", ctypes.c_uint64),
        ("rightmost", ctypes.c_uint64),
        ("count", ctypes.c_uint64),
    )


class _Node(ctypes.Structure):
    """A node of that map: pair<buffer type, {model, context, compute}>."""

    _fields_ = (
        ("colour", ctypes.c_uint64),
        ("parent", ctypes.c_uint64),
        ("left", ctypes.c_uint64),
        ("right", ctypes.c_uint64),
        ("buft", ctypes.c_uint64),
        ("model", ctypes.c_uint64),
        ("context", ctypes.c_uint64),
        ("compute", ctypes.c_uint64),
    )


@dataclass(frozen=True, slots=True)
class BufferBytes:
    """Bytes in buffers of one type."""

    buffer: str
    """ggml's name of the buffer type, such as CUDA0, CUDA_Host, CPU, CPU_REPACK, CPU_Mapped."""
    device: str | None
    """The GPU it lies on; None is the host."""
    weights_bytes: int
    context_bytes: int
    compute_bytes: int


def memory_breakdown(context: Any) -> tuple[BufferBytes, ...] | None:
    """Bytes of `context` (llama_context *) and its model by buffer type, or None where it cannot be read."""
    function = _breakdown_function()
    if function is None:
        return None
    nodes = list(_in_order(function(context).root))
    try:
        return tuple(_buffer_bytes(node) for node in nodes)
    finally:
        for node in nodes:
            _delete(ctypes.addressof(node))


def projector_bytes(library: ctypes.CDLL, path: bytes, params: Any) -> dict[str | None, int] | None:
    """What the projector at `path` occupies by device (None is the host), its weights and what it computes with; None
    where that cannot be read. `library` is libmtmd, `params` are mtmd_context_params.

    Source: `mtmd_get_memory_usage`, which lays it out once more without allocating it.
    """
    function = getattr(library, _PROJECTOR, None) if sys.platform.startswith("linux") else None
    if function is None:
        return None
    function.restype, function.argtypes = _StdMap, [ctypes.c_char_p, type(params)]
    nodes = list(_in_order(function(path, params).root))
    found: dict[str | None, int] = {}
    try:
        for node in nodes:  # pairs of ggml_backend_dev_t and size_t: the first two fields of a node's value
            is_gpu = binding.dev_type(node.buft) in GPU_TYPES
            name = binding.dev_name(node.buft).decode(errors="replace") if is_gpu else None
            found[name] = found.get(name, 0) + node.model
    finally:
        for node in nodes:
            _delete(ctypes.addressof(node))
    return found


@dataclass(frozen=True, slots=True)
class BufferType:
    """Where a tensor lies."""

    name: str
    device: str | None
    """The GPU; None is the host."""
    alignment: int
    """Bytes that the size of a tensor is rounded up to."""


def buffer_type_of(model: Any, tensor: str) -> BufferType | None:
    """Where `tensor` of `model` (llama_model *) lies; None for one that the model does not have, or that cannot be
    read.
    """
    function = getattr(binding.lib, _GET_TENSOR, None)
    if function is None:
        return None
    function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]
    found = function(model, tensor.encode())
    buffer = ctypes.c_void_p.from_address(found + _BUFFER_OFFSET).value if found else None
    if not buffer:
        return None
    buft = binding.buffer_get_type(buffer)
    return BufferType(
        name=binding.buft_name(buft).decode(errors="replace"),
        device=_gpu_of(buft),
        alignment=binding.buft_get_alignment(buft),
    )


def _breakdown_function() -> Any | None:
    if not sys.platform.startswith("linux"):  # elsewhere the C++ library is libc++ or MSVC's, with other layouts
        return None
    for symbol in _SYMBOLS:
        function = getattr(binding.lib, symbol, None)
        if function is not None:
            function.restype = _StdMap
            function.argtypes = [ctypes.c_void_p]
            return function
    return None


def _in_order(address: int) -> Iterator[_Node]:
    if address:
        node = _Node.from_address(address)
        yield from _in_order(node.left)
        yield node
        yield from _in_order(node.right)


def _delete(address: int) -> None:
    """C++'s operator delete. The map is ours; nodes left behind would pin the heap of every context freed below them,
    up to a megabyte a question.
    """
    delete = getattr(binding.lib, "_ZdlPv", None)
    if delete is not None:
        delete.restype, delete.argtypes = None, [ctypes.c_void_p]
        delete(address)


def _buffer_bytes(node: _Node) -> BufferBytes:
    return BufferBytes(
        buffer=binding.buft_name(node.buft).decode(errors="replace"),
        device=_gpu_of(node.buft),
        weights_bytes=node.model,
        context_bytes=node.context,
        compute_bytes=node.compute,
    )


def _gpu_of(buft: int) -> str | None:
    if binding.buft_is_host(buft):  # pinned host memory names a GPU as its device, but lies in RAM
        return None
    device = binding.buft_get_device(buft)
    if not device or binding.dev_type(device) not in GPU_TYPES:
        return None
    name: str = binding.dev_name(device).decode(errors="replace")
    return name
