"""Streams that cannot take what is written: a full disk, a terminal of few characters, nobody there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.puna import ROOT, environment, puna
from tests.rigs.gguf_maker import tiny_model

COMMANDS = [("ls",), ("ls", "--json"), ("doctor",), ("ps", "--json"), ("config", "show"), ("--help",), ("ls", "--help")]


def full(home: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The command with a disk without room as its output."""
    with Path("/dev/full").open("wb") as disk:
        command = [sys.executable, "-m", "tui", *arguments]
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=disk,
            stderr=subprocess.PIPE,
            env=environment(home, {"PYTHONUNBUFFERED": ""}),
            cwd=ROOT,
            check=False,
        )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk_is_one_line_and_exit_1(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = full(tmp_path, *arguments)
    assert done.stderr == b"puna: the output cannot be written: no space left on device\n"
    assert done.returncode == 1


@pytest.mark.live
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["plain", "json"])
def test_an_answer_onto_a_full_disk(tmp_path: Path, options: tuple[str, ...]) -> None:
    model = tiny_model(tmp_path / "tiny.gguf")
    done = full(tmp_path, "run", str(model), "hi", "--max-tokens", "4", *options)
    assert done.stderr == b"puna: the output cannot be written: no space left on device\n"
    assert done.returncode == 1


def test_a_terminal_of_few_characters_gets_question_marks(tmp_path: Path) -> None:
    (tmp_path / "señal.gguf").write_text("<html>")
    few = {"PYTHONIOENCODING": "ascii"}
    puna(tmp_path, "add", str(tmp_path), env=few)
    done = puna(tmp_path, "config", "set", "library.folders", str(tmp_path), env=few)
    assert done.returncode == 0
    done = puna(tmp_path, "ls", env=few)
    assert done.returncode == 0
    assert b"se?al" in done.stdout
    names = {model["name"] for model in json.loads(puna(tmp_path, "ls", "--json", env=few).stdout.decode())["models"]}
    assert "señal" in names


@pytest.mark.live
def test_an_answer_in_few_characters(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "tiny.gguf", chat_template="{{ raise_exception('ñandú') }}")
    done = puna(tmp_path, "run", str(model), "hi", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr.decode("ascii")


def test_messages_that_nobody_can_read_change_nothing(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as disk:
        command = [sys.executable, "-m", "tui", "stop", "1"]
        done = subprocess.run(command, stderr=disk, stdout=subprocess.PIPE, env=environment(tmp_path), check=False)
    assert done.stdout == b""
    assert done.returncode in (1, 120)  # Python's own, when its last flush of stderr fails


def test_closed_streams_are_no_traceback(tmp_path: Path) -> None:
    script = f'"{sys.executable}" -m tui ls >&-'
    done = subprocess.run(["sh", "-c", script], env=environment(tmp_path), capture_output=True, check=False, cwd=ROOT)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
