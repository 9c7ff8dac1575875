"""What the hardware tests stand on: the stand-in NVML, and proc and sys trees written by hand."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rigs.nvml import StandIn, build, two_gpus


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in, compiled once."""
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        pytest.skip("the stand-in NVML needs a C compiler")
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def stand_in(nvml_library: Path, tmp_path: Path) -> StandIn:
    """A stand-in that shows two GPUs until a test says otherwise."""
    made = StandIn(nvml_library, tmp_path / "nvml.state")
    made.show(two_gpus())
    return made


class Clock:
    """A clock that stands still until a test moves it."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Tree:
    """A `proc` and a `sys` folder to which tests write files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.proc, self.sys = str(folder / "proc"), str(folder / "sys")
        self.write({"proc/": "", "sys/": ""})

    def write(self, files: Mapping[str, str]) -> None:
        """Write files by their path below the tree; a name that ends in / is a folder."""
        for name, text in files.items():
            path = self.folder / name
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")

    def vanish(self, name: str) -> None:
        """Remove a file as a kernel does: who has it open reads nothing any more."""
        path = self.folder / name
        path.write_bytes(b"")
        path.unlink()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty machine."""
    return Tree(tmp_path / "machine")
