"""A header that arrives piece by piece: where it stops early, what it asks for, that pieces make no difference, both
byte orders, and what it refuses.
"""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.gguf_bytes import ARRAY, STRING, U32, array, big_endian, pair, start, string, tensor
from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tui.gguf.errors import GgufError
from tui.gguf.growing import GrowingHeader
from tui.gguf.header import Header, read_header
from tui.gguf.layout import Layout, read_layout
from tui.gguf.window import MAX_PREFIX


def fed(data: bytes, file_bytes: int | None = None) -> GrowingHeader:
    growing = GrowingHeader("remote.gguf", len(data) if file_bytes is None else file_bytes)
    growing.feed(data)
    return growing


def layout(growing: GrowingHeader) -> Layout | None:
    """What is there now; the type checker takes an attribute that was None for None ever after."""
    return growing.layout


def header(growing: GrowingHeader) -> Header | None:
    """What is known now."""
    return growing.header


def test_the_demo_models_architecture_is_known_early(demo_model: Path) -> None:
    whole = read_layout(demo_model)
    growing = GrowingHeader(str(demo_model), whole.header.file_bytes)
    with demo_model.open("rb") as file:
        growing.feed(file.read(64 << 10))
        early = header(growing)
        assert early is not None
        assert layout(growing) is None
        assert (early.architecture, early.n_layer, early.n_ctx_train, early.n_vocab) == ("llama", 30, 8192, 49152)
        said = {key: value for key, value in whole.header.metadata.items() if key.startswith("llama.")}
        assert {key: value for key, value in early.metadata.items() if key.startswith("llama.")} == said
        assert (early.n_tensors, early.data_offset, early.parameters) == (272, 0, None)
        keys = set(early.metadata)
        while growing.layout is None:
            assert growing.fed < growing.needs <= whole.header.data_offset
            growing.feed(file.read(growing.needs - growing.fed))
    assert growing.layout == whole
    assert growing.header == whole.header
    assert set(early.metadata) == keys, "what was known is a value of its own"


def test_exactly_what_is_needed_is_asked_for(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m.gguf")
    data, whole = path.read_bytes(), read_layout(path)
    growing, asked = GrowingHeader(str(path), len(data)), []
    while growing.layout is None:
        asked.append(growing.needs)
        growing.feed(data[growing.fed : growing.needs])
    assert growing.layout == whole
    assert asked == sorted(set(asked))
    assert whole.header.data_offset - 32 < asked[-1] <= whole.header.data_offset


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("growing") / "m.gguf", "jamba")


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 6000), max_size=30))
def test_pieces_of_any_size_make_no_difference(tiny: Path, cuts: list[int]) -> None:
    data, whole = tiny.read_bytes(), read_layout(tiny)
    growing, headers = GrowingHeader(str(tiny), len(data)), []
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        growing.feed(data[begin:end])
        headers.append(growing.header)
    assert growing.layout == whole
    known = [header is not None for header in headers]
    assert known == sorted(known)


def test_single_bytes(tiny: Path) -> None:
    data, whole = tiny.read_bytes(), read_layout(tiny)
    growing = GrowingHeader(str(tiny), len(data))
    for at in range(whole.header.data_offset):
        growing.feed(data[at : at + 1])
    assert growing.layout == whole


def test_architecture_keys_behind_a_tokenizer_are_waited_for() -> None:
    keys = pair("general.architecture", STRING, string("llama")) + pair("tokenizer.ggml.model", STRING, string("x"))
    late = pair("llama.block_count", U32, struct.pack("<I", 7))
    data = start(n_keys=4, n_tensors=1) + keys
    growing = fed(data, 10_000)
    assert header(growing) is None
    growing.feed(late[:-1])
    assert header(growing) is None
    growing.feed(late[-1:])
    known = header(growing)
    assert known is not None
    assert known.n_layer == 7


def test_a_model_without_a_tokenizer_is_known_with_its_last_key() -> None:
    data = start(n_keys=1, n_tensors=1) + pair("general.architecture", STRING, string("clip"))
    growing = fed(data[:-1], 10_000)
    assert header(growing) is None
    assert growing.needs == len(data)
    growing.feed(data[-1:])
    known = header(growing)
    assert known is not None
    assert known.is_projector


