"""How a model is loaded and how text is sampled from it, as values that native code may see.

Everything that llama.cpp would answer with an abort instead of an error (an unknown KV type, a batch larger than
n_batch, negative layers) is refused here, in words, so that it never reaches native code. This module must never
import llama_cpp.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

import msgspec

KVType = Literal["f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"]
"""Cell types that llama.cpp's KV cache accepts; any other type aborts the process (llama.cpp `kv_cache_types`)."""

FlashAttention = Literal["auto", "on", "off"]
RopeScaling = Literal["model", "none", "linear", "yarn", "longrope"]
LoadMode = Literal["none", "mmap"]
SplitMode = Literal["layer", "row", "none"]

KV_TYPES: tuple[str, ...] = get_args(KVType)
KV_NUMBERS = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20, "bf16": 30}
"""ggml_type by name (ggml.h)."""
UNQUANTIZED_KV = frozenset({"f32", "f16", "bf16"})

NO_DRAFT_MODEL = "this version cannot run a draft model; set it to an empty text"
"""Why a load with `draft_model` is refused."""
NO_DEVICES = ("none",)
"""`devices` for a load that leaves every GPU alone; with no layer on it a GPU still computes long prompts."""
NO_PROJECTOR = "none"
"""`mmproj` for a load without a projector, whether or not one lies beside the model."""

CONTEXT_MULTIPLE = 256
"""llama.cpp pads n_ctx, and so the cells of a KV cache, to a multiple of this many tokens."""
MAX_N_CTX = 1 << 22
"""4 194 304 tokens. llama.cpp spends 18 s failing on 2^31; no published model goes beyond a few million."""
MAX_BATCH = 1 << 16
MAX_LAYERS = 1 << 16
MAX_THREADS = 512
MAX_PANES = 16


class SettingsError(ValueError):
    """A setting that the model, the file or llama.cpp would refuse. `setting` is its name, the text says what to do."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(f"{setting}: {message}")
        self.setting = setting


class LoraAdapter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A LoRA adapter file applied on top of the model."""

    path: str
    """Path of the adapter's GGUF file."""
    scale: float = 1.0
    """How strongly it is applied; 0 to 10."""


class LoadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How one model file is loaded. Immutable; building one with a value that llama.cpp cannot take raises
    SettingsError.

    "auto" is a wish that `models.prepare` resolves into a number before an engine is started.
    """

    n_gpu_layers: Literal["auto", "all"] | int = "auto"
    """Layers kept on GPUs, the output layer counted as one: auto, all, or a number."""
    n_ctx: Literal["auto"] | int = "auto"
    """Context of one pane, in tokens; llama.cpp pads it to a multiple of 256."""
    n_batch: int = 2048
    """Most tokens handed to one decode call, in tokens."""
    n_ubatch: int = 512
    """Tokens computed at once while reading a prompt; compute memory grows with it."""
    type_k: KVType = "f16"
    """Type of the KV cache's keys."""
    type_v: KVType = "f16"
    """Type of the KV cache's values; a quantized type needs flash attention."""
    flash_attn: FlashAttention = "auto"
    """Flash attention: auto, on or off."""
    swa_full: bool = False
    """Keep the whole context in sliding-window layers: more memory, better prefix reuse."""
    panes: int = 1
    """Sequences that decode together (n_seq_max and n_outputs_max)."""
    threads: Literal["auto"] | int = "auto"
    """Threads that decode; auto is the physical cores within this process's CPU quota."""
    devices: tuple[str, ...] = ()
    """llama.cpp device names to use, such as CUDA0; empty is all of them, "none" alone is the CPU and nothing else."""
    main_device: int = 0
    """Index into devices of the one that holds everything when split_mode is none."""
    split_mode: SplitMode = "layer"
    """How a model is spread over several GPUs: layer, row or none."""
    tensor_split: tuple[float, ...] = ()
    """Share of each device, in any unit; empty leaves it to llama.cpp (by free memory)."""
    n_cpu_moe: int = 0
    """Layers, counted from the first, whose experts stay in host memory."""
    load_mode: LoadMode = "none"
    """none reads the file into memory of its own; mmap maps it."""
    mlock: bool = False
    """Pin the weights in RAM."""
    rope_scaling: RopeScaling = "model"
    """RoPE scaling; model is what the file says."""
    rope_freq_base: float = 0.0
    """RoPE base frequency; 0 is what the file says."""
    rope_freq_scale: float = 0.0
    """RoPE frequency scale; 0 is what the file says."""
    yarn_ext_factor: float = -1.0
    """YaRN extrapolation mix; negative is what the file says."""
    yarn_orig_ctx: int = 0
    """Context the model was trained with before YaRN, in tokens; 0 is what the file says."""
    lora: tuple[LoraAdapter, ...] = ()
    """LoRA adapters applied at load."""
    draft_model: str = ""
    """Path of a smaller model of the same vocabulary for speculative decoding; empty is none. A load leaves it out and
    says so.
    """
    chat_template: str = ""
    """Jinja chat template used instead of the model's own; empty is the model's own."""
    mmproj: str = "auto"
    """Path of the projector that lets the model see; auto takes one that lies beside the model, none leaves it out."""

    def __post_init__(self) -> None:
        check_load_settings(self)

    @property
    def projector(self) -> str | None:
        """Path of the projector that is loaded beside the model; None without one, and while that is "auto"."""
        return None if self.mmproj in ("auto", NO_PROJECTOR) else self.mmproj


