"""What a fit comes to in words, the same from `puna fit` as on the screen: plain sentences and figures of a report.

It knows no colours and no widths: a front end arranges what it is given, and cleans it, since names and reasons come
from outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tui.config.sizes import size
from tui.fit.candidates import experts_on_host
from tui.fit.evidence import SpeedSource
from tui.fit.speed import ANSWER_TOKENS, Speed
from tui.fit.values import BesideKind, DeviceSpec
from tui.fit.verdict import DeviceFit, HostFit
from tui.models.fit_report import FitReport
from tui.models.subject import Subject

VERDICTS: Final = {
    "gpu": "all on the GPU",
    "partial": "part on the GPU, part in RAM",
    "ram": "all in RAM",
    "no": "does not fit",
}
PARTS: Final = ("weights", "context", "compute", "driver")
"""What `parts_of` counts, in its order."""
SPEED_UNKNOWN: Final = "not known: the memory bandwidth of a device is not"
_SPEEDS: Final[Mapping[SpeedSource, str]] = {
    "measured": "here with this file and all settings that speed depends on",
    "phantom": "measured here with this model's header and no weights",
    "similar": "measured here with a similar model",
    "calibrated": "from the memory's speed, corrected by what other models reached here",
    "roofline": "from the memory's speed alone",
}
_BESIDE: Final[Mapping[BesideKind, str]] = {
    "adapters": "each tensor beside the one that it adapts",
    "draft model": "with the same context, an f16 KV cache, and all on GPUs where any layer of the model is;"
    " speeds are without it, as puna answers without one",
    "projector": "on the first GPU where any layer of the model is on one, with what one image is computed with",
}
"""How what lies beside a model is counted."""
_UNPROVEN: Final = frozenset(("vulkan", "metal"))
"""Profiles whose rules were read from llama.cpp's source and compared with no real device."""
_LONG_S: Final = 120.0
"""An answer that takes longer is told in minutes."""

Pool = DeviceFit | HostFit


def facts(subject: Subject) -> str:
    """What the model is: llama, 4.1 GiB, 32 layers, trained with 8192 tokens."""
    shape = subject.shape
    told = [shape.architecture or "unknown architecture", size(shape.file_bytes), f"{shape.n_layer} layers"]
    return ", ".join([*told, *([f"trained with {shape.n_ctx_train} tokens"] if shape.n_ctx_train else [])])


def settings_words(report: FitReport) -> str:
    """What it would be loaded with, as far as memory depends on it."""
    settings, prediction, shape = report.settings, report.prediction, report.subject.shape
    parts = [f"n_ctx {prediction.n_ctx}", f"{prediction.n_gpu_layers} of {shape.n_block + 1} layers on GPUs"]
    parts += [f"KV {settings.type_k}/{settings.type_v}", f"flash attention {report.flash_attn}"]
    if moe := experts_on_host(settings, shape):
        parts.append(f"experts of {moe} layers in RAM")
    if settings.panes > 1:
        parts.append(f"{settings.panes} panes")
    return ", ".join([*parts, *beside_words(report)])


def beside_words(report: FitReport) -> list[str]:
    """What is counted beside the model, each with what it takes in all: projector mmproj-F16.gguf (812 MiB)."""
    settings = report.settings
    names = {
        "adapters": ", ".join(Path(adapter.path).name for adapter in settings.lora),
        "draft model": Path(settings.draft_model).name,
        "projector": Path(settings.projector or "").name,
    }
    return [f"{one.kind} {names[one.kind]} ({size(one.bytes)})" for one in report.prediction.beside]


# ---- bytes


def parts_of(pool: Pool) -> tuple[int, int, int, int]:
    """Bytes of weights, context, compute and driver there; the output buffer counts as compute."""
    output = pool.output_bytes if isinstance(pool, HostFit) else 0
    return pool.weights_bytes, pool.context_bytes, pool.compute_bytes + output, pool.overhead_bytes


def free_bytes(pool: Pool) -> int:
    """What is free there, the margin included."""
    return pool.free_bytes if isinstance(pool, DeviceFit) else pool.available_bytes


def kept_free(report: FitReport, words: Callable[[int], str] = size) -> str:
    """What is left free of what is used, with sizes in `words`; empty where all fits: 512 MiB a GPU, 1.0 GiB of RAM."""
    assessment, margins = report.assessment, report.machine.margins
    if all(pool.fits for pool in assessment.pools):
        return ""
    used = any(device.need_bytes for device in assessment.devices)
    return f"{words(margins.device_bytes)} a GPU, " * used + f"{words(margins.host_bytes)} of RAM"


