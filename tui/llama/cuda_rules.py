"""CUDA's rules (and, by the same source, ROCm's) for what it computes and how many bytes a tensor takes. Child processes
only.

From `ggml-cuda.cu` (supports_op, get_alloc_size) and `fattn.cu` of the pinned llama.cpp, for a card with tensor cores.
Wrong answers here would move operations between device and host, and with them whole buffers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from ctypes import c_int

from tui.llama.ggml import (
    OP_OFFSET,
    OPS,
    TensorStruct,
    is_contiguous,
    is_contiguous_1,
    is_contiguous_2,
    is_contiguous_rows,
    is_quantized,
    n_bytes,
    n_elements,
    row_bytes,
    tensor_at,
    type_bytes,
)

ALIGNMENT = 128
_ROW_PADDING = 512
"""MATRIX_ROW_PADDING, in values: kernels read whole tiles of quantized rows."""
_KV_STRIDE = 256
"""FATTN_KQ_STRIDE, in cells."""
_MAX_VECTOR_HEAD = 256
_F32, _F16, _BF16, _I32, _I64 = 0, 1, 30, 26, 27
_FLASH = OPS["FLASH_ATTN_EXT"]
_SAME_HEADS = frozenset({40, 64, 72, 80, 96, 112, 128, 256})
"""Head sizes with kernels for keys and values of one length, whatever the grouping."""
_GROUPED_HEADS = {192: (128, 8), 320: (256, 32), 512: (512, 1), 576: (512, 1)}
"""Keys' length to (values' length, multiple that query heads a key head must be): only with grouped queries."""
_KV_TYPES = frozenset({_F32, _F16, _BF16, 2, 3, 6, 7, 8})
_PRODUCT_TYPES = frozenset({0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 29, 30})
_PRODUCT_TYPES |= {39, 40, 41, 42}  # MXFP4, NVFP4, Q1_0, Q2_0
_LOOK_UP_TYPES = (_PRODUCT_TYPES - {15, 20, 39, 40}) | {_I32}
_LOOK_UP_BY_SUPER_BLOCKS = frozenset({20, 39})
"""IQ4_NL and MXFP4: rows of a multiple of 256 values."""
_STORE_TYPES = frozenset({_F32, _F16, _BF16, 2, 3, 6, 7, 8, 20})
_FLOATS = frozenset({_F32, _F16, _BF16})
_F32_COPIES = frozenset({2, 3, 6, 7, 8, 20, _I32})
_F32_COPIED_FROM = frozenset({2, 3, 6, 7, 8, _I32})
_PRECISION_F32 = 10


def alloc_bytes(address: int) -> int:
    """Bytes of the tensor at `address`: its own, padding of quantized rows, scratch of flash attention."""
    tensor = tensor_at(address)
    size: int = n_bytes(address)
    if c_int.from_address(address + OP_OFFSET).value == _FLASH:
        size = _flash_bytes(tensor, size)
    beyond = tensor.ne[0] % _ROW_PADDING
    if beyond and is_quantized(tensor.type):
        size += row_bytes(tensor.type, _ROW_PADDING - beyond)
    return size


def _flash_bytes(op: TensorStruct, size: int) -> int:
    """The result and the f16 copies of K and V that every kernel but the vector one works on
    (`ggml_cuda_flash_attn_ext_get_alloc_size`).
    """
    k, v = tensor_at(op.src[1]), tensor_at(op.src[2])
    only_f32 = _by_vector_kernel(tensor_at(op.src[0]), k, v)
    if k.type != _F16 and (k.type == _F32 or not only_f32):
        size = _up(size) + 2 * n_elements(op.src[1])
    shared = v.view_src and (v.view_src == op.src[1] or (v.view_src == k.view_src and v.view_offs == k.view_offs))
    if v.type != _F16 and (v.type == _F32 or not only_f32) and not shared:
        size = _up(size) + 2 * n_elements(op.src[2])
    return size


def _by_vector_kernel(q: TensorStruct, k: TensorStruct, v: TensorStruct) -> bool:
    """True for the few tokens that the vector kernel takes."""
    head = q.ne[0]
    if head > _MAX_VECTOR_HEAD or head % 64 or head == 192 or k.ne[1] % _KV_STRIDE:
        return False
    return bool(q.ne[1] <= (2 if is_quantized(k.type) or is_quantized(v.type) else 1))


def _up(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _flash(op: TensorStruct) -> bool:
    """`ggml_cuda_get_best_fattn_kernel` finds a kernel."""
    q, k, v = (tensor_at(op.src[index]) for index in range(3))
    if k.type not in _KV_TYPES or v.type not in _KV_TYPES:
        return False
    if op.src[3] and tensor_at(op.src[3]).ne[2] != 1:
        return False
    k_head, v_head = k.ne[0], v.ne[0]
    if k_head in _SAME_HEADS:
        return bool(k_head == v_head)
    wanted, multiple = _GROUPED_HEADS.get(k_head, (0, 1))
    return bool(v_head == wanted and (q.ne[2] // k.ne[2]) % multiple == 0 and _is_grouped(op, q, k, v))


def _is_grouped(op: TensorStruct, q: TensorStruct, k: TensorStruct, v: TensorStruct) -> bool:
    """`gqa_opt_applies`: several query heads a key head, a mask, no ALiBi, padded and aligned."""
    (max_bias,) = struct.unpack("f", struct.pack("i", op.op_params[1]))
    if not op.src[3] or q.ne[2] // k.ne[2] < 2 or max_bias or k.ne[1] % _KV_STRIDE:
        return False
    plain = [t for t in (q, k, v, tensor_at(op.src[3])) if not is_quantized(t.type)]
    return all(stride % 16 == 0 for tensor in plain for stride in tensor.nb[1:])


def _product(op: TensorStruct) -> bool:
    a, b = tensor_at(op.src[0]), tensor_at(op.src[1])
    rows = a.nb[0] == type_bytes(a.type) and b.nb[0] == type_bytes(b.type)
    return bool(rows and not (b.type == _F16 != a.type) and a.type in _PRODUCT_TYPES)


def _expert_product(op: TensorStruct) -> bool:
    return _product(op) and op.op_params[3] != _PRECISION_F32


def _look_up(op: TensorStruct) -> bool:
    source = tensor_at(op.src[0])
    if source.type in _LOOK_UP_BY_SUPER_BLOCKS:
        return bool(source.ne[0] % 256 == 0)
    return source.type in _LOOK_UP_TYPES


def _store(op: TensorStruct) -> bool:
    source, index = tensor_at(op.src[0]).type, tensor_at(op.src[1]).type
    stored = (source == _F32 and op.type in _STORE_TYPES) or source == _F16 == op.type
    return stored and index in (_I32, _I64)


def _copy(op: TensorStruct) -> bool:
    source, target = tensor_at(op.src[0]).type, tensor_at(op.src[1]).type
    if source in _FLOATS and target in _FLOATS:
        return True
    if (source == _F32 and target in _F32_COPIES) or (target == _F32 and source in _F32_COPIED_FROM):
        return True
    return source == target and is_contiguous(op.src[0]) and is_contiguous(op.src[1])


def _elementwise(op: TensorStruct) -> bool:
    a, b = tensor_at(op.src[0]).type, tensor_at(op.src[1]).type
    if _BF16 in (a, b, op.type):
        return a == _BF16 == op.type and b in (_BF16, _F32)
    return {a, b, op.type} <= {_F32, _F16}


def _scale(op: TensorStruct) -> bool:
    return op.type in (_F32, _BF16) and tensor_at(op.src[0]).type == op.type


def _scan(op: TensorStruct) -> bool:
    """Selective scan: of Mamba-2 when its A is one number a head, else of Mamba."""
    state, a = tensor_at(op.src[0]).ne, tensor_at(op.src[3]).ne
    if a[0] == 1:
        return bool(state[0] in (96, 128, 256) and state[1] % 16 == 0)
    one_group = tensor_at(op.src[4]).ne[1] == 1
    return bool(op.op_params[0] <= 1 and state[0] == 16 and state[1] == 1 and state[2] % 128 == 0 and one_group)


def _sum(op: TensorStruct) -> bool:
    return tensor_at(op.src[0]).type == _F32 == op.type and bool(is_contiguous_rows(op.src[0]))


def _rope(op: TensorStruct) -> bool:
    source = tensor_at(op.src[0])
    return bool(source.nb[0] == type_bytes(source.type) and is_contiguous_2(op.src[0]))


SUPPORTS: dict[int, Callable[[TensorStruct], bool]] = {
    _FLASH: _flash,
    OPS["MUL_MAT"]: _product,
    OPS["MUL_MAT_ID"]: _expert_product,
    OPS["GET_ROWS"]: _look_up,
    OPS["SET_ROWS"]: _store,
    OPS["CPY"]: _copy,
    OPS["SCALE"]: _scale,
    OPS["SSM_SCAN"]: _scan,
    OPS["SSM_CONV"]: lambda op: bool(tensor_at(op.src[0]).ne[1] % 128 == 0),
    OPS["REPEAT"]: lambda op: tensor_at(op.src[0]).type in (_F32, _F16),
    OPS["SUM_ROWS"]: _sum,
    OPS["MEAN"]: _sum,
    OPS["UNARY"]: lambda op: bool(is_contiguous(op.src[0])),
    OPS["GLU"]: lambda op: bool(is_contiguous_1(op.src[0])),
    OPS["ROPE"]: _rope,
    **dict.fromkeys((OPS["NORM"], OPS["RMS_NORM"], OPS["L2_NORM"]), lambda op: bool(is_contiguous_rows(op.src[0]))),
    **dict.fromkeys((OPS["ADD"], OPS["SUB"], OPS["MUL"], OPS["DIV"]), _elementwise),
}
"""Operations that depend on their operands; every other one of a language model runs."""
