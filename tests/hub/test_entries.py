"""Entries of the Hub's list, written by strangers: what holds is taken, what does not is not known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.hub.entries import listing_of
from tui.hub.files import is_repo, is_safe

B = 1_000_000_000


def told(**entry: object) -> Any:
    found = listing_of({"id": "org/m-GGUF", **entry})
    assert found is not None
    return found


@pytest.mark.parametrize(
    "entry",
    [None, 7, [], "org/m", {}, {"id": 7}, {"id": None}]
    + [
        {"id": name}
        for name in (
            *("m", "org/", "/m", "org/m/x", "../..", "org/..", "./m", "/etc/passwd", "org/a..b", "C:\\x/m", "org\\m"),
            *("org/m\n", "org/\x1b[31mm", "[red]org[/]/m", "org/m m", "org/\u202em", "org/" + "m" * 97, "ørg/m"),
        )
    ],
)
def test_what_names_no_repository_is_left_out(entry: object) -> None:
    assert listing_of(entry) is None


@pytest.mark.parametrize("name", ["org/m", "01-ai/Yi-1.5-34B", "_a/b_c.d-e", "o/m--x"])
def test_names_that_repositories_have(name: str) -> None:
    assert is_repo(name)
    assert is_safe(name)


@pytest.mark.parametrize("value", [None, "8", -1, 0, True, [], {}, 1.5, 1e300, 1 << 60])
def test_numbers_that_cannot_be(value: object) -> None:
    found = told(gguf={"total": value, "context_length": value}, downloads=value or "", likes=value or "")
    assert (found.parameters, found.context_length, found.downloads, found.likes) == (None, None, None, None)


def test_numbers_that_can_be() -> None:
    found = told(gguf={"total": 8.0 * B, "context_length": 8192}, downloads=0, likes=0)
    assert (found.parameters, found.context_length, found.downloads, found.likes) == (8 * B, 8192, 0, 0)


@pytest.mark.parametrize("gguf", [None, [], "x", 7])
def test_facts_of_another_type(gguf: object) -> None:
    assert told(gguf=gguf).parameters is None


@pytest.mark.parametrize(
    ("value", "gated"), [(None, False), (False, False), ("auto", True), ("manual", True), (1, True)]
)
def test_what_is_gated(value: object, gated: bool) -> None:
    assert told(gated=value).gated is gated


@pytest.mark.parametrize(
    ("tags", "model"),
    [
        (["base_model:a/m", "base_model:quantized:a/m"], "a/m"),
        (["base_model:a/m"], "a/m"),
        (["base_model:a/m", "base_model:finetune:a/m"], ""),
        (["base_model:a/m", "base_model:adapter:a/m"], ""),
        (["base_model:quantized:a/m", "base_model:quantized:a/n"], ""),
        (["base_model:quantized:../.."], ""),
        (["base_model:quantized:a/\x1b[31mm"], ""),
        ("base_model:a/m", ""),
        ([7, None, "x" * 1000], ""),
    ],
)
def test_which_model_was_quantized(tags: object, model: str) -> None:
    assert told(tags=tags).model == model


@pytest.mark.parametrize(
    ("tags", "licence"),
    [
        (["license:mit"], "mit"),
        (["license:"], None),
        (["license:[red]x[/]"], "[red]x[/]"),
        (["license:\x1b[2J"], None),
        ([], None),
    ],
)
def test_licences(tags: list[str], licence: str | None) -> None:
    assert told(tags=tags).licence == licence


@pytest.mark.parametrize(
    ("name", "total", "parameters"),
    [
        ("Qwen3-30B-A3B", 30.5 * B, 30_500_000_000),
        ("Qwen3-30B-A3B", 3 * B, None),
        ("Mixtral-8x7B-v0.1", 46.7 * B, 46_700_000_000),
        ("SmolLM2-135M", 134_515_008, 134_515_008),
        ("Qwen2-VL-7B", 0.6 * B, None),
        ("phi-4", 14 * B, 14 * B),
        ("m-v0.3b-4bit", 14 * B, 14 * B),
    ],
)
def test_the_hub_counts_one_file_which_the_name_may_contradict(name: str, total: float, parameters: int | None) -> None:
    found = listing_of({"id": f"org/{name}-GGUF", "gguf": {"total": total}})
    assert found is not None
    assert found.parameters == parameters


@pytest.mark.parametrize(
    ("name", "total", "active"),
    [
        ("Qwen3-30B-A3B-GGUF", 30.5e9, 3e9), ("LFM2-8B-A1.5B-GGUF", 8.3e9, 1.5e9), ("granite-1B-A400M", 1.3e9, 4e8),
        ("Qwen3-30B-A3B-GGUF", None, None), ("Llama-70B", 7e10, None), ("x-7B-A70B", 7e9, None),
    ],
)  # fmt: skip
def test_the_name_of_a_mixture_says_what_a_token_uses(name: str, total: float | None, active: float | None) -> None:
    entry = {"id": f"org/{name}", "gguf": {"total": total}}
    found = listing_of(entry)
    assert found is not None
    assert found.active_parameters == active


@pytest.mark.parametrize("value", ["yesterday", 7, None, "2026-01-02T\x1b", "2026" * 100, ""])
def test_moments_that_are_none(value: object) -> None:
    assert told(lastModified=value).updated is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
keys = st.sampled_from(["gguf", "downloads", "likes", "tags", "lastModified", "gated", "pipeline_tag"])
tags = st.lists(st.text(max_size=40) | st.builds("base_model:{}".format, st.text(max_size=20)), max_size=5)


@settings(max_examples=200)
@given(st.dictionaries(keys, json_values | tags, max_size=7), st.just("org/m") | st.text(max_size=30))
def test_nothing_that_comes_does_harm(entry: dict[str, Any], name: str) -> None:
    found = listing_of({**entry, "id": name})
    if found is None:
        return
    assert is_safe(found.repo)
    texts = (found.repo, found.model, found.architecture, found.licence or "", found.updated or "")
    assert all(text.isprintable() for text in texts)
    json.dumps([found.parameters, found.context_length, found.downloads, found.likes], allow_nan=False)
