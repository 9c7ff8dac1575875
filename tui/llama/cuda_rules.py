"""CUDA's rules (and, by the same source, ROCm's) for what it computes and how many bytes a tensor takes. Child
processes only.

From `ggml-cuda.cu` (supports_op, get_alloc_size) and `fattn.cu` of the pinned llama.cpp, for a card with tensor cores.
Wrong answers here would move operations between device and host, and with them whole buffers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache

from tui.config.sizes import padded
from tui.llama.cuda_facts import CUDA_ALIGNMENT, CUDA_GROUPED_HEADS, CUDA_HEADS, CUDA_ROW
from tui.llama.ggml import (
    OPS,
    is_contiguous,
    is_contiguous_1,
    is_contiguous_2,
    is_contiguous_rows,
    is_quantized,
    n_bytes,
    n_elements,
    read_four_sources,
    read_kind,
    read_nb,
    read_ne,
    read_op_params,
    read_source,
    read_sources,
    read_two_sources,
    read_type,
    read_view,
    row_bytes,
    type_bytes,
)

_KV_STRIDE = 256
"""FATTN_KQ_STRIDE, in cells."""
_MAX_VECTOR_HEAD = 256
_F32, _F16, _BF16, _I32, _I64 = 0, 1, 30, 26, 27
_FLASH = OPS["FLASH_ATTN_EXT"]
_KV_TYPES = frozenset({_F32, _F16, _BF16, 2, 3, 6, 7, 8})
_PRODUCT_TYPES = frozenset({0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 29, 30})
_PRODUCT_TYPES |= {39, 40, 41, 42}  # MXFP4, NVFP4, Q1_0, Q2_0
_LOOK_UP_TYPES = (_PRODUCT_TYPES - {15, 20, 39, 40}) | {_I32}
_LOOK_UP_BY_SUPER_BLOCKS = frozenset({20, 39})
"""IQ4_NL and MXFP4: rows of a multiple of 256 values."""
_STORE_TYPES = frozenset({_F32, _F16, _BF16, 2, 3, 6, 7, 8, 20})
_FLOATS = frozenset({_F32, _F16, _BF16})
_HALVES = frozenset({_F32, _F16})
_UNPADDED = frozenset({_F32, _F16, _BF16, 24, 25, 26, 27, 28})
"""Types that are not quantized; 24 to 28 are whole numbers and F64."""
_F32_COPIES = frozenset({2, 3, 6, 7, 8, 20, _I32})
_F32_COPIED_FROM = frozenset({2, 3, 6, 7, 8, _I32})
_PRECISION_F32 = 10


def extra_bytes(tensor: int) -> int:
    """Bytes beyond a tensor's own: padding of quantized rows, scratch of flash attention."""
    kind, row, op = read_kind(tensor)
    extra = _flash_scratch(tensor) if op == _FLASH else 0
    if kind in _UNPADDED or not row % CUDA_ROW:
        return extra
    return extra + int(row_bytes(kind, CUDA_ROW - row % CUDA_ROW))


def _flash_scratch(op: int) -> int:
    """The f16 copies of K and V that every kernel but the vector one works on
    (`ggml_cuda_flash_attn_ext_get_alloc_size`).
    """
    q, k, v, _ = read_four_sources(op)
    k_type, v_type = read_type(k)[0], read_type(v)[0]
    if k_type == v_type == _F16:
        return 0
    own = size = int(n_bytes(op))
    only_f32 = _by_vector_kernel(q, k, quantized=is_quantized(k_type) or is_quantized(v_type))
    if k_type != _F16 and (k_type == _F32 or not only_f32):
        size = padded(size, CUDA_ALIGNMENT) + 2 * int(n_elements(k))
    viewed, view_offset = read_view(v)
    shared = viewed and (viewed == k or (viewed, view_offset) == read_view(k))
    if v_type != _F16 and (v_type == _F32 or not only_f32) and not shared:
        size = padded(size, CUDA_ALIGNMENT) + 2 * int(n_elements(v))
    return size - own


def _by_vector_kernel(q: int, k: int, *, quantized: bool) -> bool:
    """True for the few tokens that the vector kernel takes."""
    head, n_tokens, *_ = read_ne(q)
    if head > _MAX_VECTOR_HEAD or head % 64 or head == 192 or read_ne(k)[1] % _KV_STRIDE:
        return False
    return bool(n_tokens <= (2 if quantized else 1))


def _flash(op: int) -> bool:
    """`ggml_cuda_get_best_fattn_kernel` finds a kernel."""
    q, k, v, mask = read_four_sources(op)
    if read_type(k)[0] not in _KV_TYPES or read_type(v)[0] not in _KV_TYPES:
        return False
    if mask and read_ne(mask)[2] != 1:
        return False
    k_ne, v_head = read_ne(k), read_ne(v)[0]
    if k_ne[0] in CUDA_HEADS:
        return bool(k_ne[0] == v_head)
    wanted, multiple = CUDA_GROUPED_HEADS.get(k_ne[0], (0, 1))
    ratio = read_ne(q)[2] // k_ne[2]
    return bool(v_head == wanted and ratio % multiple == 0 and ratio >= 2 and _is_padded(op, k_ne[1]))


