"""What a load really took, as llama.cpp reports it: the fact that a prediction is set beside. Imports no llama_cpp."""

from __future__ import annotations

import msgspec


class DeviceBytes(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes allocated on one device, or on the host (`name` "host"), by part."""

    name: str
    """llama.cpp's device name, such as CUDA0; "host" is the sum of every buffer that is not a device's."""
    description: str = ""
    weights_bytes: int = 0
    context_bytes: int = 0
    compute_bytes: int = 0

    @property
    def sum_bytes(self) -> int:
        """Weights, context and compute together, in bytes."""
        return self.weights_bytes + self.context_bytes + self.compute_bytes


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What one load allocated and resolved to. Source: `llama_get_memory_breakdown` after the context was made."""

    devices: tuple[DeviceBytes, ...] = ()
    host: DeviceBytes
    output_bytes: int = 0
    """The host's output buffer (logits and embeddings of one step); part of no breakdown row."""
    projector: str = ""
    """Name of the projector's file beside the model, whose bytes are among the others; empty without one."""
    mapped_bytes: int = 0
    """Bytes of the file that are mapped instead of copied, under load_mode mmap."""
    exact: bool = True
    """False when llama.cpp's breakdown could not be read on this platform; all bytes are then 0."""
    n_ctx: int
    """Context of one pane after padding, in tokens."""
    n_ctx_train: int
    n_layer: int
    n_gpu_layers: int
    """Layers on devices, the output layer counted as one."""
    n_vocab: int
    n_params: int
    n_swa: int
    """Sliding window, in tokens; 0 without one."""
    recurrent: bool
    """True for recurrent and hybrid models: their state cannot be rolled back."""
    threads: int
    load_s: float
    template: str | None
    """Where the chat template comes from: "model", "settings", or None without one."""
    architecture: str
    description: str
    """llama.cpp's own one-line description of the model."""
