"""One question to the dry run, and what of it decides which answers hold for others too. Values only."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tui.llama.devices import Device
from tui.llama.settings import NO_DEVICES, NO_PROJECTOR, LoadSettings
from tui.llama.standin import StandIns

Devices = tuple[Device, ...] | None
"""What a model may be laid out on; None is the GPUs of the installed llama.cpp."""

_CONTEXT_ONLY = {
    "n_ctx": 256,
    "n_batch": 512,
    "n_ubatch": 512,
    "type_k": "f16",
    "type_v": "f16",
    "flash_attn": "auto",
    "swa_full": False,
    "panes": 1,
    "threads": 1,
    "rope_scaling": "model",
    "rope_freq_base": 0.0,
    "rope_freq_scale": 0.0,
    "yarn_ext_factor": -1.0,
    "yarn_orig_ctx": 0,
}
"""Settings that a loaded model does not depend on, as its key has them."""
_PLACE_ONLY = {
    "n_gpu_layers": "all",
    "n_cpu_moe": 0,
    "devices": (),
    "tensor_split": (),
    "main_device": 0,
}
"""Settings that decide only where a model lies."""
_MANY_ROWS = 64
"""Rows of a micro-batch beyond which no rule of a backend depends on how many there are."""
_BESIDE = {"lora": (), "draft_model": "", "chat_template": "", "mmproj": NO_PROJECTOR}
"""Settings that llama.cpp is not told."""


@dataclass(frozen=True, slots=True)
class HeaderBytes:
    """A header without its vocabulary, as `tui.gguf` strips it."""

    digest: str
    data: bytes
    data_bytes: int


@dataclass(frozen=True, slots=True)
class DryQuestion:
    """Where would the model with this header lie?"""

    header: HeaderBytes
    settings: LoadSettings
    devices: Devices
    stand_ins: StandIns
    """Those among the devices."""

    def model_key(self) -> bytes:
        """The same for questions that one loaded model answers."""
        plain = msgspec.structs.replace(self.settings, **_CONTEXT_ONLY, **_BESIDE)
        there = None if self.devices is None else [(device.name, device.handle) for device in self.devices]
        return msgspec.msgpack.encode((self.header.digest, plain, there))

    def graph_key(self) -> bytes:
        """The same for contexts of one loaded model whose graphs differ in no more than how long they are."""
        return msgspec.msgpack.encode(self._graph())

    def graph_key_anywhere(self) -> bytes:
        """The same wherever the model lies on devices that follow the same rules."""
        plain = msgspec.structs.replace(self._graph(), **_PLACE_ONLY)
        return msgspec.msgpack.encode((self.header.digest, plain, sorted(self.stand_ins.profiles)))

    def _graph(self) -> LoadSettings:
        """The settings with all that only makes a graph longer in its place."""
        rows = min(self.settings.n_ubatch, _MANY_ROWS)
        return msgspec.structs.replace(self.settings, n_ctx=256, n_batch=rows, n_ubatch=rows, **_BESIDE)

    def weights_key_anywhere(self) -> bytes:
        """The same for models that differ in no more than where they lie, on devices that follow the same rules."""
        return msgspec.msgpack.encode((self.header.digest, sorted(self.stand_ins.profiles)))

    def is_whole(self, n_layer: int) -> bool:
        """True when all `n_layer` layers and the output lie on stand-ins that follow the same rules."""
        settings, devices = self.settings, self.devices or ()
        on_stand_ins = len(devices) == len(self.stand_ins.devices) > 0 and settings.devices != NO_DEVICES
        layers = settings.n_gpu_layers
        all_layers = isinstance(layers, str) or layers > n_layer
        return on_stand_ins and all_layers and not settings.n_cpu_moe and len(self.stand_ins.profiles) == 1