def check_load_settings(s: LoadSettings) -> None:
    """Raise SettingsError for the first value that llama.cpp cannot take."""
    if isinstance(s.n_gpu_layers, str):
        _one_of("n_gpu_layers", s.n_gpu_layers, ("auto", "all"))
    else:
        _within(
            "n_gpu_layers", s.n_gpu_layers, 0, MAX_LAYERS, "0 keeps every layer in RAM, all puts every layer on the GPU"
        )
    if isinstance(s.n_ctx, str):
        _one_of("n_ctx", s.n_ctx, ("auto",))
    else:
        _within("n_ctx", s.n_ctx, 1, MAX_N_CTX, "in tokens; auto chooses for you")
    _within("n_ubatch", s.n_ubatch, 1, MAX_BATCH, "512 is usual")
    _within("n_batch", s.n_batch, 1, MAX_BATCH, "2048 is usual")
    if s.n_ubatch > s.n_batch:
        raise SettingsError("n_ubatch", f"{s.n_ubatch} is larger than n_batch ({s.n_batch}); lower it or raise n_batch")
    for name, kv_type in (("type_k", s.type_k), ("type_v", s.type_v)):
        if kv_type not in KV_TYPES:
            raise SettingsError(name, f"{kv_type!r} is not a KV cache type; use one of {', '.join(KV_TYPES)}")
    _one_of("flash_attn", s.flash_attn, get_args(FlashAttention))
    if s.flash_attn == "off" and s.type_v not in UNQUANTIZED_KV:
        raise SettingsError(
            "type_v", f"{s.type_v} needs flash attention; set flash_attn to auto or on, or type_v to f16"
        )
    _within("panes", s.panes, 1, MAX_PANES, "sequences decoded together")
    if isinstance(s.threads, str):
        _one_of("threads", s.threads, ("auto",))
    else:
        _within("threads", s.threads, 1, MAX_THREADS, "auto counts the physical cores")
    _check_devices(s)
    _within("n_cpu_moe", s.n_cpu_moe, 0, MAX_LAYERS, "layers whose experts stay in host memory")
    _one_of("load_mode", s.load_mode, get_args(LoadMode))
    _check_rope(s)
    for adapter in s.lora:
        if not adapter.path:
            raise SettingsError("lora", "an adapter without a path; give the path of its GGUF file")
        _within("lora", adapter.scale, 0.0, 10.0, "the adapter's scale")
    if not s.mmproj.strip():
        raise SettingsError("mmproj", "an empty text; give the path of a projector's GGUF file, auto, or none")


def _check_devices(s: LoadSettings) -> None:
    _one_of("split_mode", s.split_mode, get_args(SplitMode))
    if any(not name.strip() for name in s.devices):
        raise SettingsError("devices", "an empty device name; `puna doctor` lists the names")
    if NO_DEVICES[0] in s.devices and s.devices != NO_DEVICES:
        raise SettingsError("devices", "none means no device, so it cannot be named with others")
    if len(set(s.devices)) != len(s.devices):
        raise SettingsError("devices", "the same device is named twice")
    _within("main_device", s.main_device, 0, 63, "an index into devices")
    if any(not math.isfinite(share) or share < 0 for share in s.tensor_split):
        raise SettingsError("tensor_split", "shares must be 0 or more")
    if s.tensor_split and sum(s.tensor_split) <= 0:
        raise SettingsError("tensor_split", "at least one share must be above 0")
    if s.devices and len(s.tensor_split) > len(s.devices):
        raise SettingsError("tensor_split", f"{len(s.tensor_split)} shares for {len(s.devices)} devices")


