"""`puna rm`: says whose it is and what comes free, asks on a terminal, and does nothing unasked elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.puna import ROOT
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.terminal import Terminal
from tui.cli.main import main


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, and a model in its library folder."""
    monkeypatch.setenv("PUNA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr("tui.library.places.DEMO_PACKAGE", "no-such-package-here")
    assert main(["config", "set", "library.folders", str(tmp_path / "models")]) == 0
    return tiny_model(tmp_path / "models" / "tiny.gguf")


def output(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    found = capsys.readouterr()
    return found.out, found.err


def documents(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output(capsys)[0].splitlines()]


def test_without_a_terminal_it_refuses(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys)
    assert main(["rm", "tiny", "--json"]) == 1
    out, err = output(capsys)
    assert out == ""
    assert "say --yes" in err
    assert file.exists()


def test_a_dry_run_deletes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = file.stat().st_size
    output(capsys)
    assert main(["rm", "tiny", "--dry-run", "--json"]) == 0
    assert documents(capsys) == [
        {
            "model": "tiny",
            "source": "folder",
            "owner": None,
            "files": [str(file)],
            "freed_bytes": size,
            "uses": [],
            "removed": False,
        }
    ]
    assert file.exists()


def test_with_yes_it_is_deleted(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys)
    assert main(["rm", "tiny", "--yes"]) == 0
    out, err = output(capsys)
    assert out.startswith("deleted tiny: ")
    assert str(file) in err
    assert not file.exists()
    assert main(["rm", "tiny", "--yes"]) == 1
    assert "no model is called 'tiny'" in output(capsys)[1]


def test_another_programs_model_is_said_to_be_theirs(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = Path(os.environ["HOME"]) / ".lmstudio/models/org/m/theirs.gguf"
    theirs.parent.mkdir(parents=True)
    file.rename(theirs)
    output(capsys)
    assert main(["rm", "theirs", "--yes", "--json"]) == 0
    out, err = output(capsys)
    assert "belongs to LM Studio, which will miss it" in err
    assert json.loads(out)["owner"] == "LM Studio"


@pytest.mark.parametrize(("answer", "left"), [("y\n", False), ("\n", True), ("no\n", True)])
def test_on_a_terminal_it_asks(file: Path, answer: str, left: bool) -> None:
    with Terminal([sys.executable, "-m", "tui", "rm", "tiny"], env=dict(os.environ), cwd=str(ROOT)) as terminal:
        terminal.wait_for("delete? [y/N]")
        assert str(file)[:40] in terminal.text()
        terminal.type(answer)
        assert terminal.end() == (1 if left else 0)
        assert ("nothing was done" if left else "deleted tiny") in terminal.text()
    assert file.exists() == left


def test_copies_become_links(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = file.with_name("zz-copy.gguf")
    shutil.copy(file, copy)
    output(capsys)
    assert main(["rm", "tiny", "--copies", "--yes"]) == 0
    assert "puna ls --hash" in output(capsys)[1]
    assert main(["ls", "--hash", "--json"]) == 0
    assert [model["name"] for model in documents(capsys)[0]["models"]] == ["tiny"]
    assert main(["rm", "tiny", "--copies", "--dry-run", "--json"]) == 0
    assert documents(capsys)[0]["joined"] is False
    assert not copy.samefile(file)
    assert main(["rm", "tiny", "--copies"]) == 1
    output(capsys)
    assert main(["rm", "tiny", "--copies", "--yes", "--json"]) == 0
    assert documents(capsys) == [
        {
            "model": "tiny",
            "kept": str(file),
            "linked": [str(copy)],
            "freed_bytes": file.stat().st_size,
            "joined": True,
        }
    ]
    assert copy.samefile(file)


@pytest.mark.parametrize(("answer", "one"), [("y\n", True), ("n\n", False)])
def test_the_space_is_given_back_after_a_second_yes(file: Path, answer: str, one: bool) -> None:
    copy = file.with_name("zz-copy.gguf")
    shutil.copy(file, copy)
    assert main(["ls", "--hash", "--json"]) == 0
    command = [sys.executable, "-m", "tui", "rm", "tiny", "--copies"]
    with Terminal(command, env=dict(os.environ), cwd=str(ROOT)) as terminal:
        terminal.wait_for("make them one file? [y/N]")
        terminal.type("y\n")
        terminal.wait_for("as it was) [y/N]")
        assert copy.samefile(file)
        terminal.type(answer)
        assert terminal.end() == (0 if one else 1)
    assert copy.samefile(file) == one
    assert len(list(file.parent.iterdir())) == 2


def test_copies_are_made_one_with_the_file_that_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("first", "second"):
        shutil.copy(file, file.with_name(f"{name}.gguf"))
    file.unlink()
    assert main(["ls", "--hash"]) == 0
    output(capsys)
    for name, other in (("first", "second"), ("second", "first")):
        assert main(["rm", name, "--copies", "--dry-run", "--json"]) == 0
        (told,) = documents(capsys)
        assert told["kept"] == str(file.with_name(f"{name}.gguf"))
        assert told["linked"] == [str(file.with_name(f"{other}.gguf"))]
