"""MODEL as a person writes it."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.library.model import Model, Place, Source
from tui.models.resolve import ModelNotFound, names_repository, resolve


def model(name: str, repo: str | None = None, quant: str | None = None, **more: str | None) -> Model:
    file = more.get("file") or f"{name}.gguf"
    source: Source = "hf-cache" if repo else "folder"
    return Model(
        name, Path(f"/models/{repo or 'x'}/{file}"), repo, file, quant, "llama", 1, 1, source, more.get("problem")
    )


DEMO = model("smollm2-demo", quant="Q4_1")
QWEN_4 = model("Qwen3-8B-Q4_K_M", "unsloth/Qwen3-8B-GGUF", "Q4_K_M")
QWEN_8 = model("Qwen3-8B-Q8_0", "unsloth/Qwen3-8B-GGUF", "Q8_0")
GEMMA = model("gemma-3-12b-it-UD-Q4_K_XL", "unsloth/gemma-3-12b-it-GGUF", "UD-Q4_K_XL")
DEEP = model("big", "org/big", "Q2_K", file="Q2_K/big-Q2_K-00001-of-00002.gguf")
ALL = (DEMO, QWEN_4, QWEN_8, GEMMA, DEEP)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("smollm2-demo", DEMO),
        ("  SmolLM2-Demo ", DEMO),
        ("smol", DEMO),
        ("qwen3-8b-q8", QWEN_8),
        ("unsloth/Qwen3-8B-GGUF:Q4_K_M", QWEN_4),
        ("unsloth/qwen3-8b-gguf:q8_0", QWEN_8),
        ("unsloth/gemma-3-12b-it-GGUF", GEMMA),
        ("unsloth/gemma-3-12b-it-GGUF:Q4_K_XL", GEMMA),
        ("https://huggingface.co/unsloth/gemma-3-12b-it-GGUF", GEMMA),
        ("https://huggingface.co/unsloth/gemma-3-12b-it-GGUF/", GEMMA),
        ("https://huggingface.co/unsloth/Qwen3-8B-GGUF/blob/main/Qwen3-8B-Q8_0.gguf", QWEN_8),
        ("https://huggingface.co/unsloth/Qwen3-8B-GGUF/resolve/main/Qwen3-8B-Q4_K_M.gguf?download=true", QWEN_4),
        ("hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M", QWEN_4),
        ("https://huggingface.co/org/big/tree/main", DEEP),
        ("https://huggingface.co/org/big/blob/main/Q2_K/big-Q2_K-00001-of-00002.gguf", DEEP),
    ],
)
def test_ways_to_name_a_model(text: str, meant: Model) -> None:
    assert resolve(text, ALL) is meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "puna ls"),
        ("qwen3", "the beginning of several: Qwen3-8B-Q4_K_M, Qwen3-8B-Q8_0"),
        ("unsloth/Qwen3-8B-GGUF", "name one: unsloth/Qwen3-8B-GGUF:Q4_K_M, unsloth/Qwen3-8B-GGUF:Q8_0"),
        ("unsloth/Qwen3-8B-GGUF:Q2_K", "no Q2_K here, but unsloth/Qwen3-8B-GGUF:Q4_K_M"),
        ("https://huggingface.co/unsloth/Qwen3-8B-GGUF/blob/main/other.gguf", "no other.gguf here"),
        ("https://huggingface.co/none/such", "'none/such' is not on this machine"),
        ("smolm2-dmo", "did you mean smollm2-demo?"),
        ("12b", "did you mean gemma-3-12b-it-UD-Q4_K_XL"),
        ("unsloth/Qwen3-9B-GGUF", "did you mean unsloth/Qwen3-8B-GGUF"),
        ("missing.gguf", "there is no file 'missing.gguf'"),
        ("./smollm2-demo.gguf", "did you mean smollm2-demo"),
        ("entirely different", "`puna ls` shows what is here"),
        ("/", "is a folder"),
        ("bad\x1b[31m\nname", "'bad name'"),
        ("\udcff", "no model is called"),
        ("a\0b", "no model is called"),
        ("~nobody-of-this-name/x", "there is no file"),
    ],
)
def test_what_is_not_found_or_not_clear_is_one_line(text: str, words: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        resolve(text, ALL)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_an_empty_library_says_how_to_fill_it() -> None:
    with pytest.raises(ModelNotFound, match="puna add PATH"):
        resolve("anything", ())


def test_of_a_whole_and_a_broken_file_the_whole_one_is_meant() -> None:
    broken = model("broken", "org/r", "Q4_0", problem="is cut short")
    whole = model("whole", "org/r", "Q4_0")
    assert resolve("org/r", (broken, whole)) is whole
    with pytest.raises(ModelNotFound, match="name one: a, b"):
        resolve("org/s", (model("a", "org/s"), model("b", "org/s")))


def test_a_path_works_where_a_name_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tiny_model(tmp_path / "my model.gguf")
    found = resolve(str(file), ALL)
    assert (found.path, found.architecture, found.source) == (file, "llama", "added")
    monkeypatch.chdir(tmp_path)
    assert resolve("my model.gguf", ALL).path == file
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve("~/my model.gguf", ALL).path == file


def test_a_path_of_a_file_in_the_library_is_that_entry(tmp_path: Path) -> None:
    file = tiny_model(tmp_path / "m.gguf")
    (tmp_path / "link.gguf").symlink_to(file)
    listed = Model("listed", file, None, "m.gguf", "F32", "llama", 1, 1, "folder")
    assert resolve(str(tmp_path / "link.gguf"), (DEMO, listed)) is listed


def test_any_shard_means_the_model(tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "big.gguf", shards=2)
    listed = Model("big", first, None, first.name, "F32", "llama", 1, 2, "folder")
    second = str(first.with_name("big-00002-of-00002.gguf"))
    assert resolve(second, (listed,)) is listed
    assert resolve(second, ()).path == first


def test_a_file_that_is_no_model_is_refused_in_its_own_words(tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_text("nothing")
    with pytest.raises(ModelNotFound, match="is not a GGUF file"):
        resolve(str(bad), ALL)
    shutil.copy(tiny_model(tmp_path / "m.gguf"), tmp_path / "cut.gguf")
    os.truncate(tmp_path / "cut.gguf", 100_000)
    with pytest.raises(ModelNotFound, match="cut short"):
        resolve(str(tmp_path / "cut.gguf"), ALL)


def test_a_library_name_wins_over_a_file_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model(tmp_path / "smollm2-demo")
    monkeypatch.chdir(tmp_path)
    assert resolve("smollm2-demo", ALL) is DEMO
    assert resolve("./smollm2-demo", ALL).source == "added"


def test_a_name_that_a_model_has_elsewhere_means_it_too() -> None:
    both = replace(QWEN_4, also=(Place(Path("/o/blob"), "ollama", "qwen3:8b"),))
    assert resolve("Qwen3:8B", (both, QWEN_8)) is both
    assert resolve("qwen3:", (both, QWEN_8)) is both
    named_so = model("qwen3:8b")
    assert resolve("qwen3:8b", (both, named_so)) is named_so


def test_the_same_file_of_a_repository_in_two_programs_is_one_choice() -> None:
    mine = model("org/r/a", "org/r", "Q4_0", file="a.gguf")
    theirs = replace(mine, name="lm-studio/org/r/a", path=Path("/lms/a.gguf"), source="lm-studio")
    assert resolve("org/r:Q4_0", (mine, theirs)) is mine
    broken = replace(mine, problem="is cut short")
    assert resolve("org/r", (broken, theirs)) is theirs
    assert resolve("lm-studio/org/r/a", (mine, theirs)) is theirs


def test_addresses_of_the_hub_that_hf_endpoint_names(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "http://hub.example:8080/models/unsloth/Qwen3-8B-GGUF/blob/main/Qwen3-8B-Q8_0.gguf"
    with pytest.raises(ModelNotFound, match="another hub is named in HF_ENDPOINT"):
        resolve(address, ALL)
    assert not names_repository(address)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example:8080/models/")
    assert resolve(address, ALL) is QWEN_8
    assert names_repository(address)
    assert names_repository("https://huggingface.co/org/m"), "the public one still counts"
