"""A hub of this machine, and a workbench that asks it on a machine that is described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.gguf_maker import tiny_model
from tests.rigs.hub import LoopbackHub, Repo, of_bytes, of_file
from tests.rigs.hub.environment import hub_home

CARD = b"""---
license: apache-2.0
---
# Lama-Lama

A model that answers with nonsense, **very** fast.
"""
NOBODY = "http://127.0.0.1:9"
"""Where no hub is."""


@pytest.fixture(scope="session")
def tiny_repo(models_dir: Path) -> Repo:
    """One repository in two quantizations; its name is in no catalogue."""
    path = tiny_model(models_dir / "finder-tiny.gguf", n_ctx_train=4096)
    files = {f"Lama-Lama-1M-{quant}.gguf": of_file(path) for quant in ("Q4_K_M", "Q8_0")}
    return Repo(
        "graze/Lama-Lama-1M-GGUF",
        {**files, "README.md": of_bytes(CARD)},
        downloads=4321,
        likes=12,
        modified="2026-10-01T00:00:00.000Z",
        tags=("gguf", "license:apache-2.0"),
        gguf={"total": 1_000_000, "architecture": "llama", "context_length": 4096},
    )


@pytest.fixture
def hub(tiny_repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """That hub, and the real client on its way to it."""
    gated = Repo("graze/Guarded-2M-GGUF", tiny_repo.files, gated="manual", gguf=tiny_repo.gguf, downloads=9)
    with hub_home(tmp_path / "hf", monkeypatch), LoopbackHub(tiny_repo, gated) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture
def no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real client, and nobody to ask."""
    with hub_home(tmp_path / "hf", monkeypatch):
        monkeypatch.setenv("HF_ENDPOINT", NOBODY)
        yield
