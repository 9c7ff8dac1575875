"""Where llama.cpp puts each tensor of a model by the layers that are on devices, and how many bytes it takes there.

Written from its rules and not from its answers, so that a tensor that is lost, counted twice or padded wrongly shows.
Source: `llama_model_base::load_tensors`, `create_tensor` and the table LLM_TENSOR_INFOS of llama.cpp; CUDA's
`ggml_backend_cuda_buffer_type_get_alloc_size`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gguf import GGMLQuantizationType
from gguf.constants import GGML_QUANT_SIZES

from tui.gguf.layout import Layout, Tensor

_HOST_ALIGNMENT = 32
_DEVICE_ALIGNMENT = 128
_ROW_PADDING = 512
"""CUDA pads the last row of a quantized matrix to this many values."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Bytes of weights on each side."""

    device: int
    host: int
    frequencies: int
    """Of `device`: the rotary factors, of which every device with a layer gets a copy of its own."""


def placed(layout: Layout, n_gpu_layers: int) -> Placed:
    """Bytes on the devices together (as if they were one) and on the host, padding included."""
    where = _Where(layout, n_gpu_layers)
    device = sum(_on_device(tensor) for tensor in layout.tensors if "device" in where.sides(tensor))
    host = sum(_padded(tensor.n_bytes, _HOST_ALIGNMENT) for tensor in layout.tensors if "host" in where.sides(tensor))
    frequencies = sum(_on_device(tensor) for tensor in layout.tensors if _is_frequencies(tensor))
    return Placed(device, host, frequencies)


class _Where:
    """The side of each tensor; a tensor that several layers share lies on both."""

    def __init__(self, layout: Layout, n_gpu_layers: int) -> None:
        architecture = layout.header.architecture
        layers = layout.header.metadata[f"{architecture}.block_count"]
        assert isinstance(layers, int)
        self.n_layer = layers
        self.first_on_device = max(0, layers + 1 - n_gpu_layers)
        self.tied = not any(tensor.name == "output.weight" for tensor in layout.tensors)
        self.last_norm = "token_embd_norm" if architecture == "lfm2" else "output_norm"

    def sides(self, tensor: Tensor) -> set[str]:
        if found := re.match(r"blk\.(\d+)\.", tensor.name):
            return {self._of_layer(int(found[1]))}
        output = self._of_layer(self.n_layer)
        if tensor.name == "token_embd.weight":  # read by row on the host; a tied output is a second copy
            return {"host", output} if self.tied else {"host"}
        if _is_frequencies(tensor):
            return {self._of_layer(layer) for layer in range(self.n_layer)}
        if tensor.name.startswith("token_embd_norm") and self.last_norm != "token_embd_norm":
            return {self._of_layer(0)}
        return {output}

    def _of_layer(self, layer: int) -> str:
        return "device" if layer >= self.first_on_device else "host"


def _is_frequencies(tensor: Tensor) -> bool:
    return tensor.name.startswith("rope_")


def _on_device(tensor: Tensor) -> int:
    block, size = GGML_QUANT_SIZES[GGMLQuantizationType(tensor.type)]
    n_bytes = tensor.n_bytes
    if block > 1 and (over := tensor.shape[0] % _ROW_PADDING):
        n_bytes += (_ROW_PADDING - over) // block * size
    return _padded(n_bytes, _DEVICE_ALIGNMENT)


def _padded(n_bytes: int, alignment: int) -> int:
    return -(-n_bytes // alignment) * alignment
