"""The one door to llama.cpp: its C API through llama-cpp-python's low-level binding, and the ggml calls that binding
lacks.

Only child processes may import this module; native code can end the process it runs in. The package's own `__init__`
is not executed, because it imports numpy and the high-level `Llama` class, which cost a load 0.15 s and are not used
here.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
import types
from typing import Any


def _import_low_level() -> Any:
    if "llama_cpp" not in sys.modules:
        spec = importlib.util.find_spec("llama_cpp")
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError("llama-cpp-python is not installed; install it with: pip install llama-cpp-python")
        package = types.ModuleType("llama_cpp")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules["llama_cpp"] = package
    return importlib.import_module("llama_cpp.llama_cpp")


L: Any = _import_low_level()
"""The module `llama_cpp.llama_cpp`: one Python function per C function."""

lib: ctypes.CDLL = L._lib
"""libllama; looking a symbol up in it also finds those of the ggml libraries it depends on."""


def _declare(name: str, restype: Any, *argtypes: Any) -> Any:
    function = getattr(lib, name)
    function.restype = restype
    function.argtypes = list(argtypes)
    return function


_pointer = ctypes.c_void_p
_size_p = ctypes.POINTER(ctypes.c_size_t)

dev_count = _declare("ggml_backend_dev_count", ctypes.c_size_t)
dev_get = _declare("ggml_backend_dev_get", _pointer, ctypes.c_size_t)
dev_by_name = _declare("ggml_backend_dev_by_name", _pointer, ctypes.c_char_p)
dev_name = _declare("ggml_backend_dev_name", ctypes.c_char_p, _pointer)
dev_description = _declare("ggml_backend_dev_description", ctypes.c_char_p, _pointer)
dev_memory = _declare("ggml_backend_dev_memory", None, _pointer, _size_p, _size_p)
dev_type = _declare("ggml_backend_dev_type", ctypes.c_int, _pointer)
buft_name = _declare("ggml_backend_buft_name", ctypes.c_char_p, _pointer)
buft_is_host = _declare("ggml_backend_buft_is_host", ctypes.c_bool, _pointer)
buft_get_device = _declare("ggml_backend_buft_get_device", _pointer, _pointer)
buft_get_alignment = _declare("ggml_backend_buft_get_alignment", ctypes.c_size_t, _pointer)
buffer_get_type = _declare("ggml_backend_buffer_get_type", _pointer, _pointer)
cpu_buffer_type = _declare("ggml_backend_cpu_buffer_type", _pointer)

_started = False


def start_backend() -> None:
    """Initialise llama.cpp once in this process; later calls do nothing."""
    global _started
    if not _started:
        L.llama_backend_init()
        _started = True
