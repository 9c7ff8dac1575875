"""The prompt in the person's own editor, in a real terminal: the screen makes room and comes back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.terminal import Terminal
from tui.app.flows.writing import USUAL, command_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"PUNA_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf"), "VISUAL": ""}


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "editor.sh"
    path.write_text(script)
    return f"sh {path}"


def opened(home: dict[str, str], editor: str) -> Iterator[Terminal]:
    with Terminal(
        [sys.executable, "-m", "tui"], columns=100, rows=30, env={**home, "EDITOR": editor}, cwd=str(ROOT)
    ) as made:
        made.wait_for("^p more")
        yield made


def test_what_the_editor_leaves_is_the_prompt(home: dict[str, str], tmp_path: Path) -> None:
    script = 'echo "the editor is here"; read answer; printf "%s, and %s\\n" "$(cat $1)" "$answer" > $1'
    for terminal in opened(home, program(tmp_path, script)):
        terminal.type("first")
        terminal.wait_for("❯ first")
        terminal.type("\x1bv")
        terminal.wait_for("the editor is here")
        terminal.type("second\n")
        terminal.wait_for("first, and second")
        terminal.wait_for("^p more")
        terminal.type("!")
        terminal.wait_for("first, and second!")
    assert not list(tmp_path.glob("puna-*"))


def test_an_editor_that_is_not_there_or_fails_leaves_the_prompt(home: dict[str, str], tmp_path: Path) -> None:
    for editor, words in (
        ("no-such-editor --wait", "no-such-editor could not be started"),
        ("false", "false ended with 1"),
    ):
        for terminal in opened(home, editor):
            terminal.type("first")
            terminal.wait_for("❯ first")
            terminal.type("\x1bv")
            terminal.wait_for(words)
            assert "❯ first" in terminal.text()


def test_interrupts_are_the_editor_s(home: dict[str, str], tmp_path: Path) -> None:
    script = 'trap "echo caught > $1; exit 0" INT; echo "the editor is here"; while :; do sleep 0.1; done'
    for terminal in opened(home, program(tmp_path, script)):
        terminal.type("\x1bv")
        terminal.wait_for("the editor is here")
        terminal.type("\x03")
        terminal.wait_for("❯ caught")


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, ["code", "--wait"]),
        ({"EDITOR": "'/my editors/ed' -x"}, ["/my editors/ed", "-x"]),
        ({"EDITOR": "it's"}, ["it's"]),
        ({"EDITOR": "  "}, [USUAL]),
        ({}, [USUAL]),
    ],
)
def test_the_editor_is_what_the_environment_says(environ: dict[str, str], command: list[str]) -> None:
    assert command_of(environ) == command
