"""A header whose layout is known, so that a dry run can prove itself before anybody believes it. Values only.

The breakdown is read through a private symbol and stand-in devices through private structs; both may differ in another
build of llama.cpp without any error. What is wrong there gives other numbers here.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from tui.fit.questions import AskedDevice, KeepHeader, Question
from tui.fit.values import Prediction
from tui.llama.settings import LoadSettings

_N_EMBD, _N_HEAD, _N_HEAD_KV, _N_FF, _N_VOCAB, _N_CTX = 64, 2, 1, 96, 32, 512
_HEAD = _N_EMBD // _N_HEAD
_FLOAT_BYTES = 4
_U32, _F32_VALUE, _STRING = 4, 6, 8
"""gguf_type"""
_ALIGNMENT = 32

_KV_BYTES = 2 * 2 * _HEAD * _N_HEAD_KV * _N_CTX
"""f16 keys and values of the one layer."""
_EMBEDDING_BYTES = _FLOAT_BYTES * _N_EMBD * _N_VOCAB
_OUTPUT_BYTES = _EMBEDDING_BYTES + _FLOAT_BYTES * _N_EMBD
_LAYER_BYTES = _FLOAT_BYTES * (
    2 * _N_EMBD + 2 * _N_EMBD * _N_EMBD + 2 * _N_EMBD * _HEAD * _N_HEAD_KV + 3 * _N_EMBD * _N_FF
)
_ALL_BYTES = _EMBEDDING_BYTES + _LAYER_BYTES + _OUTPUT_BYTES


def header() -> KeepHeader:
    """A llama of one layer, float32."""
    pairs = list(_pairs())
    data = b"GGUF" + struct.pack("<IQQ", 3, len(_SHAPES), len(pairs)) + b"".join(pairs)
    offset = 0
    for name, shape in _SHAPES.items():
        data += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
        offset += _bytes(shape)
    data += bytes(-len(data) % _ALIGNMENT)
    return KeepHeader(hashlib.sha256(data).hexdigest(), data, offset)


def questions() -> tuple[Question, ...]:
    """On the CPU, wholly on a stand-in, and with its layer on the CPU and its output on the stand-in."""
    digest = header().digest
    device = AskedDevice("selftest", "cuda", 1 << 30, 1 << 30)
    return (
        Question(0, digest, LoadSettings(n_gpu_layers=0, n_ctx=_N_CTX, flash_attn="on"), ()),
        Question(0, digest, LoadSettings(n_gpu_layers="all", n_ctx=_N_CTX, flash_attn="off"), (device,)),
        Question(0, digest, LoadSettings(n_gpu_layers=1, n_ctx=_N_CTX, flash_attn="off"), (device,)),
    )


def doubt_about(answers: tuple[Prediction, ...]) -> str:
    """What is wrong with the answers to `questions`, in order; empty when nothing is."""
    on_cpu, on_device, split = answers
    figures = {
        "weights on the CPU": (on_cpu.host.weights_bytes, _ALL_BYTES),
        "cache on the CPU": (on_cpu.host.context_bytes, _KV_BYTES),
        "weights on a device": (on_device.devices[0].weights_bytes, _LAYER_BYTES + _OUTPUT_BYTES),
        "cache on a device": (on_device.devices[0].context_bytes, _KV_BYTES),
        "weights beside a device": (on_device.host.weights_bytes, _EMBEDDING_BYTES),
        "output on a device": (split.devices[0].weights_bytes, _OUTPUT_BYTES),
        "cache beside a device": (split.host.context_bytes, _KV_BYTES),
    }
    for name, (said, known) in figures.items():
        if said != known:
            return f"its self-test gave {said} bytes of {name}, which are {known}"
    for name, part in (("the CPU", on_cpu.host), ("a device", on_device.devices[0])):
        if not _LEAST_COMPUTE_BYTES <= part.compute_bytes <= 1 << 30:
            return f"its self-test gave {part.compute_bytes} bytes to compute with on {name}"
    return ""


_SHAPES: dict[str, tuple[int, ...]] = {
    "token_embd.weight": (_N_EMBD, _N_VOCAB),
    "blk.0.attn_norm.weight": (_N_EMBD,),
    "blk.0.attn_q.weight": (_N_EMBD, _N_EMBD),
    "blk.0.attn_k.weight": (_N_EMBD, _HEAD * _N_HEAD_KV),
    "blk.0.attn_v.weight": (_N_EMBD, _HEAD * _N_HEAD_KV),
    "blk.0.attn_output.weight": (_N_EMBD, _N_EMBD),
    "blk.0.ffn_norm.weight": (_N_EMBD,),
    "blk.0.ffn_gate.weight": (_N_EMBD, _N_FF),
    "blk.0.ffn_up.weight": (_N_EMBD, _N_FF),
    "blk.0.ffn_down.weight": (_N_FF, _N_EMBD),
    "output_norm.weight": (_N_EMBD,),
    "output.weight": (_N_EMBD, _N_VOCAB),
}
"""Every size is a multiple of the alignments of the CPU and of a stand-in, so that padding adds nothing."""
_LEAST_COMPUTE_BYTES = _FLOAT_BYTES * _N_EMBD * 512
"""The activations of one micro-batch."""


def _pairs() -> Iterator[bytes]:
    yield _text("general.architecture") + struct.pack("<I", _STRING) + _text("llama")
    yield _text("tokenizer.ggml.model") + struct.pack("<I", _STRING) + _text("no_vocab")
    numbers = {
        "block_count": 1,
        "context_length": _N_CTX,
        "embedding_length": _N_EMBD,
        "feed_forward_length": _N_FF,
        "attention.head_count": _N_HEAD,
        "attention.head_count_kv": _N_HEAD_KV,
        "rope.dimension_count": _HEAD,
        "vocab_size": _N_VOCAB,
    }
    for key, number in numbers.items():
        yield _text(f"llama.{key}") + struct.pack("<II", _U32, number)
    yield _text("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", _F32_VALUE, 1e-5)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _bytes(shape: tuple[int, ...]) -> int:
    size = _FLOAT_BYTES
    for length in shape:
        size *= length
    return size
