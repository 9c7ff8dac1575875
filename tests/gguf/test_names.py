"""What file names tell."""

from __future__ import annotations

import pytest

from tui.gguf.names import is_draft, is_imatrix, is_projector, quant_of, same_quant, shard_name, shard_of, stem_of


@pytest.mark.parametrize(
    ("name", "quant"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1"),
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-0.5b-instruct-q5_k_m.gguf", "Q5_K_M"),
        ("model-F32-Q2_K.gguf", "Q2_K"),
        ("Llama-3.3-70B-Instruct-IQ2_XXS.gguf", "IQ2_XXS"),
        ("gemma-3-12b-it-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("phi-4-Q6_K_L.gguf", "Q6_K_L"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("gpt-oss-120b-MXFP4_MOE-00001-of-00003.gguf", "MXFP4_MOE"),
        ("old.q4_0_4_4.gguf", "Q4_0_4_4"),
        ("model-bf16.gguf", "BF16"),
        ("model.fp16.gguf", "F16"),
        ("model_f32.gguf", "F32"),
        ("big-Q8_0-00002-of-00005.gguf", "Q8_0"),
        ("folder-Q8_0/model-IQ4_NL.gguf", "IQ4_NL"),
        ("bitnet-TQ1_0.gguf", "TQ1_0"),
        ("folder-Q8_0/model.gguf", None),
        ("Qwen-7B.gguf", None),
        ("fiQ4_Kx.gguf", None),
        ("", None),
    ],
)
def test_quant_of(name: str, quant: str | None) -> None:
    assert quant_of(name) == quant


def test_dynamic_quantizations_may_be_named_without_their_mark() -> None:
    assert same_quant("q4_k_xl", "UD-Q4_K_XL")
    assert not same_quant("Q4_K_M", "Q4_K_S")


@pytest.mark.parametrize(
    ("name", "shard"),
    [
        ("big-Q8_0-00002-of-00005.gguf", ("big-Q8_0", 2, 5)),
        ("a/b/x-00001-of-00001.gguf", ("x", 1, 1)),
        ("x-00000-of-00005.gguf", None),
        ("x-00006-of-00005.gguf", None),
        ("x-1-of-5.gguf", None),
        ("x.gguf", None),
        ("-00001-of-00002.gguf", None),
    ],
)
def test_shard_of(name: str, shard: tuple[str, int, int] | None) -> None:
    assert shard_of(name) == shard


def test_a_shards_name_is_what_llama_cpp_looks_for() -> None:
    assert shard_name("big", 2, 12) == "big-00002-of-00012.gguf"
    assert shard_of(shard_name("big", 2, 12)) == ("big", 2, 12)


def test_stems() -> None:
    assert stem_of("a/big-00002-of-00005.gguf") == "big"
    assert stem_of("Model.Q4_1.GGUF") == "Model.Q4_1"
    assert stem_of("odd") == "odd"


def test_files_that_are_no_models() -> None:
    assert is_projector("mmproj-model-f16.gguf")
    assert is_projector("gemma-3-4b-it.mmproj-Q8_0.gguf")
    assert is_projector("x-mm-proj.gguf")
    assert not is_projector("commproject-7b.gguf")
    assert is_imatrix("model.imatrix.gguf")
    assert not is_imatrix("model-imatrix-Q4_K_M.gguf")
    assert is_draft("mtp-model-Q4_0.gguf")
    assert is_draft("draft/Model-DRAFT-Q4_0.gguf")
    assert not is_draft("draft/drafted-by-an-aircraft.gguf")
