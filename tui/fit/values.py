"""What a fit is asked with and answered in: devices, a machine, bytes by part. Values only: no files, no processes.

The bytes are llama.cpp's own buffers. What a driver takes besides (its context, workspaces) is `overhead_bytes` of the
device, measured at an earlier load on this machine or assumed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings

Profile = Literal["real", "cuda", "vulkan", "metal"]
"""`real`: the installed llama.cpp has this device and is asked itself. The others are devices that are not here, or
that it cannot drive: llama.cpp lays the model out on a stand-in with the rules of that backend.
"""
Source = Literal["dry-run", "estimate"]
"""`dry-run`: llama.cpp's own allocator answered. `estimate`: a formula did."""
BesideKind = Literal["adapters", "draft model", "projector"]
"""What is loaded beside a model."""
Origin = Literal["measured", "assumed", "given"]
"""`measured`: on this machine. `assumed`: a usual figure, or a vendor's. `given`: the person described it so."""

ASSUMED_OVERHEAD_BYTES = 512 << 20
"""What a driver takes on a device besides llama.cpp's buffers, until a load has measured it. With the default margin it
is the 1 GiB that llama.cpp's own fit keeps.
"""


class Margins(msgspec.Struct, frozen=True):
    """What is left free, in bytes, on each device and on the host."""

    device_bytes: int = 512 << 20
    host_bytes: int = 1 << 30


class DeviceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU that a model could be laid out on."""

    name: str
    """llama.cpp's name, such as CUDA0; of a described device the name it was given."""
    description: str = ""
    """The card, such as NVIDIA H100 80GB HBM3."""
    total_bytes: int
    free_bytes: int
    profile: Profile = "cuda"
    overhead_bytes: int = ASSUMED_OVERHEAD_BYTES
    overhead_origin: Origin = "assumed"
    bandwidth_bytes_s: float | None = None
    """Bytes that it reads from its memory in a second; None where that is not known."""
    bandwidth_origin: Origin = "assumed"
    shares_host: bool = False
    """True where its memory is the host's, so that one pool holds both."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a model could be loaded into, now."""

    devices: tuple[DeviceSpec, ...] = ()
    """In llama.cpp's order; empty without GPUs."""
    host_total_bytes: int = 0
    host_available_bytes: int = 0
    """What a load could really take, any cgroup limit included."""
    host_overhead_bytes: int = 0
    """What loads on this machine took on the host beyond their predictions."""
    margins: Margins = Margins()
    host_bandwidth_bytes_s: float | None = None
    host_bandwidth_origin: Origin = "assumed"
    cores: int | None = None
    """Physical cores within this process's quota."""


class BesideBytes(msgspec.Struct, frozen=True):
    """What something beside a model takes, on all devices and the host together."""

    kind: BesideKind
    bytes: int


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """What one model with one resolved LoadSettings would occupy."""

    devices: tuple[DeviceBytes, ...] = ()
    """One for each device of the machine, in its order; zeros where nothing would lie there."""
    host: DeviceBytes
    """Every buffer that is on no device, copies repacked for this CPU included."""
    output_bytes: int = 0
    """The host's output buffer (logits of one step); part of no other figure."""
    source: Source
    reason: str = ""
    """Why it is an estimate; empty for a dry run."""
    n_ctx: int
    """Context of one pane after padding, in tokens."""
    n_gpu_layers: int
    """Layers on devices, the output layer counted as one."""
    flash_attn: Literal["on", "off"] = "on"
    """What "auto" comes to."""
    spread: float = 0.0
    """How far off the sum may be, as a share of it; 0 for a dry run."""
    beside: tuple[BesideBytes, ...] = ()
    """What is counted above, and is not the model's own."""


class Refused(Exception):
    """llama.cpp would not load this model with these settings; the text is its reason in words."""


Ask = Callable[[LoadSettings], Awaitable[Prediction]]
"""Answers for one model on one machine. Raises Refused."""
