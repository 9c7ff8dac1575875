"""The command line as a whole: help, versions, exit codes, and what each command may import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tui
from tests.cli.puna import ROOT, puna
from tui.__main__ import wants_screen
from tui.cli.main import SUMMARIES


@pytest.mark.parametrize(
    ("arguments", "screen"),
    [
        ([], True),
        (["chat"], True),
        (["chat", "--help"], True),
        (["--ascii"], True),
        (["--theme", "noche"], True),
        (["--nonsense", "ls"], True),
        (["--help"], False),
        (["--version"], False),
        (["run", "m", "hi"], False),
        (["ls"], False),
        (["nonsense"], False),
    ],
)
def test_the_front_end_is_chosen_by_the_command(arguments: list[str], screen: bool) -> None:
    assert wants_screen(arguments) is screen


def test_help_lists_every_command_and_needs_nothing_heavy(tmp_path: Path) -> None:
    done = puna(tmp_path, "--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout.decode() for name in SUMMARIES)
    assert done.stderr == b""


def test_version(tmp_path: Path) -> None:
    assert puna(tmp_path, "--version").stdout.decode() == f"puna {tui.__version__}\n"


@pytest.mark.parametrize("command", sorted(SUMMARIES))
def test_every_command_has_help_with_its_options(tmp_path: Path, command: str) -> None:
    done = puna(tmp_path, command, "--help")
    assert done.returncode == 0
    assert done.stdout.decode().startswith(f"usage: puna {command}")
    assert SUMMARIES[command][1:] in done.stdout.decode().replace("\n", " ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("--nonsense", "ls"),
        ("ls", "--nonsense"),
        ("run",),
        ("run", "m", "hi", "--n-ctx", "abc"),
        ("stop", "x"),
    ],
)
def test_usage_errors_exit_with_2_and_say_so_on_stderr(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = puna(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"usage: puna" in done.stderr or b"error" in done.stderr


_HEAVY = ("textual", "llama_cpp", "huggingface_hub", "numpy")


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["--version"],
        ["ls"],
        ["ps"],
        ["config", "path"],
        ["run", "--help"],
        ["find", "--offline", "yi", "--limit", "1"],
    ],
)
def test_no_command_imports_textual_llama_cpp_or_the_hub(tmp_path: Path, command: list[str]) -> None:
    script = (
        "import sys, json, tui.__main__ as m\n"
        f"code = m.main({command!r})\n"
        f"print(json.dumps([name for name in {_HEAVY!r} if name in sys.modules]), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    env = {"PUNA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=env, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m tui config show | true; echo ${{PIPESTATUS[0]}}"
    env = {"PUNA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", command], capture_output=True, env=env, cwd=ROOT, check=False)
    assert done.stderr == b""
    assert done.stdout.strip() in (b"0", b"141")
