"""Everything that can be wrong with a GGUF file is a GgufError in words: made by hand, cut anywhere, random."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.gguf_bytes import ARRAY, STRING, U32, array, pair, start, string, tensor, write
from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tests.rigs.permission import permissions_count
from tui.gguf.errors import GgufError
from tui.gguf.header import read_header
from tui.gguf.parser import MAX_ARRAY

BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "three bytes": (b"GGU", "not a GGUF"),
    "another format": (b"PK\x03\x04" + bytes(100), "not a GGUF"),
    "text": (b"version https://git-lfs.github.com/spec/v1\n", "not a GGUF"),
    "magic only": (b"GGUF", "cut short"),
    "version 0": (start(version=0), "version 0"),
    "version 1": (start(version=1), "version 1"),
    "version 4": (start(version=4), "version 4"),
    "big endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
    "too many tensors": (start(n_tensors=1 << 60), "tensors"),
    "too many keys": (start(n_keys=1 << 40), "keys"),
    "missing keys": (start(n_keys=3), "cut short"),
    "missing tensors": (start(n_tensors=3), "cut short"),
    "endless key": (start(n_keys=1) + struct.pack("<Q", 1 << 62), str(1 << 62)),
    "key past the end": (start(n_keys=1) + struct.pack("<Q", 5000) + b"abc", "cut short"),
    "endless text": (start(n_keys=1) + pair("k", STRING, struct.pack("<Q", 1 << 62)), str(1 << 62)),
    "text past the end": (start(n_keys=1) + pair("k", STRING, struct.pack("<Q", 1 << 20) + b"abc"), "cut short"),
    "endless array": (start(n_keys=1) + pair("k", ARRAY, array(U32, 1 << 62, b"")), "elements"),
    "array past the end": (start(n_keys=1) + pair("k", ARRAY, array(U32, MAX_ARRAY, b"1234")), "cut short"),
    "short array past the end": (start(n_keys=1) + pair("k", ARRAY, array(U32, 9, b"1234")), "cut short"),
    "strings past the end": (start(n_keys=1) + pair("k", ARRAY, array(STRING, 1 << 20, string("a"))), "cut short"),
    "one string past the end": (
        start(n_keys=1) + pair("k", ARRAY, array(STRING, 2, string("a") + struct.pack("<Q", 4000))),
        "cut short",
    ),
    "endless string in an array": (
        start(n_keys=1) + pair("k", ARRAY, array(STRING, 1, struct.pack("<Q", 1 << 62))),
        str(1 << 62),
    ),
    "nested arrays": (start(n_keys=1) + pair("k", ARRAY, array(ARRAY, 1, array(U32, 1, b"1234"))), "arrays inside"),
    "unknown type": (start(n_keys=1) + pair("k", 77, b"1234"), "type 77"),
    "unknown type in an array": (start(n_keys=1) + pair("k", ARRAY, array(77, 1, b"1234")), "type 77"),
    "the same key twice": (start(n_keys=2) + 2 * pair("k", U32, b"1234"), "twice"),
    "alignment of zero": (start(n_keys=1) + pair("general.alignment", U32, struct.pack("<I", 0)), "alignment"),
    "alignment of 33": (start(n_keys=1) + pair("general.alignment", U32, struct.pack("<I", 33)), "alignment"),
    "alignment as text": (start(n_keys=1) + pair("general.alignment", STRING, string("32")), "alignment"),
    "nine dimensions": (start(n_tensors=1) + tensor("t", (1,) * 9), "9 dimensions"),
    "a tensor of 2^120 values": (start(n_tensors=1) + tensor("t", (1 << 60, 1 << 60)), "values"),
    "an endless name of a tensor": (start(n_tensors=1) + struct.pack("<Q", 1 << 62), str(1 << 62)),
    "a name of a tensor that is no text": (start(n_tensors=1) + tensor(b"\xff", (8,)), "no text"),
    "unknown tensor type": (start(n_tensors=1) + tensor("t", (8,), kind=4), "type 4"),
    "weights cut short": (start(n_tensors=1) + tensor("t", (1000,)) + bytes(100), "cut short"),
    "weights placed far away": (start(n_tensors=1) + tensor("t", (1,), offset=1 << 62), "cut short"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_words_that_name_it(tmp_path: Path, name: str) -> None:
    data, words = BAD[name]
    path = write(tmp_path / "bad.gguf", data)
    with pytest.raises(GgufError) as caught:
        read_header(path)
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    assert words in caught.value.reason
    assert "\n" not in str(caught.value)


def test_control_characters_of_a_file_stay_out_of_messages(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.gguf", start(n_keys=1) + pair("\x1b[31m" + "k" * 500, 77, b""))
    with pytest.raises(GgufError) as caught:
        read_header(path)
    assert "\x1b" not in str(caught.value)
    assert len(caught.value.reason) < 300


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    loop = tmp_path / "loop.gguf"
    loop.symlink_to(loop)
    for path, words in (
        (tmp_path / "missing.gguf", "no such file"),
        (tmp_path, "is a folder"),
        (pipe, "not a regular file"),
        (loop, "cannot be opened"),
        (Path("/dev/null"), "not a regular file"),
        (tmp_path / ("n" * 300), "cannot be opened"),
        (tmp_path / "a\0b", "cannot be opened"),
    ):
        with pytest.raises(GgufError, match=words):
            read_header(path)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m.gguf")
    path.chmod(0)
    with permissions_count(), pytest.raises(GgufError, match="may not read"):
        read_header(path)


def test_a_header_alone_is_enough_when_the_weights_are_not_asked_for(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m.gguf")
    whole = read_header(path)
    write(path, path.read_bytes()[: whole.data_offset])
    with pytest.raises(GgufError, match="cut short"):
        read_header(path)
    alone = read_header(path, whole=False)
    assert (alone.parameters, alone.data_offset) == (whole.parameters, whole.data_offset)


def test_cut_anywhere_it_is_refused(tmp_path: Path) -> None:
    data = tiny_model(tmp_path / "m.gguf").read_bytes()
    end = read_header(tmp_path / "m.gguf").data_offset
    path = tmp_path / "cut.gguf"
    for length in [*range(0, end, 13), end - 1, end, end + 1000, len(data) - 1]:
        write(path, data[:length])
        with pytest.raises(GgufError):
            read_header(path)


def test_a_sparse_giant_takes_no_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = write(tmp_path / "giant.gguf", start(n_keys=1) + pair("k", STRING, struct.pack("<Q", 1 << 23)))
    os.truncate(path, 1 << 40)
    tracemalloc.start()
    header = read_header(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert header.n_tensors == 0
    assert peak < 64 << 20


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file with one of everything, small enough to be damaged thousands of times."""
    path = plain_gguf(
        tmp_path_factory.mktemp("small") / "m.gguf",
        {"a": "text", "b": 7, "c": 1.5, "d": True, "e": [1, 2, 3], "tokenizer.ggml.tokens": ["x", "yy", "zzz"]},
        tensors={"one": (4, 8), "two": (3,)},
    )
    return path.read_bytes()


def survives(path: Path, data: bytes) -> None:
    """A header or a GgufError; anything else fails the test."""
    write(path, data)
    try:
        said = f"version {read_header(path).version}"
    except GgufError as error:
        said = str(error)
    assert said in ("version 2", "version 3") or said.startswith(f"{path}: ")


fuzz: Callable[[Any], Any] = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzz
@given(data=st.binary(max_size=400))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    survives(tmp_path / "random.gguf", data)
    survives(tmp_path / "random.gguf", start(n_tensors=1, n_keys=2) + data)


@fuzz
@given(at=st.integers(0, 1 << 12), patch=st.binary(min_size=1, max_size=9), cut=st.integers(0, 1 << 12))
def test_a_damaged_file(tmp_path: Path, small: bytes, at: int, patch: bytes, cut: int) -> None:
    stream = io.BytesIO(small)
    stream.seek(at % len(small))
    stream.write(patch)
    data = stream.getvalue()
    survives(tmp_path / "damaged.gguf", data)
    survives(tmp_path / "damaged.gguf", data[: cut % (len(data) + 1)])