def test_what_the_counts_promise_is_asked_for_at_once() -> None:
    keys = pair("general.architecture", STRING, string("a")) + pair("a.block_count", U32, struct.pack("<I", 1))
    tokens = pair("tokenizer.ggml.tokens", ARRAY, array(STRING, 1000, string("the first")))
    data = start(n_tensors=10, n_keys=3) + keys + tokens
    growing = fed(data, 1 << 20)
    assert growing.needs == len(data) + 8 * 999 + 24 * 10
    assert growing.header is not None
    assert growing.header.n_vocab == 1000
    with pytest.raises(GgufError, match="cut short"):
        fed(data, 8 * 999)


def test_a_long_array_outside_the_tokenizer_is_waited_for_and_kept() -> None:
    numbers = pair("a.b", ARRAY, array(U32, 10_000, bytes(40_000)))
    data = start(n_keys=1) + numbers
    growing = fed(data[:-1], len(data) + 100)
    assert layout(growing) is None
    assert growing.needs == len(data)
    growing.feed(data[-1:])
    known = layout(growing)
    assert known is not None
    assert known.pairs == (("a.b", numbers),)


def test_big_endian_headers_are_read_from_afar_and_refused_here(tmp_path: Path) -> None:
    path = big_endian(tmp_path / "m.gguf")
    found = layout(fed(path.read_bytes()))
    assert found is not None
    assert (found.header.version, found.header.big_endian, found.header.n_vocab) == (3, True, 3)
    assert found.header.metadata["llama.attention.head_count_kv"] == (1, 2, 70_000)
    assert found.header.metadata["llama.rope.freq_base"] == 10_000.5
    peer = gguf.GGUFReader(path)
    assert [(t.name, list(t.shape), t.n_bytes) for t in found.tensors] == [
        (t.name, t.shape.tolist(), t.n_bytes) for t in peer.tensors
    ]
    assert found.header.data_offset == peer.data_offset
    for read in (read_header, read_layout):
        with pytest.raises(GgufError, match="big-endian"):
            read(path)


@pytest.mark.parametrize(
    ("data", "file_bytes", "words"),
    [
        (b"", 0, "is empty"),
        (b"GG", 2, "not a GGUF"),
        (b"<!doctype html><html>...", 1000, "not a GGUF"),
        (b"GGUF" + struct.pack(">IQQ", 2, 0, 0), 1000, "big-endian"),
        (start(version=7), 1000, "version 7"),
        (start(n_tensors=1 << 40), 1 << 50, "tensors"),
        (start(n_keys=1 << 40), 1 << 50, "keys"),
        (start(n_keys=1) + pair("k", STRING, struct.pack("<Q", 1 << 62)), 1 << 50, str(1 << 62)),
        (start(n_keys=1) + pair("k", ARRAY, array(U32, 1 << 28, b"")), 1 << 50, "32 MiB"),
        (
            start(n_tensors=1, n_keys=1) + pair("tokenizer.k", ARRAY, array(U32, 1 << 28, b"")),
            1 << 50,
            f"{MAX_PREFIX >> 20} MiB",
        ),
        (start(n_keys=1) + pair("k", ARRAY, array(STRING, 1 << 28, string("a"))), 1 << 50, "MiB"),
        (start(n_tensors=1 << 18), 1 << 20, "cut short"),
        (start(n_tensors=1) + tensor("t", (1 << 30,)), 1 << 20, "cut short"),
    ],
)
def test_refused(data: bytes, file_bytes: int, words: str) -> None:
    with pytest.raises(GgufError, match=words) as caught:
        fed(data, file_bytes)
    assert str(caught.value).startswith("remote.gguf: ")


def test_bytes_past_the_end_of_the_file_are_left_out(tmp_path: Path) -> None:
    data = plain_gguf(tmp_path / "m.gguf", {"a": 1}).read_bytes()
    growing = fed(data + bytes(100), len(data))
    assert growing.fed == len(data)
    assert growing.layout is not None
