"""Headers without their vocabulary: what is kept byte by byte, what stands for the tokenizer, and that llama.cpp makes
the same of it as of the whole file.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.gguf_bytes import STRING, U32, U64, pair, start, string, tensor, write
from tests.rigs.gguf_maker import Architecture, plain_gguf, tiny_model
from tui.gguf.errors import GgufError
from tui.gguf.growing import GrowingHeader
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import StrippedHeader, strip


def sparse(path: Path, stripped: StrippedHeader) -> Path:
    """The file that llama.cpp is given: the header, and a hole in place of the weights."""
    write(path, stripped.data)
    os.truncate(path, len(stripped.data) + stripped.data_bytes)
    return path


def again(folder: Path, stripped: StrippedHeader) -> Layout:
    return read_layout(sparse(folder / "again.gguf", stripped))


def in_llama(*paths: Path) -> list[dict[str, Any] | None]:
    """What llama.cpp makes of each, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.rigs.load_facts", *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_demo_model(tmp_path: Path, demo_model: Path) -> None:
    whole = read_layout(demo_model)
    stripped = strip(whole)
    assert len(stripped.data) < 20_000
    assert stripped.data_bytes == whole.data_bytes
    assert stripped.digest == hashlib.sha256(stripped.data).hexdigest()
    assert strip(read_layout(demo_model)) == stripped
    layout = again(tmp_path, stripped)
    assert layout.tensors == whole.tensors
    assert layout.header.data_offset == len(stripped.data)
    plain = [each for each in whole.pairs if not each.key.startswith("tokenizer.") and each.key != "llama.vocab_size"]
    assert list(layout.pairs) == [
        *plain,
        ("llama.vocab_size", pair("llama.vocab_size", U32, (49152).to_bytes(4, "little"))),
    ]
    assert layout.header.metadata["tokenizer.ggml.model"] == "no_vocab"
    assert strip(layout) == stripped


def test_from_afar_it_is_the_same(demo_model: Path) -> None:
    whole = read_layout(demo_model)
    growing = GrowingHeader("org/repo/file.gguf", whole.header.file_bytes)
    growing.feed(demo_model.read_bytes()[: whole.header.data_offset])
    assert growing.layout is not None
    assert strip(growing.layout) == strip(whole)


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "mamba", "jamba"])
def test_llama_cpp_makes_the_same_of_it(tmp_path: Path, architecture: Architecture) -> None:
    whole = tiny_model(tmp_path / "m.gguf", architecture)
    full, small = in_llama(whole, sparse(tmp_path / "s.gguf", strip(read_layout(whole))))
    assert full is not None
    assert small == full


def test_llama_cpp_makes_the_same_of_shards_and_the_demo_model(tmp_path: Path, demo_model: Path) -> None:
    for number, whole in enumerate([tiny_model(tmp_path / "m.gguf", shards=3), demo_model]):
        full, small = in_llama(whole, sparse(tmp_path / f"s{number}.gguf", strip(read_layout(whole))))
        assert full is not None
        assert small == full


def test_joined_shards_lose_their_numbers(tmp_path: Path) -> None:
    one = strip(read_layout(tiny_model(tmp_path / "one" / "m.gguf")))
    shards = strip(read_layout(tiny_model(tmp_path / "m.gguf", shards=3)))
    assert (again(tmp_path, shards).tensors, shards.data_bytes) == (again(tmp_path, one).tensors, one.data_bytes)
    assert not [key for key, _ in again(tmp_path, shards).pairs if key.startswith("split.")]


def test_every_shape_of_value_is_kept_as_it_is(tmp_path: Path) -> None:
    metadata: dict[str, Any] = {
        "llama.long": list(range(10_000)),
        "general.tags": ["a", "漢", ""],
        "general.licence": "x" * 10_000,
        "llama.vocab_size": 5,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.token_type_count": 2,
        "tokenizer.ggml.tokens": ["a", "b", "c"],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.chat_template": "{{ messages }}",
        "split.count": 1,
    }
    layout = read_layout(plain_gguf(tmp_path / "m.gguf", metadata, tensors={"t": (2, 3)}))
    kept = dict(layout.pairs)
    found = dict(again(tmp_path, strip(layout)).pairs)
    assert list(found) == [
        "general.architecture",
        "llama.long",
        "general.tags",
        "general.licence",
        "tokenizer.ggml.token_type_count",
        "split.count",
        "llama.vocab_size",
    ]
    assert found.pop("llama.vocab_size") == pair("llama.vocab_size", U32, struct.pack("<I", 3))
    assert found == {key: kept[key] for key in found}


def test_the_weights_begin_where_the_alignment_says(tmp_path: Path) -> None:
    path = plain_gguf(tmp_path / "m.gguf", {"general.alignment": 4096}, tensors={"t": (2, 3)})
    stripped = strip(read_layout(path, whole=False))
    assert len(stripped.data) % 4096 == 0
    assert again(tmp_path, stripped).header.data_offset == len(stripped.data)


def test_a_file_without_a_tokenizer_gets_none(tmp_path: Path) -> None:
    path = plain_gguf(tmp_path / "m.gguf", {"llama.vocab_size": 9}, tensors={"t": (2,)})
    layout = read_layout(path)
    assert again(tmp_path, strip(layout)).pairs == layout.pairs
    assert in_llama(path) == [None]


def model(path: Path, *pairs: bytes) -> Layout:
    keys = [pair("general.architecture", STRING, string("a")), *pairs]
    return read_layout(write(path, start(n_keys=len(keys)) + b"".join(keys)))


def test_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    tokenizer = pair("tokenizer.ggml.model", STRING, string("llama"))
    with pytest.raises(GgufError, match="does not name its architecture"):
        strip(read_layout(write(path, start())))
    with pytest.raises(GgufError, match="tokenizer without tokens"):
        strip(model(path, tokenizer))
    with pytest.raises(GgufError, match="vocabulary of 1099511627776 tokens"):
        strip(model(path, tokenizer, pair("a.vocab_size", U64, struct.pack("<Q", 1 << 40))))
    data = start(n_tensors=1, n_keys=1) + pair("general.architecture", STRING, string("a"))
    far_away = read_layout(write(path, data + tensor("t", (1,), offset=1 << 63)), whole=False)
    with pytest.raises(GgufError, match="bytes of weights"):
        strip(far_away)
    big = b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    growing = GrowingHeader("big.gguf", len(big))
    growing.feed(big)
    assert growing.layout is not None
    with pytest.raises(GgufError, match=r"big\.gguf: is a big-endian"):
        strip(growing.layout)


def test_one_shard_alone_is_refused(tmp_path: Path) -> None:
    data = tiny_model(tmp_path / "m.gguf", shards=2).read_bytes()
    growing = GrowingHeader("m-00001-of-00002.gguf", len(data))
    growing.feed(data)
    assert growing.layout is not None
    with pytest.raises(GgufError, match="only one of 2 shards"):
        strip(growing.layout)
