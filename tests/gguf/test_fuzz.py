"""Headers damaged in every way that chance finds: only a GgufError comes out, in little memory, and however the bytes
arrive the answer is the same.
"""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.gguf_bytes import (
    ARRAY,
    DATA_OFFSET,
    INFOS,
    KEYS,
    STRING,
    U32,
    U64,
    WHOLE,
    array,
    pair,
    start,
    tensor,
    write,
)
from tui.gguf.errors import GgufError
from tui.gguf.growing import GrowingHeader
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import strip

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(layout: Layout) -> Any:
    """The layout as a comparable value (NaN is not equal to itself), stripped too where that can be."""
    try:
        stripped = strip(layout)
    except GgufError as error:
        return repr(layout), str(error)
    growing = GrowingHeader("again", len(stripped.data) + stripped.data_bytes)
    growing.feed(stripped.data)
    assert growing.layout is not None
    assert growing.layout.tensors == layout.tensors
    assert strip(growing.layout) == stripped
    return repr(layout), stripped


def local(path: Path, data: bytes) -> Any:
    try:
        return outcome(read_layout(write(path, data)))
    except GgufError as error:
        return str(error)


def remote(path: Path, data: bytes, step: int) -> Any:
    growing = GrowingHeader(str(path), len(data))
    try:
        for at in range(0, len(data), step):
            assert growing.fed < growing.needs or growing.layout is not None or not growing.fed
            growing.feed(data[at : at + step])
            assert growing.header is None or repr(growing.header)
    except GgufError as error:
        return str(error)
    assert growing.layout is not None, "neither known nor refused with every byte there"
    return outcome(growing.layout)


def test_the_undamaged_header(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    layout = read_layout(write(path, WHOLE))
    assert (layout.header.n_vocab, len(layout.tensors), layout.header.data_offset) == (3, 2, DATA_OFFSET)
    assert remote(path, WHOLE, 7) == local(path, WHOLE)


def test_cut_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    for length in range(len(WHOLE) - 80):
        cut = WHOLE[:length]
        refused = local(path, cut)
        assert isinstance(refused, str), length
        for step in (11, 4096) if cut else ():
            assert isinstance(remote(path, cut, step), str), length


@fuzz
@given(
    flips=st.lists(st.tuples(st.integers(0, DATA_OFFSET - 1), st.integers(0, 255)), min_size=1, max_size=6),
    step=st.integers(1, 600),
)
def test_flipped_bytes(tmp_path: Path, flips: list[tuple[int, int]], step: int) -> None:
    data = bytearray(WHOLE)
    for at, value in flips:
        data[at] = value
    same_answer(tmp_path / "m.gguf", bytes(data), step)


@fuzz
@given(
    order=st.permutations(range(len(KEYS))),
    counts=st.tuples(st.integers(0, 4), st.integers(0, 12)),
    lie=st.tuples(
        st.integers(0, DATA_OFFSET - 8), st.sampled_from([0, 1, 255, 1 << 16, 1 << 31, 1 << 40, 1 << 62, (1 << 64) - 1])
    ),
    step=st.integers(1, 600),
)
def test_lying_counts(
    tmp_path: Path, order: list[int], counts: tuple[int, int], lie: tuple[int, int], step: int
) -> None:
    data = bytearray(start(*counts) + b"".join([KEYS[n] for n in order] + INFOS))
    data += bytes(DATA_OFFSET - len(data) + 256)
    same_answer(tmp_path / "m.gguf", bytes(data), step)
    struct.pack_into("<Q", data, *lie)
    same_answer(tmp_path / "m.gguf", bytes(data), step)


def same_answer(path: Path, data: bytes, step: int) -> None:
    """From a file and from pieces: both a GgufError, or both the same layout. Big-endian files are read from afar only,
    and from there a header that cannot be is refused earlier, so the words may differ.
    """
    here, there = local(path, data), remote(path, data, step)
    if "big-endian" in str(here):
        return
    assert isinstance(here, str) == isinstance(there, str), (here, there)
    assert isinstance(here, str) or here == there


LIES = {
    "2^40 tensors": start(n_tensors=1 << 40),
    "all tensors that may be": start(n_tensors=1 << 18),
    "2^40 keys": start(n_keys=1 << 40),
    "all keys that may be": start(n_keys=1 << 16),
    "a key of 2^62 bytes": start(n_keys=1) + struct.pack("<Q", 1 << 62),
    "a text of 2^62 bytes": start(n_keys=1) + pair("k", STRING, struct.pack("<Q", 1 << 62)),
    "a text of 16 MiB": start(n_keys=1) + pair("k", STRING, struct.pack("<Q", 1 << 24)),
    "2^62 numbers": start(n_keys=1) + pair("k", ARRAY, array(U64, 1 << 62, b"")),
    "2^28 numbers": start(n_keys=1) + pair("k", ARRAY, array(U64, 1 << 28, b"")),
    "2^28 texts": start(n_keys=1) + pair("k", ARRAY, array(STRING, 1 << 28, b"")),
    "2^28 tokens": start(n_keys=1) + pair("tokenizer.ggml.tokens", ARRAY, array(STRING, 1 << 28, b"")),
    "a tensor of 2^120 values": start(n_tensors=1) + tensor("t", (1 << 60, 1 << 60)),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_take_no_memory(tmp_path: Path, name: str) -> None:
    data = LIES[name]
    path = write(tmp_path / "m.gguf", data)
    tracemalloc.start()
    try:
        with pytest.raises(GgufError):
            read_layout(path)
        growing = GrowingHeader("m.gguf", 1 << 50)
        try:
            growing.feed(data)
            asked = growing.needs
        except GgufError:
            asked = 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
    assert asked <= 1 << 25


def test_4000_layers_are_passed_on_to_whoever_lays_them_out(tmp_path: Path) -> None:
    lied = WHOLE.replace(KEYS[2], pair("llama.block_count", U32, struct.pack("<I", 4000)))
    layout = read_layout(write(tmp_path / "m.gguf", lied))
    assert layout.header.n_layer == 4000
    assert strip(layout).data_bytes == layout.data_bytes


def test_a_flood_of_keys_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    value = array(1, 4000, bytes(4000))
    path = tmp_path / "m.gguf"
    with path.open("wb") as file:
        file.write(start(n_keys=1 << 16))
        for number in range(2000):
            file.write(pair(f"k{number}", ARRAY, value))
    tracemalloc.start()
    try:
        with pytest.raises(GgufError, match="more than 4 MiB"):
            read_layout(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 128 << 20
