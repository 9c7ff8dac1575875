"""Tensor infos and raw pairs against the `gguf` package's reader, shards joined, labels from tensors, projectors."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from tests.rigs.gguf_bytes import start, tensor, write
from tests.rigs.gguf_maker import Architecture, plain_gguf, tiny_model
from tui.gguf.errors import GgufError
from tui.gguf.header import read_header
from tui.gguf.layout import Layout, read_layout
from tui.gguf.tensors import Tensor


def assert_agrees(path: Path, layout: Layout) -> None:
    """The `gguf` package, a reader that is not ours, finds the same tensors and the same bytes of each pair."""
    peer = gguf.GGUFReader(path)
    assert [(t.name, t.type, t.n_bytes) for t in layout.tensors] == [
        (t.name, int(t.tensor_type), int(t.n_bytes)) for t in peer.tensors
    ]
    assert [list(t.shape) for t in layout.tensors] == [t.shape.tolist() for t in peer.tensors]
    assert [layout.header.data_offset + t.offset for t in layout.tensors] == [t.data_offset for t in peer.tensors]
    raw = {key: b"".join(p.tobytes() for p in field.parts) for key, field in peer.fields.items()}
    kept = dict(layout.pairs)
    assert kept == {key: raw[key] for key in kept}
    assert [key for key in raw if not key.startswith(("GGUF.", "tokenizer."))] == [
        key for key in kept if not key.startswith("tokenizer.")
    ]
    assert layout.header.n_vocab == len(peer.fields["tokenizer.ggml.tokens"].data)


def test_the_demo_model(demo_model: Path) -> None:
    layout = read_layout(demo_model)
    assert_agrees(demo_model, layout)
    assert layout.header == read_header(demo_model)
    assert layout.header.n_vocab == 49152
    assert layout.data_bytes == 96_576_768 == demo_model.stat().st_size - layout.header.data_offset


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "mamba", "jamba"])
def test_made_models(tmp_path: Path, architecture: Architecture) -> None:
    path = tiny_model(tmp_path / "m.gguf", architecture, quant="Q8_0")
    assert_agrees(path, read_layout(path))


def test_tensor_infos_by_hand(tmp_path: Path) -> None:
    infos = tensor("a", (256, 3), kind=12) + tensor("b", (), offset=448) + tensor("c", (0, 2), kind=1, offset=480)
    layout = read_layout(write(tmp_path / "m.gguf", start(n_tensors=3) + infos), whole=False)
    assert layout.tensors == (
        Tensor("a", (256, 3), 12, 0, 3 * 144),
        Tensor("b", (), 0, 448, 4),
        Tensor("c", (0, 2), 1, 480, 0),
    )
    assert (layout.data_bytes, layout.alignment) == (480, 32)


def test_long_values_are_kept_as_they_are(tmp_path: Path) -> None:
    numbers, words = list(range(20_000)), [f"word {n}" for n in range(20_000)]
    path = plain_gguf(tmp_path / "m.gguf", {"a.numbers": numbers, "a.words": words, "a.text": "x" * 600_000})
    layout, peer = read_layout(path), gguf.GGUFReader(path)
    assert [key for key, _ in layout.pairs] == ["general.architecture", "a.numbers", "a.words", "a.text"]
    for key, raw in layout.pairs:
        assert raw == b"".join(part.tobytes() for part in peer.fields[key].parts)
    assert set(layout.header.metadata) == {"general.architecture"}


def test_a_header_alone_when_the_weights_are_not_asked_for(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m.gguf")
    whole = read_layout(path)
    write(path, path.read_bytes()[: whole.header.data_offset])
    with pytest.raises(GgufError, match="cut short"):
        read_layout(path)
    assert read_layout(path, whole=False).tensors == whole.tensors


def test_a_tensor_named_twice(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match="twice"):
        read_layout(write(tmp_path / "m.gguf", start(n_tensors=2) + 2 * tensor("t", (1,)) + bytes(64)))


def test_shards_are_joined_whichever_is_named(tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "m.gguf", shards=3)
    one = read_layout(tiny_model(tmp_path / "one" / "m.gguf"))
    files = [tmp_path / f"m-0000{number}-of-00003.gguf" for number in (1, 2, 3)]
    for path in files:
        joined = read_layout(path)
        assert joined.tensors == one.tensors
        assert joined.path == str(first)
        assert joined.header.architecture == "llama"
        assert joined.header.parameters == one.header.parameters
        assert joined.header.n_tensors == len(one.tensors)
        assert joined.header.file_bytes == sum(each.stat().st_size for each in files)


def test_joined_tensors_lie_on_the_alignment_of_the_first_file(tmp_path: Path) -> None:
    for number, dims in enumerate([(3, 5), (1,)]):
        metadata = {"split.count": 2, "split.no": number, "general.alignment": 64}
        name = f"m-0000{number + 1}-of-00002.gguf"
        plain_gguf(tmp_path / name, metadata, tensors={f"a{number}": dims, f"b{number}": (1,)})
    joined = read_layout(tmp_path / "m-00001-of-00002.gguf", whole=False)
    assert [(each.name, each.offset) for each in joined.tensors] == [("a0", 0), ("b0", 64), ("a1", 128), ("b1", 192)]
    assert joined.data_bytes == 196


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "m.gguf", shards=3)
    (tmp_path / "m-00002-of-00003.gguf").unlink()
    with pytest.raises(GgufError, match=r"m-00002-of-00003\.gguf: there is no such file"):
        read_layout(first)


def test_shards_that_do_not_belong_together(tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "m.gguf", shards=2)
    second = tmp_path / "m-00002-of-00002.gguf"
    good = second.read_bytes()
    shutil.copy(first, second)
    with pytest.raises(GgufError, match=r"m-00002-of-00002\.gguf: is not shard 2 of 2"):
        read_layout(first)
    tiny_model(tmp_path / "other" / "m.gguf", n_layer=4, shards=2)
    shutil.copy(tmp_path / "other" / second.name, second)
    with pytest.raises(GgufError, match="tensors in all its shards"):
        read_layout(first)
    second.write_bytes(good)
    renamed = first.rename(tmp_path / "renamed.gguf")
    with pytest.raises(GgufError, match="is one of 2 shards, but not named like one"):
        read_layout(renamed)


def test_a_count_of_shards_that_cannot_be(tmp_path: Path) -> None:
    path = plain_gguf(tmp_path / "m-00001-of-99999.gguf", {"split.count": 99999, "split.no": 0})
    with pytest.raises(GgufError, match="one of 99999 shards"):
        read_layout(path)


def quantized(path: Path, kinds: dict[str, str], **metadata: Any) -> Path:
    """A file whose matrices are of these types, zeros all."""
    writer = gguf.GGUFWriter(path, "llama")
    for key, value in metadata.items():
        writer.add_uint32(f"general.{key}", value)
    for name, kind in kinds.items():
        number = gguf.GGMLQuantizationType[kind]
        block, size = gguf.GGML_QUANT_SIZES[number]
        writer.add_tensor(name, np.zeros((8, 512 // block * size), dtype=np.uint8), raw_dtype=number)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(
    ("kinds", "label"),
    [
        ({"blk.0.a": "Q4_K", "blk.0.b": "Q4_K", "blk.0.c": "Q6_K", "blk.0.norm": "F32"}, "Q4_K_M"),
        ({"token_embd.weight": "Q8_0", "output.weight": "Q8_0", "blk.0.a": "IQ2_XXS"}, "IQ2_XXS"),
        ({"token_embd.weight": "F16"}, "F16"),
        ({"blk.0.a": "MXFP4", "token_embd.weight": "BF16"}, "MXFP4_MOE"),
        ({"blk.0.a": "Q2_K"}, "Q2_K"),
        ({}, None),
    ],
)
def test_the_label_follows_from_the_tensors(tmp_path: Path, kinds: dict[str, str], label: str | None) -> None:
    path = quantized(tmp_path / "m.gguf", kinds)
    assert read_header(path).file_type == label
    assert read_layout(path).header.file_type == label


def test_what_the_file_says_goes_before_its_tensors(tmp_path: Path) -> None:
    assert read_header(quantized(tmp_path / "a.gguf", {"blk.0.a": "Q4_K"}, file_type=14)).file_type == "Q4_K_S"
    assert read_header(quantized(tmp_path / "b.gguf", {"blk.0.a": "Q4_K"}, file_type=9999)).file_type == "Q4_K_M"


def test_projectors(tmp_path: Path) -> None:
    assert read_header(plain_gguf(tmp_path / "a.gguf", {"general.type": "mmproj"}, architecture="new")).is_projector
    assert read_header(plain_gguf(tmp_path / "b.gguf", architecture="clip")).is_projector
    assert not read_header(plain_gguf(tmp_path / "c.gguf", {"general.type": "model"})).is_projector


def test_version_2(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m.gguf")
    three, data = read_layout(path), bytearray(path.read_bytes())
    data[4:8] = struct.pack("<I", 2)
    two = read_layout(write(path, bytes(data)))
    assert (two.tensors, two.pairs, two.header.version) == (three.tensors, three.pairs, 2)
