"""`puna history`: what the screen keeps, without the screen."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.puna import ROOT, environment
from tests.rigs.terminal import Terminal
from tui.chat.store import Store
from tui.cli.main import main

ASKED = [{"role": "user", "content": "Which is smallest?"}, {"role": "assistant", "content": "The vicuña."}]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own."""
    monkeypatch.setenv("PUNA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def two(home: Path) -> None:
    """Two conversations, the first with a second version of its answer."""
    store = Store(home / "data" / "history.db")
    for question, answers in (
        ("Which is smallest?", ("The alpaca.", "The vicuña.")),
        ("And the largest?", ("Llama.",)),
    ):
        conversation = store.create_conversation(system="Be brief.", model="m")
        asked = store.add_message(conversation.id, None, "user", question, created=1000.0)
        for answer in answers:
            store.add_message(conversation.id, asked.id, "assistant", answer, model="m", created=2000.0, thinking="hm")
    store.close()


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    """What `puna history ARGUMENTS` prints on stdout and stderr."""
    assert main(["history", *arguments]) == code
    found = capsys.readouterr()
    return found.out, found.err


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capsys, *arguments, "--json")[0])
    return found


def titles(found: dict[str, Any]) -> list[str]:
    return [one["title"] for one in found["conversations"]]


def test_an_empty_history_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "list") == ("", "no conversations\n")
    assert said(capsys, "search", "anything") == ("", "nothing found\n")
    assert document(capsys, "list") == {"conversations": []}


def test_the_list_shows_the_newest_first(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "list")[0].splitlines()
    assert lines[0].split() == ["ID", "CHANGED", "MESSAGES", "MODEL", "TITLE"]
    assert [line.split()[0] for line in lines[1:]] == ["2", "1"]
    assert lines[2].endswith("3  m      Which is smallest?")
    assert titles(document(capsys, "list", "--limit", "1")) == ["And the largest?"]


def test_a_message_is_found_and_shown(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    (hit,) = document(capsys, "search", "vicu")["hits"]
    assert (hit["conversation"], hit["role"]) == (1, "assistant")
    (span,) = hit["spans"]
    assert hit["snippet"][slice(*span)] == "vicuña"
    shown = said(capsys, "show", "1")[0]
    assert shown.splitlines()[1:] == [
        "", "system:", "Be brief.", "", "you:", "Which is smallest?", "", "m:", "| hm", "The vicuña.",
    ]  # fmt: skip
    messages = document(capsys, "show", "1")["messages"]
    assert [(one["role"], one["content"]) for one in messages] == [
        ("user", "Which is smallest?"),
        ("assistant", "The vicuña."),
    ]


def test_deleted_ones_come_back(two: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "delete", "1", "2")[1] == "deleted; `puna history restore 1 2` brings back\n"
    assert document(capsys, "list") == {"conversations": []}
    assert titles(document(capsys, "list", "--deleted")) == ["And the largest?", "Which is smallest?"]
    said(capsys, "restore", "1")
    assert titles(document(capsys, "list")) == ["Which is smallest?"]
    assert "no conversation 9" in said(capsys, "delete", "2", "9", code=1)[1]


@pytest.mark.parametrize("kind", ["md", "json"])
def test_what_is_exported_comes_in_again(kind: str, two: None, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home / "out"
    said(capsys, "export", "all", "--format", kind, "--output", f"{folder}/")
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"0001-Which-is-smallest.{kind}", f"0002-And-the-largest.{kind}"]
    made = document(capsys, "import", *map(str, files))["conversations"]
    assert [(one["title"], one["message_count"]) for one in made] == [
        ("Which is smallest?", 2 if kind == "md" else 3),
        ("And the largest?", 2),
    ]
    first = said(capsys, "show", "1")[0].splitlines()
    assert said(capsys, "show", "3")[0].splitlines() == first


def test_stdin_and_stdout_serve_too(
    two: None, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["history", "export", "1", "2", "--format", "json"]) == 0
    exported = capfdbinary.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(exported)))
    assert main(["history", "import", "-", "--json"]) == 0
    assert titles(json.loads(capfdbinary.readouterr().out)) == ["Which is smallest?", "And the largest?"]


def test_files_come_in_together_or_not_at_all(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(ASKED), encoding="utf-8")
    bad.write_text('{"messages": [{"role": "wizard", "content": ""}]}', encoding="utf-8")
    assert f"{bad}: messages[0].role is not a role" in said(capsys, "import", str(good), str(bad), code=1)[1]
    assert document(capsys, "list") == {"conversations": []}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "1", "2"], "Markdown holds one conversation"),
        (["export", "all", "--output", "one.md"], "one.md is one file"),
        (["export", "one"], "'one' is not a number from 1 on; name conversations by number, or write all"),
        (["export", "99"], "no conversation 99"),
        (["export", "1", "--output", "/dev/null/x.md"], "A file is in the way"),
        (["show", "99"], "no conversation 99"),
        (["import", "missing.json"], "missing.json cannot be read: no such file"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: list[str], told: str, two: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told in said(capsys, *arguments, code=1)[1]


@pytest.mark.parametrize("arguments", [[], ["show", "abc"], ["show", "0"], ["list", "--limit", "-1"], ["fly"]])
def test_what_makes_no_sense_is_a_usage_error(
    arguments: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, *arguments, code=2)


def test_no_escape_sequence_reaches_a_terminal(home: Path) -> None:
    store = Store(home / "data" / "history.db")
    conversation = store.create_conversation()
    store.add_message(conversation.id, None, "user", "red \x1b[31m and title \x1b]2;x\x07")
    store.close()
    for arguments in (("show", "1"), ("list",), ("export", "1"), ("search", "red")):
        command = [sys.executable, "-m", "tui", "history", *arguments]
        with Terminal(command, env=environment(home), cwd=str(ROOT)) as terminal:
            terminal.end()
            written = bytes(terminal.raw)
        assert b"red" in written
        assert b"\x1b[31m" not in written, arguments
        assert b"\x1b]2;" not in written, arguments


def test_a_damaged_history_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data" / "history.db").write_bytes(b"no database at all" * 100)
    assert "The history was damaged and is kept as" in said(capsys, "list")[1]
