"""What llama.cpp said of its GPUs holds until another build is installed, or other devices appear."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tui.config.paths import Paths, paths
from tui.models import installed
from tui.models.installed import has_no_gpus, note_gpus


@pytest.fixture
def here(tmp_path: Path) -> Paths:
    return paths({"PUNA_HOME": str(tmp_path / "home")})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A llama_cpp that is found before the real one; its library."""
    library = tmp_path / "site" / "llama_cpp" / "lib" / "libggml.so"
    library.parent.mkdir(parents=True)
    (library.parent.parent / "__init__.py").touch()
    library.write_bytes(b"one build")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "llama_cpp", raising=False)  # another test of this process may have loaded it
    found = find_spec("llama_cpp")
    assert found is not None
    assert found.origin == str(library.parent.parent / "__init__.py")
    return library


def test_nothing_is_known_before_llama_cpp_was_asked(here: Paths, package: Path) -> None:
    assert not has_no_gpus(here)
    note_gpus(here, any_there=False)
    assert has_no_gpus(here)
    note_gpus(here, any_there=True)
    assert not has_no_gpus(here)


def test_another_build_is_asked_again(here: Paths, package: Path) -> None:
    note_gpus(here, any_there=False)
    package.write_bytes(b"another build")
    assert not has_no_gpus(here)
    note_gpus(here, any_there=False)
    (package.parent / "libggml-cuda.so").touch()
    assert not has_no_gpus(here)


def test_a_driver_that_came_since_is_asked_about(
    here: Paths, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "_DEVICES", tmp_path)
    note_gpus(here, any_there=False)
    assert has_no_gpus(here)
    (tmp_path / "nvidia0").touch()
    assert not has_no_gpus(here)


def test_gpus_that_are_shown_again_are_asked_about(here: Paths, package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    note_gpus(here, any_there=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert not has_no_gpus(here)


def test_a_cache_that_cannot_be_written_costs_nothing_else(here: Paths, package: Path) -> None:
    here.cache.parent.mkdir(parents=True)
    here.cache.write_text("no folder")
    for any_there in (False, True):
        note_gpus(here, any_there=any_there)
    assert not has_no_gpus(here)


def test_without_llama_cpp_nothing_is_known(here: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda _: None)
    note_gpus(here, any_there=False)
    assert not has_no_gpus(here)
