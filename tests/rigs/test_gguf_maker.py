"""The tests' own models are worth something only if llama.cpp really runs them: each is decoded in a process of
its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.gguf_maker import Architecture, scripted_model, tiny_model

ROOT = Path(__file__).parents[2]
TEXT = "The snow in Zürich 🌍 is white, and the cats are asleep."
PAST = "forty wizards jumped over quick brown foxes while seven gnomes played vexing chords. "


def decode(path: Path, count: int = 12, *more: str) -> dict[str, Any]:
    """What llama.cpp makes of a file, or the end of its words when it died."""
    command = [sys.executable, "-m", "tests.rigs.run_gguf", str(path), TEXT, str(count), *more]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=ROOT)
    assert ran.returncode == 0, f"exit {ran.returncode}: {ran.stdout}{ran.stderr[-2000:]}"
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("architecture", ["llama", "gemma3", "mamba", "jamba"])
def test_every_architecture_decodes_and_remembers_its_past(tmp_path: Path, architecture: Architecture) -> None:
    found = decode(tiny_model(tmp_path / "tiny.gguf", architecture, n_ctx_train=512), 12, PAST)
    assert found["read"].strip() == TEXT
    assert len(found["tokens"]) == 12
    assert not found["ended"]
    assert found["n_ctx_train"] == 512
    assert found["template"]
    assert found["recurrent"] == (architecture == "mamba")
    assert found["hybrid"] == (architecture == "jamba")
    assert found["n_swa"] == (64 if architecture == "gemma3" else 0)
    # Another past must give clearly other logits, or a test of prefix reuse on this model would prove nothing.
    assert found["difference"] > 1.0


def test_shards_are_loaded_by_the_first_and_say_the_same(tmp_path: Path) -> None:
    whole = decode(tiny_model(tmp_path / "whole.gguf"))
    first = tiny_model(tmp_path / "split.gguf", shards=3)
    assert first.name == "split-00001-of-00003.gguf"
    assert len(list(tmp_path.glob("split-*-of-00003.gguf"))) == 3
    assert decode(first)["tokens"] == whole["tokens"]


def test_a_mixture_of_experts_and_a_half_precision_file_decode(tmp_path: Path) -> None:
    assert len(decode(tiny_model(tmp_path / "moe.gguf", n_expert=4))["tokens"]) == 12
    assert len(decode(tiny_model(tmp_path / "half.gguf", quant="F16"))["tokens"]) == 12


def test_a_model_without_a_template_and_a_sentencepiece_vocabulary(tmp_path: Path) -> None:
    found = decode(tiny_model(tmp_path / "plain.gguf", vocab="spm", chat_template=None))
    assert found["read"].strip() == TEXT
    assert not found["template"]


def test_a_scripted_model_says_its_words_byte_by_byte_and_ends(tmp_path: Path) -> None:
    found = decode(scripted_model(tmp_path / "script.gguf", "Zé 日🌎ok!"), 40)
    assert found["text"] == "Zé 日🌎ok!"
    assert len(found["tokens"]) == len("Zé 日🌎ok!".encode())
    assert found["ended"]


def test_a_scripted_model_may_go_on_for_ever(tmp_path: Path) -> None:
    found = decode(scripted_model(tmp_path / "loop.gguf", "fish, ", ends=False), 13)
    assert found["text"] == "fish, fish, f"
    assert not found["ended"]


def test_a_script_that_repeats_a_byte_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        scripted_model(tmp_path / "no.gguf", "hello")


def test_the_same_arguments_make_the_same_file(tmp_path: Path) -> None:
    one, two = tiny_model(tmp_path / "one.gguf", seed=3, name="m"), tiny_model(tmp_path / "two.gguf", seed=3, name="m")
    assert one.read_bytes() == two.read_bytes()
    assert tiny_model(tmp_path / "other.gguf", seed=4, name="m").read_bytes() != one.read_bytes()
