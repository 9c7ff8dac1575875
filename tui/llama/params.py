"""LoadSettings as llama.cpp's C structs. Child processes only; every value was checked in `settings` before it comes
here.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any

from tui.config.sizes import padded
from tui.llama import binding
from tui.llama.binding import L
from tui.llama.devices import Device, gpu_devices, select_devices
from tui.llama.settings import CONTEXT_MULTIPLE, KV_NUMBERS, LoadSettings, SettingsError

_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
_ROPE_SCALING = {"model": -1, "none": 0, "linear": 1, "yarn": 2, "longrope": 3}
_SPLIT_MODE = {"none": 0, "layer": 1, "row": 2}
_LOAD_MODE = {("none", False): 0, ("mmap", False): 1, ("none", True): 2, ("mmap", True): 3}
"""llama_load_mode by (load_mode, mlock) (llama.h)."""
ALL_LAYERS = 0x7FFFFFFF
_EXPERTS = r"blk\.{}\.ffn_(up|down|gate|gate_up)_(ch|)exps"
"""Expert tensors of one layer (llama.cpp `LLM_FFN_EXPS_REGEX`)."""


class _BufferOverride(ctypes.Structure):
    """llama_model_tensor_buft_override"""

    _fields_ = (("pattern", ctypes.c_char_p), ("buft", ctypes.c_void_p))


@dataclass
class ModelParams:
    """llama_model_params together with the memory it points into, which must outlive the load."""

    params: Any
    keep: list[Any] = field(default_factory=list)


def has_amx() -> bool:
    """True when this llama.cpp was compiled with its AMX kernels, which are kept off.

    GCC 12 optimises away most of the tile configuration that they load, so the first multiplication ends the process
    with a general protection fault (seen on Sapphire Rapids; llama.cpp #20824). They are reached through an extra
    buffer type.
    """
    return b"AMX_INT8 = 1" in L.llama_print_system_info()


def model_params(settings: LoadSettings, devices: tuple[Device, ...] | None = None) -> ModelParams:
    """How the weights are loaded, by the engine and by the dry run alike.

    `devices` are those that the settings choose from; None is the GPUs of the installed llama.cpp, which chooses among
    them itself when the settings name none. Raises SettingsError for a device that is not there.
    """
    made = ModelParams(L.llama_model_default_params())
    p = made.params
    layers = settings.n_gpu_layers
    if layers == "auto":
        raise SettingsError("n_gpu_layers", "must be a number by the time an engine starts")
    p.n_gpu_layers = ALL_LAYERS if layers == "all" else layers
    p.split_mode = _SPLIT_MODE[settings.split_mode]
    p.load_mode = _LOAD_MODE[settings.load_mode, settings.mlock]
    p.main_gpu = settings.main_device
    p.use_extra_bufts = not has_amx()
    if settings.devices or devices is not None:
        there = gpu_devices() if devices is None else devices
        _set_devices(made, select_devices(settings.devices, there), settings)
    if settings.tensor_split:
        shares = (ctypes.c_float * max(L.llama_max_devices(), len(settings.tensor_split)))(*settings.tensor_split)
        made.keep.append(shares)
        p.tensor_split = shares
    if settings.n_cpu_moe:
        _keep_experts_on_cpu(made, settings.n_cpu_moe)
    return made


def _set_devices(made: ModelParams, devices: tuple[Device, ...], settings: LoadSettings) -> None:
    if devices and settings.main_device >= len(devices):
        raise SettingsError("main_device", f"{settings.main_device} is not an index into {len(devices)} devices")
    array = (ctypes.c_void_p * (len(devices) + 1))(*[device.handle for device in devices], None)
    made.keep.append(array)
    made.params.devices = ctypes.cast(array, ctypes.c_void_p)


def _keep_experts_on_cpu(made: ModelParams, n_layers: int) -> None:
    patterns = [_EXPERTS.format(layer).encode() for layer in range(n_layers)]
    buft = binding.cpu_buffer_type()
    overrides = (_BufferOverride * (n_layers + 1))(*[_BufferOverride(pattern, buft) for pattern in patterns])
    made.keep += [patterns, overrides]
    made.params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)


def context_params(settings: LoadSettings, *, threads: int) -> Any:
    """llama_context_params for `settings.panes` sequences of n_ctx tokens each, in one unified cache.

    One output per decoding sequence and a sliding-window cache of the window's size: llama.cpp's defaults for both
    (n_outputs_max = n_batch, swa_full) cost up to half of a context's memory and buy nothing here.
    """
    if isinstance(settings.n_ctx, str):
        raise SettingsError("n_ctx", "must be a number by the time an engine starts")
    p = L.llama_context_default_params()
    p.n_ctx = padded(settings.n_ctx, CONTEXT_MULTIPLE) * settings.panes
    p.n_batch = settings.n_batch
    p.n_ubatch = settings.n_ubatch
    p.n_seq_max = settings.panes
    p.n_outputs_max = settings.panes
    p.kv_unified = True
    p.swa_full = settings.swa_full
    p.n_threads = threads
    p.n_threads_batch = threads
    p.flash_attn_type = _FLASH_ATTENTION[settings.flash_attn]
    p.type_k = KV_NUMBERS[settings.type_k]
    p.type_v = KV_NUMBERS[settings.type_v]
    p.rope_scaling_type = _ROPE_SCALING[settings.rope_scaling]
    p.rope_freq_base = settings.rope_freq_base
    p.rope_freq_scale = settings.rope_freq_scale
    p.yarn_ext_factor = settings.yarn_ext_factor
    p.yarn_orig_ctx = settings.yarn_orig_ctx
    p.no_perf = True
    return p
