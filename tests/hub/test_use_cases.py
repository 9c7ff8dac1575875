"""What a model is for: rules that catalogue and search share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.hub.beyond import beyond, beyond_use_case
from tui.hub.listing import USE_CASES, UseCase
from tui.hub.use_cases import LONG_CONTEXT, use_cases


@pytest.mark.parametrize(
    ("name", "context_length", "expected"),
    [
        ("meta-llama/Meta-Llama-3-8B-Instruct", 8192, ("chat", "writing")),
        ("mistralai/Mistral-Nemo-Instruct-2407", 131_072, ("chat", "writing", "summarising")),
        ("mistralai/Mistral-7B-v0.1", LONG_CONTEXT - 1, ("chat", "writing")),
        ("mistralai/Mistral-7B-v0.1", LONG_CONTEXT, ("chat", "writing", "summarising")),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", 32_768, ("chat", "code", "summarising")),
        ("deepseek-ai/deepseek-coder-6.7b-base", 65_536, ("code",)),
        ("codellama/CodeLlama-7b-hf", 16_384, ("code",)),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", 131_072, ("chat", "writing", "reasoning", "summarising")),
        ("Qwen/Qwen3-8B", 40_960, ("chat", "writing", "reasoning", "summarising")),
        ("Qwen/Qwen3-4B-Instruct-2507", 262_144, ("chat", "writing", "summarising")),
        ("Qwen/Qwen3-8B-Base", 32_768, ("writing", "summarising")),
        ("Qwen/Qwen3-VL-4B-Thinking", None, ("chat", "writing", "reasoning", "vision")),
        ("allenai/olmOCR-2-7B-1025", 128_000, ("vision",)),
        ("nomic-ai/nomic-embed-text-v1.5", 2048, ("embedding",)),
        ("jinaai/jina-code-embeddings-0.5b", 32_768, ("embedding",)),
        ("BAAI/bge-small-en", 512, ("embedding",)),
        ("meta-llama/Llama-Guard-3-8B", 131_072, ()),
        ("OuteAI/OuteTTS-0.2-500M", 4096, ()),
        ("", None, ("chat", "writing")),
    ],
)
def test_the_name_says_what_it_is_for(name: str, context_length: int | None, expected: tuple[UseCase, ...]) -> None:
    assert use_cases(name=name, context_length=context_length) == expected


def test_what_the_hub_says_counts() -> None:
    def of(pipeline: str | None = None, *tags: str) -> tuple[UseCase, ...]:
        return use_cases(name="acme/thing-7b", context_length=8192, pipeline=pipeline, tags=tags)

    assert of("text-generation") == ("chat", "writing")
    assert of("image-text-to-text") == ("chat", "writing", "vision")
    assert of(None, "qwen2_vl") == ("chat", "writing", "vision")
    assert of("sentence-similarity") == ("embedding",)
    assert of("text-generation", "sentence-transformers") == ("embedding",)
    assert of("text-generation", "code") == ("code",)
    assert of("text-generation", "reasoning") == ("chat", "writing", "reasoning")
    assert of("text-to-image") == ()
    assert of("automatic-speech-recognition") == ()


def test_what_a_catalogue_says_counts() -> None:
    assert use_cases(name="x/thing", context_length=None, said="Code generation and completion") == ("code",)
    assert use_cases(name="x/thing", context_length=None, said="Text embeddings for RAG") == ("embedding",)
    assert use_cases(name="x/thing", context_length=None, capabilities=["vision"]) == ("chat", "writing", "vision")
    assert "reasoning" in use_cases(name="x/thing", context_length=None, said="Advanced reasoning, chain-of-thought")


@given(st.text(max_size=40), st.none() | st.integers(-1, 10**9), st.lists(st.text(max_size=20), max_size=4))
def test_any_words_give_known_uses_in_order(name: str, context_length: int | None, tags: list[str]) -> None:
    found = use_cases(name=name, context_length=context_length, tags=tags)
    assert list(found) == [use for use in USE_CASES if use in found]


@pytest.mark.parametrize(
    ("query", "instead"),
    [
        ("image generation", "stable-diffusion.cpp"),
        ("generate pictures", "stable-diffusion.cpp"),
        ("Stable-Diffusion XL", "stable-diffusion.cpp"),
        ("text to video", "ComfyUI"),
        ("whisper large", "whisper.cpp"),
        ("text-to-speech", "Piper"),
        ("music generator", "ComfyUI"),
    ],
)
def test_what_llama_cpp_does_not_do_is_said_with_what_does(query: str, instead: str) -> None:
    assert instead in (beyond(query) or "")


@pytest.mark.parametrize("query", ["", "qwen 8b", "vision", "code generation", "granite speech", "phi-4", "make"])
def test_a_search_for_models_is_left_alone(query: str) -> None:
    assert beyond(query) is None


def test_as_a_use_case_one_word_is_enough() -> None:
    assert "makes no images" in (beyond_use_case("image") or "")
    assert "makes no videos" in (beyond_use_case("video-generation") or "")
    assert "speaks no text" in (beyond_use_case("tts") or "")
    assert beyond_use_case("poetry") is None