# ---- speed


def speed_words(speed: Speed, dash: str = "-") -> str:
    """A range of tokens a second: 6-9 tok/s."""
    return f"{range_words(speed.decode_tok_s, dash)} tok/s"


def answer_words(speed: Speed, dash: str = "-") -> str:
    """How long an answer takes: 300 words in 45-65 s."""
    soon, late = (ANSWER_TOKENS / rate for rate in reversed(speed.decode_tok_s))
    if late > _LONG_S:
        return f"300 words in {range_words((soon / 60, late / 60), dash)} min"
    return f"300 words in {range_words((soon, late), dash)} s"


def speed_origins(sources: Iterable[SpeedSource]) -> Iterator[str]:
    """Where speeds come from, a sentence each: speed: calibrated, from the memory's speed, corrected..."""
    yield from (f"speed: {source}, {_SPEEDS[source]}" for source in dict.fromkeys(sources))


def range_words(values: tuple[float, float], dash: str = "-") -> str:
    """A range of numbers, with the digits that mean something: 6.2-8.4, 12-14, 61."""
    low, high = (_number(value, decimals=values[1] < 9.95) for value in values)
    return low if low == high else f"{low}{dash}{high}"


def _number(value: float, *, decimals: bool) -> str:
    if value >= 1000:  # a range so wide has two digits that mean something
        value = round(value, 1 - int(math.log10(value)))
    return f"{value:.1f}" if decimals else f"{value:.0f}"


# ---- where it comes from


def origins(report: FitReport) -> list[str]:
    """Where the bytes come from, in a few words each."""
    if report.prediction.source == "dry-run":
        told = ["dry run of the header"]
    else:
        told = [f"estimate: {report.prediction.reason or 'by formula'}"]
    if unproven := sorted({device.profile for device in report.machine.devices} & _UNPROVEN):
        told.append(f"{' and '.join(unproven)}'s rules are unproven")
    held = zip(report.machine.devices, report.assessment.devices, strict=True)
    if used := [spec for spec, device in held if device.need_bytes]:
        measured = all(spec.overhead_origin == "measured" for spec in used)
        told.append("driver measured here" if measured else "driver assumed")
    return told


def explained(report: FitReport, names: Mapping[str, str] | None = None) -> Iterator[str]:
    """Where each number comes from, at length, a line each, indented under what it belongs to. `names` are what
    devices are called where that is not llama.cpp's name."""
    prediction, machine = report.prediction, report.machine
    if prediction.source == "dry-run":
        yield "weights, context, compute: llama.cpp's own allocator, asked with the model's header (dry run)"
    else:
        spread = f", off by up to {prediction.spread:.0%}" if prediction.spread else ""
        yield f"weights, context, compute: a formula{spread}; {prediction.reason or 'llama.cpp was not asked'}"
    for one, words in zip(prediction.beside, beside_words(report), strict=True):
        yield f"{words}: {_BESIDE[one.kind]}"
    for device in machine.devices:
        yield from _device_explained(device, (names or {}).get(device.name, device.name))
    a_device = f"{size(machine.margins.device_bytes)} a device and " if machine.devices else ""
    free = "what is free now" if report.here else "all that is described"
    yield f"free: {free}, less {a_device}{size(machine.margins.host_bytes)} of RAM"
    if machine.host_bandwidth_bytes_s:
        yield f"RAM speed: {machine.host_bandwidth_bytes_s / 1e9:.1f} GB/s, {machine.host_bandwidth_origin}"
    if report.speed is not None:
        yield from (f"{told}, after {report.speed.n_past} tokens" for told in speed_origins((report.speed.source,)))
    if report.full_speed is not None:
        yield f"  {speed_words(report.full_speed)} when all {report.full_speed.n_past} tokens of context are in use"


def _device_explained(device: DeviceSpec, name: str) -> Iterator[str]:
    here = device.profile == "real"
    kind = "this machine's, through llama.cpp" if here else f"a stand-in with the rules of {device.profile}"
    unproven = ", which were read from its source and never proven" if device.profile in _UNPROVEN else ""
    yield f"{name}: {kind}{unproven}"
    yield f"  driver: {size(device.overhead_bytes)}, {device.overhead_origin}"
    if device.bandwidth_bytes_s:
        yield f"  memory speed: {device.bandwidth_bytes_s / 1e9:.0f} GB/s, {device.bandwidth_origin}"


# ---- what would help


def goal(report: FitReport) -> str:
    """What changes are looked for to do."""
    return "make it fit" if report.assessment.verdict == "no" else "have it all on the GPU"
