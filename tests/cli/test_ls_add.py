"""`puna ls` and `puna add`: JSON for programs, a table for people, refusals in one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.cli.ls import table
from tui.cli.main import main
from tui.library import Model

KEYS = ["name", "path", "repo", "file", "quant", "architecture", "file_bytes", "shards", "source", "problem"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own with an empty cache, and a folder with two models, one of them broken."""
    monkeypatch.setenv("PUNA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr("tui.library.places.DEMO_PACKAGE", "no-such-package-here")
    place = tmp_path / "models"
    tiny_model(place / "Tiny-F16.gguf", quant="F16")
    (place / "broken.gguf").write_text("<html>")
    return place


def output(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    found = capsys.readouterr()
    return found.out, found.err


def test_an_empty_library_says_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls"]) == 0
    out, err = output(capsys)
    assert out == ""
    assert "puna add PATH" in err
    assert main(["ls", "--json"]) == 0
    assert json.loads(output(capsys)[0]) == {"models": []}


def test_a_file_is_added_and_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "Tiny-F16.gguf"
    assert main(["add", str(file), "--json"]) == 0
    out, err = output(capsys)
    entry: dict[str, Any] = json.loads(out)
    assert list(entry) == KEYS
    assert entry == {
        "name": "Tiny-F16",
        "path": str(file),
        "repo": None,
        "file": "Tiny-F16.gguf",
        "quant": "F16",
        "architecture": "llama",
        "file_bytes": file.stat().st_size,
        "shards": 1,
        "source": "added",
        "problem": None,
    }
    assert err == ""
    assert main(["ls", "--json"]) == 0
    assert json.loads(output(capsys)[0]) == {"models": [entry]}


def test_a_folder_is_added_with_all_its_models(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", str(folder), "--json"]) == 0
    out, err = output(capsys)
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["broken", "Tiny-F16"]
    assert err == "puna: broken cannot be loaded: is not a GGUF file\n"
    assert main(["add", str(folder)]) == 0
    assert [line.split()[0] for line in output(capsys)[0].splitlines()] == ["broken", "Tiny-F16"]


def test_an_added_model_is_called_what_the_library_calls_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder.parent / "other"
    other.mkdir()
    shutil.copy(folder / "Tiny-F16.gguf", other)
    main(["add", str(folder)])
    output(capsys)
    assert main(["add", str(other / "Tiny-F16.gguf"), "--json"]) == 0
    assert json.loads(output(capsys)[0])["name"] == "other/Tiny-F16"


@pytest.mark.parametrize("name", ["missing.gguf", "broken.gguf", ".."])
def test_what_cannot_be_added_is_one_line_and_exit_1(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.parent / "empty").mkdir()
    place = folder / name if name != ".." else folder.parent / "empty"
    assert main(["add", str(place), "--json"]) == 1
    out, err = output(capsys)
    assert out == ""
    assert err.startswith(f"puna: {place}: ")
    assert err.count("\n") == 1


def test_a_missing_argument_is_a_usage_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add"]) == 2
    assert main(["ls", "--nonsense"]) == 2
    assert "usage" in output(capsys)[1]


def test_notes_go_to_stderr_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = folder.parent / "gone"
    assert main(["config", "set", "library.folders", str(gone)]) == 0
    output(capsys)
    assert main(["ls", "--json"]) == 0
    out, err = output(capsys)
    assert json.loads(out) == {"models": []}
    assert f"{gone}: passed over" in err


def test_the_installed_command_works_in_another_process(folder: Path) -> None:
    command = [sys.executable, "-m", "tui"]
    env = {**os.environ, "NO_COLOR": "1"}
    subprocess.run([*command, "add", str(folder)], env=env, check=True, capture_output=True)
    ran = subprocess.run([*command, "ls", "--json"], env=env, check=True, capture_output=True, text=True)
    assert {"broken", "Tiny-F16"} <= {model["name"] for model in json.loads(ran.stdout)["models"]}


def model(name: str, problem: str | None = None, shards: int = 1) -> Model:
    path = Path(f"/models/{name}.gguf")
    return Model(name, path, "org/repo", path.name, "Q4_K_M", "llama", 4_920_000_000, shards, "hf-cache", problem)


def test_the_table_fits_the_terminal_and_keeps_its_columns() -> None:
    long = model("A-very-long-model-name-" * 4, "is cut short: it has 1 bytes and needs 2; get it again " * 3)
    lines = table([model("Qwen3-8B-Q4_K_M"), long, model("日本語モデル")], 80)
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["NAME", "SIZE", "QUANT", "FROM"]
    assert lines[1].split() == ["Qwen3-8B-Q4_K_M", "4.6", "GiB", "Q4_K_M", "hub", "cache"]
    assert lines[2].split()[0].endswith("…")
    assert lines[3].startswith("  ! is cut short")
    at = lines[0].index("QUANT")
    assert [line[at:].split()[0] for line in lines[1:3]] == ["Q4_K_M", "Q4_K_M"]
    # Six characters of two columns each.
    assert lines[4][at - 6 :].startswith("Q4_K_M")


def test_a_file_gets_the_table_whole() -> None:
    name = "A-very-long-model-name-" * 6
    lines = table([model(name, "a problem " * 20)], None)
    assert lines[1].startswith(f"{name}  ")
    assert lines[2].endswith("a problem ")


def test_the_long_form_says_where_and_what() -> None:
    lines = table([model("big", shards=3)], 80, long=True)
    assert lines[2:] == ["  llama, 3 files, org/repo", "  /models/big.gguf"]


@pytest.fixture
def library(folder: Path) -> Path:
    """The first library folder of the settings."""
    place = folder.parent / "library"
    assert main(["config", "set", "library.folders", str(place)]) == 0
    return place


def test_a_dry_run_says_what_would_be_done(folder: Path, library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "Tiny-F16.gguf"
    output(capsys)
    assert main(["add", str(file), "--copy", "--dry-run", "--json"]) == 0
    plan = json.loads(output(capsys)[0])
    bytes_ = file.stat().st_size
    assert plan.pop("free_bytes") > bytes_
    assert plan == {
        "how": "copy",
        "files": [{"from": str(file), "to": str(library / "Tiny-F16.gguf"), "bytes": bytes_}],
        "needed_bytes": bytes_,
    }
    assert main(["add", str(file), "--move", "--dry-run"]) == 0
    out, err = output(capsys)
    assert out.startswith(f"move  {file}\n")
    assert "Nothing was done" in err
    assert not library.exists()


@pytest.mark.parametrize("how", ["copy", "move", "link", "symlink"])
def test_an_imported_model_is_listed_in_the_library_folder(
    folder: Path, library: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "Tiny-F16.gguf"
    main(["add", str(file)])
    output(capsys)
    assert main(["add", str(file), f"--{how}", "--json"]) == 0
    entry = json.loads(output(capsys)[0])
    assert list(entry) == KEYS
    assert (entry["path"], entry["source"]) == (str(library / "Tiny-F16.gguf"), "folder")
    assert main(["ls", "--json"]) == 0
    listed = json.loads(output(capsys)[0])["models"]
    assert entry["path"] in [model["path"] for model in listed]
    # What was moved is not missed.
    assert all(model["problem"] is None for model in listed)


def test_an_import_needs_a_folder_and_one_way(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(folder / "Tiny-F16.gguf")
    assert main(["add", file, "--copy"]) == 1
    assert "puna config set library.folders PATH" in output(capsys)[1]
    assert main(["add", file, "--dry-run"]) == 1
    assert main(["add", file, "--copy", "--move"]) == 2


def test_one_model_is_told_in_full(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", str(folder)]) == 0
    output(capsys)
    assert main(["ls", "tiny-f16", "--json"]) == 0
    found = json.loads(output(capsys)[0])
    assert list(found)[: len(KEYS)] == KEYS
    assert (found["chat_template"], found["n_layer"], found["licence"], found["loads"]) == (True, 2, None, 0)
    assert {each["type"] for each in found["tensors"]} == {"F32", "F16"}
    assert sum(each["count"] for each in found["tensors"]) > 10
    assert main(["ls", "tiny-f16", "--long"]) == 0
    lines = output(capsys)[0].splitlines()
    assert any(line.split() == ["template", "yes"] for line in lines)
    assert main(["ls", "tiny-f16"]) == 0
    assert len(output(capsys)[0].splitlines()) == 2


def test_one_broken_model_is_told_as_far_as_it_goes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", str(folder)]) == 0
    output(capsys)
    assert main(["ls", "broken", "--json"]) == 0
    found = json.loads(output(capsys)[0])
    assert (found["problem"], found["chat_template"], found["tensors"]) == ("is not a GGUF file", None, [])
    assert main(["ls", "nothing"]) == 1
    assert "no model is called 'nothing'" in output(capsys)[1]
