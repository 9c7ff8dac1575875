"""Files that are all header."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.llama.hollow import hollow_file

DATA = b"GGUF and more"
HOLE = 1 << 40


def check(path: Path) -> None:
    """It reads as the data, and then zeros, as large as the model."""
    assert path.stat().st_size == len(DATA) + HOLE
    assert path.stat().st_blocks * 512 < 1 << 20
    with path.open("rb") as file:
        assert file.read(len(DATA) + 3) == DATA + b"\0\0\0"
        file.seek(-2, 2)
        assert file.read() == b"\0\0"


def test_it_is_there_while_it_is_needed() -> None:
    with hollow_file(DATA, HOLE) as path:
        check(path)
    assert not path.exists()


def test_without_files_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.memfd_create")
    with hollow_file(DATA, HOLE) as path:
        check(path)
        assert path.suffix == ".gguf"
    assert not path.exists()
