"""`puna bench` on a small model: the contract, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.puna import puna
from tests.rigs.gguf_maker import tiny_model

pytestmark = pytest.mark.live


def test_the_document(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny.gguf")
    done = puna(tmp_path, "bench", str(model), "--prompt-tokens", "64", "--tokens", "8", "--runs", "2", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(document) == ["model", "settings", "prefill_tok_s", "decode_tok_s", "runs", "load_s"]
    assert len(document["runs"]) == 2
    assert all(run["completion_tokens"] == 8 and 32 <= run["prompt_tokens"] <= 64 for run in document["runs"])
    assert document["decode_tok_s"] > 0
    assert document["settings"]["n_ctx"] == 4096
    assert isinstance(document["settings"]["threads"], int)


def test_the_table(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny.gguf")
    text = puna(tmp_path, "bench", str(model), "--prompt-tokens", "16", "--tokens", "4", "--runs", "1").stdout.decode()
    assert "median" in text
    assert re.match(r"tiny: llama \d+\.\d M\b.*, \d+ threads\n", text)
    assert "tok/s" in text


@pytest.mark.parametrize(("options", "says"), [(("--runs", "0"), b"--runs"), (("--prompt-tokens", "9000"), b"--n-ctx")])
def test_refusals(tmp_path: Path, options: tuple[str, ...], says: bytes) -> None:
    model = tiny_model(tmp_path / "tiny.gguf")
    done = puna(tmp_path, "bench", str(model), *options)
    assert done.returncode == 1
    assert says in done.stderr
