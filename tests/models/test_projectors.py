"""Which projector belongs to a model: the one beside it, the one called alike, none that cannot be its."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.gguf_maker import plain_gguf
from tests.rigs.projector_maker import tiny_projector
from tui.llama.settings import LoadSettings
from tui.models import projectors
from tui.models.projectors import projector_beside, why_not


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_projector(tmp_path_factory.mktemp("made") / "mmproj.gguf").read_bytes()


def put(folder: Path, made: bytes, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made if "mmproj" in name else b"GGUF")


@pytest.mark.parametrize(
    ("names", "model", "found"),
    [
        (("m-Q4_K_M.gguf", "mmproj-F16.gguf"), "m-Q4_K_M.gguf", "mmproj-F16.gguf"),
        (("m-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-F16.gguf"), "m-Q8_0.gguf", "mmproj-F16.gguf"),
        (("m-Q8_0.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-Q8_0.gguf"), "m-Q8_0.gguf", "mmproj-F16.gguf"),
        (("gemma-3-4b-it-Q4_K_M.gguf", "qwen.gguf", "mmproj-F16.gguf"), "qwen.gguf", None),
        (
            ("gemma-3-4b-it-Q4_K_M.gguf", "qwen.gguf", "gemma-3-4b-it.mmproj-f16.gguf"),
            "gemma-3-4b-it-Q4_K_M.gguf",
            "gemma-3-4b-it.mmproj-f16.gguf",
        ),
        (("SmolVLM-500M-Q8_0.gguf", "x.gguf", "mmproj-SmolVLM-500M-Q8_0.gguf"), "x.gguf", None),
        (
            ("SmolVLM-500M-Q8_0.gguf", "x.gguf", "mmproj-SmolVLM-500M-Q8_0.gguf"),
            "SmolVLM-500M-Q8_0.gguf",
            "mmproj-SmolVLM-500M-Q8_0.gguf",
        ),
        (("m-Q4_K_M.gguf",), "m-Q4_K_M.gguf", None),
    ],
)
def test_beside_it(names: tuple[str, ...], model: str, found: str | None, made: bytes, tmp_path: Path) -> None:
    put(tmp_path, made, *names)
    there = projector_beside(tmp_path / model)
    assert (there.name if there is not None else None) == found


def test_in_the_cache_any_revision_of_its_repository_will_do(made: bytes, tmp_path: Path) -> None:
    snapshots = tmp_path / "models--org--m" / "snapshots"
    put(snapshots, made, "new/Q8_0/m-Q8_0.gguf", "old/mmproj-F16.gguf")
    assert projector_beside(snapshots / "new" / "Q8_0" / "m-Q8_0.gguf") == snapshots / "old" / "mmproj-F16.gguf"
    put(snapshots, made, "new/mmproj-BF16.gguf")
    assert projector_beside(snapshots / "new" / "Q8_0" / "m-Q8_0.gguf") == snapshots / "new" / "mmproj-BF16.gguf"


def test_what_cannot_let_a_model_see_is_passed_over(made: bytes, tmp_path: Path) -> None:
    put(tmp_path, made, "m.gguf")
    assert why_not(plain_gguf(tmp_path / "model.gguf")) == "is no projector"
    hears = plain_gguf(tmp_path / "a-mmproj.gguf", {"clip.has_audio_encoder": True}, architecture="clip")
    assert why_not(hears) == "lets a model hear, not see"
    other: dict[str, str | int | float | bool] = {"clip.has_vision_encoder": True, "clip.projector_type": "hunyuanvl"}
    assert "hunyuanvl" in str(why_not(plain_gguf(tmp_path / "b-mmproj.gguf", other, architecture="clip")))
    (tmp_path / "c-mmproj.gguf").write_bytes(made[:5000])
    (tmp_path / "model.gguf").unlink()
    assert projector_beside(tmp_path / "m.gguf") is None
    put(tmp_path, made, "mmproj-ok.gguf")
    assert projector_beside(tmp_path / "m.gguf") == tmp_path / "mmproj-ok.gguf"


def test_without_mtmd_no_projector_is_of_use(made: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, made, "m.gguf", "mmproj-F16.gguf")
    assert projectors.has_mtmd()
    assert projectors.may_see(tmp_path / "m.gguf", LoadSettings())
    monkeypatch.setattr(projectors, "has_mtmd", lambda: False)
    assert not projectors.may_see(tmp_path / "m.gguf", LoadSettings())