def _check_rope(s: LoadSettings) -> None:
    _one_of("rope_scaling", s.rope_scaling, get_args(RopeScaling))
    _within("rope_freq_base", s.rope_freq_base, 0.0, 1e12, "0 is what the file says")
    _within("rope_freq_scale", s.rope_freq_scale, 0.0, 1e6, "0 is what the file says")
    _within("yarn_ext_factor", s.yarn_ext_factor, -1.0, 1.0, "negative is what the file says")
    _within("yarn_orig_ctx", s.yarn_orig_ctx, 0, MAX_N_CTX, "0 is what the file says")


def _within(setting: str, value: float, low: float, high: float, hint: str) -> None:
    kind, words = (int, "a whole number") if isinstance(low, int) else (int | float, "a number")
    if not isinstance(value, kind) or isinstance(value, bool):
        raise SettingsError(setting, f"{value!r} is not {words} ({hint})")
    if not low <= value <= high:  # NaN is outside of everything
        raise SettingsError(setting, f"{value} is outside {low} to {high} ({hint})")


def _one_of(setting: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(setting, f"{value!r} is none of {', '.join(allowed)}")


Seed = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]


class SamplingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the next token is chosen. Defaults follow llama.cpp's own (`common_params_sampling`) where they are sane
    for chat.

    Order in the chain: repeat penalty, DRY, top-k, top-p, min-p, XTC, temperature, the draw.
    """

    temperature: float = 0.8
    """0 is greedy: always the likeliest token."""
    top_k: int = 40
    """Keep the k likeliest tokens; 0 is off."""
    top_p: float = 0.95
    """Keep the likeliest tokens up to this probability; 1 is off."""
    min_p: float = 0.05
    """Drop tokens less likely than this share of the likeliest; 0 is off."""
    repeat_penalty: float = 1.0
    """Penalty on tokens already seen; 1 is off."""
    repeat_last_n: int = 64
    """Tokens looked back at by the repeat penalty; -1 is the whole context."""
    presence_penalty: float = 0.0
    """Flat penalty on tokens already seen; 0 is off."""
    frequency_penalty: float = 0.0
    """Penalty that grows with each use of a token; 0 is off."""
    dry_multiplier: float = 0.0
    """DRY: penalty on repeated sequences; 0 is off."""
    dry_base: float = 1.75
    """DRY: growth of the penalty with the length of the repetition."""
    dry_allowed_length: int = 2
    """DRY: repetitions up to this many tokens are free."""
    dry_penalty_last_n: int = -1
    """DRY: tokens looked back at; -1 is the whole context, 0 is off."""
    xtc_probability: float = 0.0
    """XTC: chance of dropping the likeliest tokens; 0 is off."""
    xtc_threshold: float = 0.1
    """XTC: a token counts as likely from this probability on."""
    seed: Seed | None = None
    """Seed of the draw; none is a new one each time."""

    def __post_init__(self) -> None:
        _within("temperature", self.temperature, 0.0, 10.0, "0 is greedy, 0.8 is usual")
        _within("top_k", self.top_k, 0, 1 << 20, "0 is off")
        _within("top_p", self.top_p, 0.0, 1.0, "1 is off")
        _within("min_p", self.min_p, 0.0, 1.0, "0 is off")
        _within("repeat_penalty", self.repeat_penalty, 0.01, 10.0, "1 is off")
        _within("repeat_last_n", self.repeat_last_n, -1, MAX_N_CTX, "-1 is the whole context")
        _within("presence_penalty", self.presence_penalty, -10.0, 10.0, "0 is off")
        _within("frequency_penalty", self.frequency_penalty, -10.0, 10.0, "0 is off")
        _within("dry_multiplier", self.dry_multiplier, 0.0, 100.0, "0 is off")
        _within("dry_base", self.dry_base, 1.0, 100.0, "1.75 is usual")
        _within("dry_allowed_length", self.dry_allowed_length, 0, 1 << 16, "2 is usual")
        _within("dry_penalty_last_n", self.dry_penalty_last_n, -1, MAX_N_CTX, "-1 is the whole context")
        _within("xtc_probability", self.xtc_probability, 0.0, 1.0, "0 is off")
        _within("xtc_threshold", self.xtc_threshold, 0.0, 1.0, "0.1 is usual")
        if self.seed is not None:
            _within("seed", self.seed, 0, 0xFFFFFFFF, "a 32-bit number")
