"""What is kept between scans: the list for the first frame and the headers, neither of which is worth a failure."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.library.conftest import Home
from tests.rigs.gguf_maker import tiny_model
from tui.gguf.header import Header, read_header
from tui.library import Model, cached, look
from tui.library.entries import models_of
from tui.library.index import index_file
from tui.library.scanner import Look
from tui.library.walking import Found

ROOT = Path(__file__).parents[2]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every header that is really read."""
    seen: list[Path] = []

    def spy(path: Path, **options: Any) -> Header:
        seen.append(path)
        return read_header(path, **options)

    monkeypatch.setattr("tui.library.facts.read_header", spy)
    return seen


def test_before_the_first_scan_there_is_no_list(home: Home) -> None:
    assert cached(home.paths) == ()


def test_the_list_of_the_last_scan_comes_back_whole(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    (home.folder / "broken.gguf").touch()
    home.hub.put("org/m", "m.gguf", tiny)
    found = look(home.paths, [str(home.folder)], home.environ)
    assert cached(home.paths) == found.models


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 1}',
        '{"version": 1, "models": 7}',
        '{"version": 99, "models": []}',
        '{"version": 1, "models": [7, null, {}, {"name": "x"}]}',
        '{"version": 1, "models": [{"name": 1, "path": 2, "file": 3, "file_bytes": 4, "shards": 1, "source": "demo"}]}',
        "[" * 100_000,
        "\xff\xfe",
    ],
)
def test_a_damaged_list_is_no_list(home: Home, text: str) -> None:
    index_file(home.paths).parent.mkdir(parents=True)
    index_file(home.paths).write_text(text, encoding="latin-1")
    assert cached(home.paths) == ()


def test_headers_are_read_once_and_again_when_a_file_changes(home: Home, tiny: Path, reads: list[Path]) -> None:
    file = home.folder / "one.gguf"
    shutil.copy(tiny, file)
    home.look(home.folder)
    assert file in reads
    reads.clear()
    home.look(home.folder)
    assert reads == []
    tiny_model(file, "mamba")
    assert home.look(home.folder)["one"].architecture == "mamba"
    assert reads == [file]


def test_files_that_are_what_they_were_become_no_models_again(
    home: Home, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [0]

    def spy(files: Sequence[Found], *stores: Any) -> list[Model]:
        made[0] += 1
        return models_of(files, *stores)

    monkeypatch.setattr("tui.library.scanner.models_of", spy)
    file, other = home.folder / "one.gguf", home.hub.put("org/m", "m.gguf", tiny)
    shutil.copy(tiny, file)
    for place in (file, other):
        os.utime(place, ns=(1, 1))

    def scanned(before: Look | None = None) -> Look:
        return look(home.paths, [str(home.folder)], home.environ, before=before)

    first = scanned()
    for again in (scanned(), scanned(first)):
        assert (again.models, made) == (first.models, [1])
    file.chmod(0o600)
    assert (scanned(first).models, made) == (first.models, [2])
    broken = home.folder / "broken.gguf"
    broken.touch()
    os.utime(broken, ns=(1, 1))
    for times in (3, 4):
        assert (len(scanned().models), made) == (len(first.models) + 1, [times]), (
            "what is broken is looked at each time"
        )
    broken.unlink()
    other.unlink()
    assert (len(scanned(first).models), made) == (len(first.models) - 1, [5])


def test_a_change_that_keeps_the_size_is_noticed_by_the_time(home: Home, tiny: Path, reads: list[Path]) -> None:
    file = home.folder / "one.gguf"
    shutil.copy(tiny, file)
    home.look(home.folder)
    reads.clear()
    os.utime(file, ns=(1, 1))
    home.look(home.folder)
    assert reads == [file]


def test_headers_of_files_that_are_gone_are_forgotten(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    home.look(home.folder)
    (home.folder / "one.gguf").unlink()
    home.look(home.folder)
    kept = json.loads((home.paths.cache / "header-cache.json").read_text())
    assert str(home.folder / "one.gguf") not in kept["headers"]


def test_a_damaged_header_cache_is_written_anew(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    home.look(home.folder)
    file = home.paths.cache / "header-cache.json"
    kept = json.loads(file.read_text())
    for record in kept["headers"].values():
        record["unknown"] = 1
    file.write_text(json.dumps(kept))
    assert home.look(home.folder)["one"].architecture == "llama"
    file.write_text("{")
    assert home.look(home.folder)["one"].architecture == "llama"
    assert "unknown" not in file.read_text()


def test_a_cache_folder_that_cannot_be_written_costs_nothing(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    home.paths.cache.parent.mkdir(parents=True)
    home.paths.cache.write_text("a file in the way")
    assert set(home.look(home.folder)) == {"one"}
    assert cached(home.paths) == ()


def test_the_first_frames_list_imports_little() -> None:
    heavy = ["tui.gguf.header", "tui.library.scanner", "importlib.metadata", "msgspec", "filelock", "platformdirs"]
    check = f"import sys; from tui.library import cached, Model; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-S", "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"
