"""How a GPU backend lays tensors out, for devices that are not here. Child processes only.

Each profile is what can be read from that backend's source in the pinned llama.cpp. `cuda` is proven against published
figures of real cards; `vulkan` and `metal` are not proven: their alignment depends on the driver, and only their rules
for flash attention and for scratch memory are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tui.config.sizes import padded
from tui.llama import cuda_rules
from tui.llama.cuda_facts import CUDA_ALIGNMENT
from tui.llama.ggml import (
    OPS,
    n_bytes,
    n_elements,
    read_ne,
    read_op,
    read_shape,
    read_sources,
    read_type,
    read_view,
)

OFFLOAD_BATCH = 32
"""Rows from which a backend takes an operation over whose weights lie in host memory (GGML_OP_OFFLOAD_MIN_BATCH)."""
_ROWS_IN_NE2 = frozenset({OPS["MUL_MAT_ID"], OPS["ROPE"], OPS["ROPE_BACK"]})
_GET_ROWS, _MUL_MAT = OPS["GET_ROWS"], OPS["MUL_MAT"]
_MUL_MATS = frozenset({_MUL_MAT, OPS["MUL_MAT_ID"]})
_F32, _F16, _BF16, _IQ4_NL = 0, 1, 30, 20
_VULKAN_KV = frozenset({_F32, _F16, _BF16, 8, 7, 6, 3, 2, _IQ4_NL})
_METAL_KV = frozenset({_F32, _F16, _BF16, 8, 2, 3, 6, 7})
_METAL_HEADS = frozenset({32, 40, 48, 64, 72, 80, 96, 112, 128, 192, 256, 320, 512, 576})


@dataclass(frozen=True, slots=True)
class Rules:
    """What llama.cpp asks a backend about."""

    registry: str
    """The backend's name."""
    alignment: int
    """Bytes that every tensor in a buffer starts at a multiple of."""
    pinned: str | None
    """Name of its buffer type in host memory; None where it has none."""
    extra_bytes: Callable[[int], int] | None
    """Bytes that the tensor at an address takes besides its own: padding, scratch memory of its operation. None where
    there are none.
    """
    supports: Mapping[int, Callable[[int], bool]]
    """Operations (ggml_op) that it computes only on a condition; every other one it computes."""
    offloads: Callable[[int, int], bool]
    """True when it takes an operation over although the weights lie in host memory, given the addresses of the device
    (which does not matter) and of the operation.
    """


def _rows(op: int) -> int:
    """Rows of an operation's result; of a look-up 0, because it copies little (`get_op_batch_size` of each backend)."""
    _, ne1, ne2, ne3, kind = read_shape(op)
    if kind == _GET_ROWS:
        return 0
    if kind == _MUL_MAT:
        return int(ne1)
    return int(ne2) if kind in _ROWS_IN_NE2 else int(ne1 * ne2 * ne3)


def _offloads_any(_device: int, op: int) -> bool:
    return _rows(op) >= OFFLOAD_BATCH


def _offloads_products(_device: int, op: int) -> bool:
    return read_op(op)[0] in _MUL_MATS and _rows(op) >= OFFLOAD_BATCH


def _vulkan_flash(op: int) -> bool:
    """`ggml_backend_vk_device_supports_op`, of a device with subgroup shuffle and vote."""
    q, k, v, *_ = read_sources(op)
    k_type, v_type = read_type(k)[0], read_type(v)[0]
    aligned = read_ne(k)[0] % 8 == 0 and read_ne(v)[0] % 8 == 0
    typed = k_type in _VULKAN_KV and v_type in _VULKAN_KV and (k_type == _BF16) == (v_type == _BF16)
    return aligned and typed and read_type(q)[0] == _F32 == read_type(op)[0]


def _metal_flash(op: int) -> bool:
    """`ggml_metal_device_supports_op`, of a device with simdgroup matrices and bfloat16."""
    q, k, v, *_ = read_sources(op)
    k_head, v_head = read_ne(k)[0], read_ne(v)[0]
    heads = read_ne(q)[0] in _METAL_HEADS and k_head >= v_head and not k_head == 72 != v_head
    return heads and read_type(k) == read_type(v) and read_type(k)[0] in _METAL_KV


def _metal_extra(tensor: int) -> int:
    """`ggml_backend_metal_buffer_type_get_alloc_size`, sparse attention left out."""
    kind = read_op(tensor)[0]
    if kind == OPS["MUL_MAT_ID"]:
        return _metal_expert_scratch(tensor)
    if kind == OPS["FLASH_ATTN_EXT"]:
        return _metal_flash_scratch(tensor)
    if kind in (OPS["CUMSUM"], OPS["ARGSORT"]):
        return int(n_bytes(tensor))
    if kind == OPS["TOP_K"]:
        return 2 * 4 * int(n_elements(read_sources(tensor)[0])) - int(n_bytes(tensor))
    return 0


def _metal_expert_scratch(op: int) -> int:
    experts, _, ids, *_ = read_sources(op)
    n_expert, n_tokens = read_ne(experts)[2], read_ne(ids)[1]
    return int(4 * n_expert + 4 * n_expert * n_tokens + 8 + 256 * 4)


def _metal_flash_scratch(op: int) -> int:
    """`ggml_metal_op_flash_attn_ext_extra_{pad,blk,tmp,kv_f16}`; K and V are counted as f16 copies, always reserved."""
    q, k, v, mask, *_ = read_sources(op)
    q_ne, k_ne, v_ne = read_ne(q), read_ne(k), read_ne(v)
    viewed, view_offset = read_view(v)
    shared = viewed and (viewed == k or (viewed, view_offset) == read_view(k))
    k_f16 = padded(2 * int(n_elements(k)), 16)
    v_f16 = 0 if shared else padded(2 * int(n_elements(v)), 16)
    partial = 4 * min(q_ne[1], 32) * q_ne[2] * q_ne[3] * 32 * (v_ne[0] + 2)
    padding = 64 * 2 * (k_ne[0] * k_ne[2] * k_ne[3] + v_ne[0] * v_ne[2] * v_ne[3])
    blocks = 0
    if mask:
        mask_ne = read_ne(mask)
        padding += 64 * 2 * mask_ne[1] * mask_ne[2] * mask_ne[3]
        blocks = padded(padded(mask_ne[0], 64) // 64 * (padded(q_ne[1], 8) // 8) * mask_ne[2] * mask_ne[3], 32)
    return int(k_f16 + v_f16 + partial + padding + blocks)


RULES: dict[str, Rules] = {
    "cuda": Rules(
        registry="CUDA",
        alignment=CUDA_ALIGNMENT,
        pinned="CUDA_Host",
        extra_bytes=cuda_rules.extra_bytes,
        supports=cuda_rules.SUPPORTS,
        offloads=_offloads_any,
    ),
    "vulkan": Rules(
        registry="Vulkan",
        alignment=64,  # minStorageBufferOffsetAlignment: 4 to 256, by driver
        pinned="Vulkan_Host",
        extra_bytes=None,
        supports={OPS["FLASH_ATTN_EXT"]: _vulkan_flash},
        offloads=_offloads_any,
    ),
    "metal": Rules(
        registry="MTL",
        alignment=32,
        pinned=None,
        extra_bytes=_metal_extra,
        supports={OPS["FLASH_ATTN_EXT"]: _metal_flash},
        offloads=_offloads_products,
    ),
}
"""By profile."""
