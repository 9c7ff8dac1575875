"""`puna run --image`: what a model sees, and what is said where it sees nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.puna import puna
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.pictures import noise_png
from tests.rigs.projector_maker import MLP_TOKENS, tiny_projector
from tui.cli.main import main

pytestmark = pytest.mark.live


def ask(home: Path, model: Path, *more: str) -> dict[str, object]:
    done = puna(home, "run", str(model), "What is it?", "--temperature", "0", "--max-tokens", "8", "--json", *more)
    assert done.returncode == 0, done.stderr.decode()
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_an_image_is_asked_about(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "m" / "m-F32.gguf")
    tiny_projector(tmp_path / "m" / "mmproj-F16.gguf")
    one, other = (str(noise_png(tmp_path / f"{seed}.png", 90, 60, seed=seed)) for seed in (1, 2))
    seen, unseen = ask(tmp_path, model, "--image", one), ask(tmp_path, model, "--mmproj", "none")
    assert seen["prompt_tokens"] == int(str(unseen["prompt_tokens"])) + MLP_TOKENS
    assert seen["text"] not in (unseen["text"], ask(tmp_path, model, "--image", other)["text"])


def test_what_cannot_be_seen_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PUNA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr("sys.stdin", None)
    model = tiny_model(tmp_path / "m" / "m-F32.gguf")
    good = noise_png(tmp_path / "good.png", 40, 30)
    bad = tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:900])
    for arguments, words in (
        (("--image", str(good)), "cannot see images: no projector lies beside it; --mmproj names one elsewhere"),
        (("--image", str(good), "--mmproj", "none"), "cannot see images: mmproj is none"),
        (("--image", str(bad)), "bad.png is damaged"),
        (("--image", str(tmp_path / "gone.png")), "gone.png is not there"),
        (("--image", str(model)), "is no image that can be opened"),
    ):
        assert main(["run", str(model), "Hm?", *arguments]) == 1
        assert words in capsys.readouterr().err