def _is_padded(op: int, n_cells: int) -> bool:
    """What else `gqa_opt_applies` asks for: a mask, no ALiBi, padded cells, aligned rows."""
    (max_bias,) = struct.unpack("=f", struct.pack("=i", read_op_params(op)[1]))
    operands = read_four_sources(op)
    if not operands[3] or max_bias or n_cells % _KV_STRIDE:
        return False
    plain = [operand for operand in operands if not is_quantized(read_type(operand)[0])]
    return all(stride % 16 == 0 for operand in plain for stride in read_nb(operand)[1:])


def _product(op: int) -> bool:
    a, b = read_two_sources(op)
    a_type, b_type = read_type(a)[0], read_type(b)[0]
    if a_type not in _PRODUCT_TYPES or b_type == _F16 != a_type:
        return False
    return bool(read_nb(a)[0] == _value_bytes(a_type) and read_nb(b)[0] == _value_bytes(b_type))


@cache
def _value_bytes(kind: int) -> int:
    return int(type_bytes(kind))


def _expert_product(op: int) -> bool:
    return _product(op) and read_op_params(op)[3] != _PRECISION_F32


def _look_up(op: int) -> bool:
    source = read_source(op)[0]
    kind = read_type(source)[0]
    if kind in _LOOK_UP_BY_SUPER_BLOCKS:
        return bool(read_ne(source)[0] % 256 == 0)
    return kind in _LOOK_UP_TYPES


def _store(op: int) -> bool:
    source, index = read_two_sources(op)
    source_type, target = read_type(source)[0], read_type(op)[0]
    stored = (source_type == _F32 and target in _STORE_TYPES) or source_type == _F16 == target
    return stored and read_type(index)[0] in (_I32, _I64)


def _copy(op: int) -> bool:
    a, b = read_two_sources(op)
    source, target = read_type(a)[0], read_type(b)[0]
    if source in _FLOATS and target in _FLOATS:
        return True
    if (source == _F32 and target in _F32_COPIES) or (target == _F32 and source in _F32_COPIED_FROM):
        return True
    return bool(source == target and is_contiguous(a) and is_contiguous(b))


def _elementwise(op: int) -> bool:
    a, b = read_two_sources(op)
    kinds = (read_type(a)[0], read_type(b)[0], read_type(op)[0])
    if _BF16 in kinds:
        return kinds[0] == _BF16 == kinds[2] and kinds[1] in (_BF16, _F32)
    return _HALVES.issuperset(kinds)


def _scale(op: int) -> bool:
    kind = read_type(op)[0]
    return kind in (_F32, _BF16) and read_type(read_source(op)[0])[0] == kind


def _scan(op: int) -> bool:
    """Selective scan: of Mamba-2 when its A is one number a head, else of Mamba."""
    state, _, _, a, b, *_ = read_sources(op)
    d_state, d_head, n_head, _ = read_ne(state)
    if read_ne(a)[0] == 1:
        return bool(d_state in (96, 128, 256) and d_head % 16 == 0)
    one_group = read_ne(b)[1] == 1
    return bool(read_op_params(op)[0] <= 1 and d_state == 16 and d_head == 1 and n_head % 128 == 0 and one_group)


def _sum(op: int) -> bool:
    source = read_source(op)[0]
    return read_type(source)[0] == _F32 == read_type(op)[0] and bool(is_contiguous_rows(source))


def _rope(op: int) -> bool:
    source = read_source(op)[0]
    return read_nb(source)[0] == _value_bytes(read_type(source)[0]) and bool(is_contiguous_2(source))


def _if_source(holds: Callable[[int], bool]) -> Callable[[int], bool]:
    return lambda op: holds(read_source(op)[0])


SUPPORTS: dict[int, Callable[[int], bool]] = {
    _FLASH: _flash,
    OPS["MUL_MAT"]: _product,
    OPS["MUL_MAT_ID"]: _expert_product,
    OPS["GET_ROWS"]: _look_up,
    OPS["SET_ROWS"]: _store,
    OPS["CPY"]: _copy,
    OPS["SCALE"]: _scale,
    OPS["SSM_SCAN"]: _scan,
    OPS["SSM_CONV"]: _if_source(lambda source: read_ne(source)[1] % 128 == 0),
    OPS["REPEAT"]: _if_source(lambda source: read_type(source)[0] in _HALVES),
    OPS["SUM_ROWS"]: _sum,
    OPS["MEAN"]: _sum,
    OPS["UNARY"]: _if_source(is_contiguous),
    OPS["GLU"]: _if_source(is_contiguous_1),
    OPS["ROPE"]: _rope,
    **dict.fromkeys((OPS["NORM"], OPS["RMS_NORM"], OPS["L2_NORM"]), _if_source(is_contiguous_rows)),
    **dict.fromkeys((OPS["ADD"], OPS["SUB"], OPS["MUL"], OPS["DIV"]), _elementwise),
}
"""Operations (ggml_op) that depend on their operands, given the address of the result; of those that a language model
uses, every other one runs.
"""
