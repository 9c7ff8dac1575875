"""ggml's backend interface as ctypes structs: what a device has to be for llama.cpp to lay a model out on it. Child
processes only.

Declared from `ggml-backend-impl.h`, `ggml-backend.h` and `ggml.h` of the pinned llama.cpp (GGML_BACKEND_API_VERSION 2).
Field order is the interface: nothing here may be reordered.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from ctypes import CFUNCTYPE, Structure, c_bool, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint8, c_void_p
from typing import Any

from tui.llama.binding import lib

API_VERSION = 2
DEVICE_TYPE_GPU = 1
MAX_SRC = 10

GetName = CFUNCTYPE(c_void_p, c_void_p)
"""A name in C memory; declared as an address because ctypes callbacks cannot return strings."""
GetPointer = CFUNCTYPE(c_void_p, c_void_p)
GetSize = CFUNCTYPE(c_size_t, c_void_p)
NameOrAlloc = CFUNCTYPE(c_void_p, c_void_p, c_size_t)
"""The second slot of a device, where its description is asked for, and of a buffer type, which allocates. Declared
alike so that one function can be in both; asked for a description, the size means nothing.
"""
GetAllocSize = CFUNCTYPE(c_size_t, c_void_p, c_void_p)
Release = CFUNCTYPE(None, c_void_p)
Clear = CFUNCTYPE(None, c_void_p, c_uint8)
GetMemory = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p)
GetType = CFUNCTYPE(c_int, c_void_p)
FillProps = CFUNCTYPE(None, c_void_p, c_void_p)
InitBackend = CFUNCTYPE(c_void_p, c_void_p, c_void_p)
Asks = CFUNCTYPE(c_bool, c_void_p, c_void_p)
"""supports_op, supports_buft, offload_op"""
FreeEvent = CFUNCTYPE(None, c_void_p, c_void_p)
DeviceAt = CFUNCTYPE(c_void_p, c_void_p, c_size_t)
ProcAddress = CFUNCTYPE(c_void_p, c_void_p, c_char_p)


class BufferTypeInterface(Structure):
    """ggml_backend_buffer_type_i"""

    _fields_ = (
        ("get_name", GetName),
        ("alloc_buffer", NameOrAlloc),
        ("get_alignment", GetSize),
        ("get_max_size", c_void_p),
        ("get_alloc_size", GetAllocSize),
        ("is_host", c_void_p),
    )


class BufferType(Structure):
    """ggml_backend_buffer_type"""

    _fields_ = (("iface", BufferTypeInterface), ("device", c_void_p), ("context", c_void_p))


class BufferInterface(Structure):
    """ggml_backend_buffer_i"""

    _fields_ = (
        ("free_buffer", Release),
        ("get_base", GetPointer),
        ("init_tensor", c_void_p),
        ("memset_tensor", c_void_p),
        ("set_tensor", c_void_p),
        ("get_tensor", c_void_p),
        ("set_tensor_2d", c_void_p),
        ("get_tensor_2d", c_void_p),
        ("cpy_tensor", c_void_p),
        ("clear", Clear),
        ("reset", c_void_p),
    )


class Buffer(Structure):
    """ggml_backend_buffer"""

    _fields_ = (
        ("iface", BufferInterface),
        ("buft", c_void_p),
        ("context", c_void_p),
        ("size", c_size_t),
        ("usage", c_int),
    )


class BackendInterface(Structure):
    """ggml_backend_i"""

    _fields_ = (
        ("get_name", GetName),
        ("free", Release),
        ("set_tensor_async", c_void_p),
        ("get_tensor_async", c_void_p),
        ("set_tensor_2d_async", c_void_p),
        ("get_tensor_2d_async", c_void_p),
        ("cpy_tensor_async", c_void_p),
        ("synchronize", c_void_p),
        ("graph_plan_create", c_void_p),
        ("graph_plan_free", c_void_p),
        ("graph_plan_update", c_void_p),
        ("graph_plan_compute", c_void_p),
        ("graph_compute", c_void_p),
        ("event_record", c_void_p),
        ("event_wait", c_void_p),
        ("graph_optimize", c_void_p),
    )


class Backend(Structure):
    """ggml_backend"""

    _fields_ = (("guid", c_void_p), ("iface", BackendInterface), ("device", c_void_p), ("context", c_void_p))


class DeviceInterface(Structure):
    """ggml_backend_device_i"""

    _fields_ = (
        ("get_name", GetName),
        ("get_description", NameOrAlloc),
        ("get_memory", GetMemory),
        ("get_type", GetType),
        ("get_props", FillProps),
        ("init_backend", InitBackend),
        ("get_buffer_type", GetPointer),
        ("get_host_buffer_type", GetPointer),
        ("buffer_from_host_ptr", c_void_p),
        ("supports_op", Asks),
        ("supports_buft", Asks),
        ("offload_op", Asks),
        ("event_new", GetPointer),
        ("event_free", FreeEvent),
        ("event_synchronize", FreeEvent),
    )


class DeviceStruct(Structure):
    """ggml_backend_device"""

    _fields_ = (("iface", DeviceInterface), ("reg", c_void_p), ("context", c_void_p))


class RegistryInterface(Structure):
    """ggml_backend_reg_i"""

    _fields_ = (
        ("get_name", GetName),
        ("get_device_count", GetSize),
        ("get_device", DeviceAt),
        ("get_proc_address", ProcAddress),
    )


class Registry(Structure):
    """ggml_backend_reg"""

    _fields_ = (("api_version", c_int), ("iface", RegistryInterface), ("context", c_void_p))


class Capabilities(Structure):
    """ggml_backend_dev_caps"""

    _fields_ = (
        ("asynchronous", c_bool),
        ("host_buffer", c_bool),
        ("buffer_from_host_ptr", c_bool),
        ("events", c_bool),
        ("mmap_support", c_bool),
    )


class Props(Structure):
    """ggml_backend_dev_props"""

    _fields_ = (
        ("name", c_char_p),
        ("description", c_char_p),
        ("memory_free", c_size_t),
        ("memory_total", c_size_t),
        ("type", c_int),
        ("device_id", c_char_p),
        ("caps", Capabilities),
    )


class TensorStruct(Structure):
    """ggml_tensor"""

    _fields_ = (
        ("type", c_int),
        ("buffer", c_void_p),
        ("ne", c_int64 * 4),
        ("nb", c_size_t * 4),
        ("op", c_int),
        ("op_params", c_int32 * 16),
        ("flags", c_int32),
        ("src", c_void_p * MAX_SRC),
        ("view_src", c_void_p),
        ("view_offs", c_size_t),
        ("data", c_void_p),
        ("name", ctypes.c_char * 64),
        ("extra", c_void_p),
        ("padding", ctypes.c_char * 8),
    )


_MEMORY = memoryview((ctypes.c_ubyte * (1 << 62)).from_address(0)).cast("B")
"""This process's memory. A ctypes structure costs a microsecond for each field that is read; unpacking from here costs
a fifth, and callbacks read some ten thousand fields a question.
"""


def _reader(layout: str, offset: int) -> Callable[[int], tuple[Any, ...]]:
    """Reads fields of a struct, given its address."""
    unpack, memory = struct.Struct(layout).unpack_from, _MEMORY

    def read(address: int) -> tuple[Any, ...]:
        return unpack(memory, address + offset)

    return read


read_type = _reader("=i", TensorStruct.type.offset)
_NE_AT, _OP_AT = TensorStruct.ne.offset, TensorStruct.op.offset
read_kind = _reader(f"=i{_NE_AT - 4}xq{_OP_AT - _NE_AT - 8}xi", TensorStruct.type.offset)
"""Type, length of a row and operation in one."""
read_shape = _reader(f"=4q{_OP_AT - _NE_AT - 4 * 8}xi", _NE_AT)
"""The four lengths and the operation in one."""
read_buffer = _reader("=Q", TensorStruct.buffer.offset)
read_ne = _reader("=4q", TensorStruct.ne.offset)
read_nb = _reader("=4Q", TensorStruct.nb.offset)
read_op = _reader("=i", TensorStruct.op.offset)
read_op_params = _reader("=4i", TensorStruct.op_params.offset)
read_sources = _reader(f"={MAX_SRC}Q", TensorStruct.src.offset)
"""Addresses of operands; 0 where there is none. The three below read only the first of them, which costs less."""
read_source = _reader("=Q", TensorStruct.src.offset)
read_two_sources = _reader("=2Q", TensorStruct.src.offset)
read_four_sources = _reader("=4Q", TensorStruct.src.offset)
read_view = _reader("=2Q", TensorStruct.view_src.offset)
"""The tensor that this one is a view of, and the offset in it, in bytes."""


def _function(name: str, restype: Any, *argtypes: Any) -> Any:
    """A handle of its own on a function of libggml: another module may declare the same symbol with other types."""
    return CFUNCTYPE(restype, *argtypes)((name, lib))


buffer_init = _function("ggml_backend_buffer_init", c_void_p, c_void_p, BufferInterface, c_void_p, c_size_t)
n_bytes = _function("ggml_nbytes", c_size_t, c_void_p)
row_bytes = _function("ggml_row_size", c_size_t, c_int, c_int64)
n_elements = _function("ggml_nelements", c_int64, c_void_p)
is_quantized = _function("ggml_is_quantized", c_bool, c_int)
is_contiguous = _function("ggml_is_contiguous", c_bool, c_void_p)
is_contiguous_1 = _function("ggml_is_contiguous_1", c_bool, c_void_p)
is_contiguous_2 = _function("ggml_is_contiguous_2", c_bool, c_void_p)
is_contiguous_rows = _function("ggml_is_contiguous_rows", c_bool, c_void_p)
type_bytes = _function("ggml_type_size", c_size_t, c_int)
cpu_buffer_type = _function("ggml_backend_cpu_buffer_type", c_void_p)
always = ctypes.cast(lib.llama_supports_mmap, Asks)
"""Native: true wherever models can be mapped, whatever it is asked. llama.cpp calls it without Python."""
begin_alike = ctypes.cast(lib.ggml_guid_matches, Asks)
"""Native: true when the 16 bytes at two addresses are equal."""
is_always_true: bool = _function("llama_supports_mmap", c_bool)()
_op_name = _function("ggml_op_name", c_char_p, c_int)
_LAST_OP = "GLU"
"""The op before GGML_OP_COUNT: beyond it ggml_op_name reads out of bounds."""


def _op_numbers() -> dict[str, int]:
    numbers: dict[str, int] = {}
    while _LAST_OP not in numbers:
        numbers[_op_name(len(numbers)).decode()] = len(numbers)
    return numbers


OPS = _op_numbers()
"""ggml_op by name, such as MUL_MAT, as the installed ggml numbers them."""
