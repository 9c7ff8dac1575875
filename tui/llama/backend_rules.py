"""How a GPU backend lays tensors out, for devices that are not here. Child processes only.

Each profile is what can be read from that backend's source in the pinned llama.cpp. `cuda` is proven against published
figures of real cards; `vulkan` and `metal` are not proven: their alignment depends on the driver, and only their rules
for flash attention and for scratch memory are followed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import c_int
from dataclasses import dataclass

from tui.llama import cuda_rules
from tui.llama.ggml import (
    OP_OFFSET,
    OPS,
    TensorStruct,
    n_bytes,
    tensor_at,
)

OFFLOAD_BATCH = 32
"""Rows from which a backend takes an operation over whose weights lie in host memory (GGML_OP_OFFLOAD_MIN_BATCH)."""
_ROWS_IN_NE2 = frozenset({OPS["MUL_MAT_ID"], OPS["ROPE"], OPS["ROPE_BACK"]})
_MUL_MATS = frozenset({OPS["MUL_MAT"], OPS["MUL_MAT_ID"]})
_F32, _F16, _BF16, _IQ4_NL = 0, 1, 30, 20
_VULKAN_KV = frozenset({_F32, _F16, _BF16, 8, 7, 6, 3, 2, _IQ4_NL})
_METAL_KV = frozenset({_F32, _F16, _BF16, 8, 2, 3, 6, 7})
_METAL_HEADS = frozenset({32, 40, 48, 64, 72, 80, 96, 112, 128, 192, 256, 320, 512, 576})

Supports = Mapping[int, Callable[[TensorStruct], bool]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What llama.cpp asks a backend about."""

    registry: str
    """The backend's name."""
    alignment: int
    """Bytes that every tensor in a buffer starts at a multiple of."""
    pinned: str | None
    """Name of its buffer type in host memory; None where it has none."""
    alloc_bytes: Callable[[int], int]
    """Bytes that the tensor at an address takes, scratch memory of its operation included."""
    supports: Supports
    """Operations (ggml_op) that it computes only on a condition; every other one it computes."""
    offloads: Callable[[int], bool]
    """True when it takes the operation at an address over although the weights lie in host memory."""
    proven: bool = False


def _rows(address: int) -> int:
    """Rows of an operation's result; of a look-up 0, because it copies little (`get_op_batch_size` of each backend)."""
    op = c_int.from_address(address + OP_OFFSET).value
    if op == OPS["GET_ROWS"]:
        return 0
    ne = tensor_at(address).ne
    if op == OPS["MUL_MAT"]:
        return int(ne[1])
    return int(ne[2]) if op in _ROWS_IN_NE2 else int(ne[1] * ne[2] * ne[3])


def _offloads_any(address: int) -> bool:
    return _rows(address) >= OFFLOAD_BATCH


def _offloads_products(address: int) -> bool:
    return c_int.from_address(address + OP_OFFSET).value in _MUL_MATS and _rows(address) >= OFFLOAD_BATCH


def _vulkan_flash(op: TensorStruct) -> bool:
    """`ggml_backend_vk_device_supports_op`, of a device with subgroup shuffle and vote."""
    q, k, v = (tensor_at(op.src[index]) for index in range(3))
    aligned = k.ne[0] % 8 == 0 and v.ne[0] % 8 == 0
    typed = k.type in _VULKAN_KV and v.type in _VULKAN_KV and (k.type == _BF16) == (v.type == _BF16)
    return aligned and typed and q.type == _F32 == op.type


def _metal_flash(op: TensorStruct) -> bool:
    """`ggml_metal_device_supports_op`, of a device with simdgroup matrices and bfloat16."""
    q, k, v = (tensor_at(op.src[index]) for index in range(3))
    heads = q.ne[0] in _METAL_HEADS and k.ne[0] >= v.ne[0] and not (k.ne[0] == 72 != v.ne[0])
    return heads and k.type == v.type and k.type in _METAL_KV


def _metal_bytes(address: int) -> int:
    """`ggml_backend_metal_buffer_type_get_alloc_size`, sparse attention left out."""
    plain: int = n_bytes(address)
    op = c_int.from_address(address + OP_OFFSET).value
    if op == OPS["MUL_MAT_ID"]:
        return plain + _metal_expert_scratch(tensor_at(address))
    if op == OPS["FLASH_ATTN_EXT"]:
        return plain + _metal_flash_scratch(tensor_at(address))
    if op in (OPS["CUMSUM"], OPS["ARGSORT"]):
        return 2 * plain
    return plain


def _metal_expert_scratch(op: TensorStruct) -> int:
    n_expert, n_tokens = tensor_at(op.src[0]).ne[2], tensor_at(op.src[2]).ne[1]
    return int(4 * n_expert + 4 * n_expert * n_tokens + 8 + 256 * 4)


def _metal_flash_scratch(op: TensorStruct) -> int:
    """`ggml_metal_op_flash_attn_ext_extra_{pad,blk,tmp,kv_f16}`; K and V are counted as f16 copies, always reserved."""
    q, k, v = (tensor_at(op.src[index]) for index in range(3))
    k_f16 = _up(2 * k.ne[0] * k.ne[1] * k.ne[2] * k.ne[3], 16)
    shared = v.view_src and (v.view_src == op.src[1] or (v.view_src == k.view_src and v.view_offs == k.view_offs))
    v_f16 = 0 if shared else _up(2 * v.ne[0] * v.ne[1] * v.ne[2] * v.ne[3], 16)
    partial = 4 * min(q.ne[1], 32) * q.ne[2] * q.ne[3] * 32 * (v.ne[0] + 2)
    padding = 64 * (2 * k.ne[0] * k.ne[2] * k.ne[3] + 2 * v.ne[0] * v.ne[2] * v.ne[3])
    blocks = 0
    if op.src[3]:
        mask = tensor_at(op.src[3])
        padding += 64 * 2 * mask.ne[1] * mask.ne[2] * mask.ne[3]
        blocks = _up(_up(mask.ne[0], 64) // 64 * (_up(q.ne[1], 8) // 8) * mask.ne[2] * mask.ne[3], 32)
    return int(k_f16 + v_f16 + partial + padding + blocks)


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


RULES: dict[str, Rules] = {
    "cuda": Rules(
        registry="CUDA",
        alignment=cuda_rules.ALIGNMENT,
        pinned="CUDA_Host",
        alloc_bytes=cuda_rules.alloc_bytes,
        supports=cuda_rules.SUPPORTS,
        offloads=_offloads_any,
        proven=True,
    ),
    "vulkan": Rules(
        registry="Vulkan",
        alignment=64,  # minStorageBufferOffsetAlignment: 4 to 256, by driver
        pinned="Vulkan_Host",
        alloc_bytes=n_bytes,
        supports={OPS["FLASH_ATTN_EXT"]: _vulkan_flash},
        offloads=_offloads_any,
    ),
    "metal": Rules(
        registry="MTL",
        alignment=32,
        pinned=None,
        alloc_bytes=_metal_bytes,
        supports={OPS["FLASH_ATTN_EXT"]: _metal_flash},
        offloads=_offloads_products,
    ),
}
"""By profile."""
