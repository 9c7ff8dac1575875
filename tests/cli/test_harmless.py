"""What a file calls itself never reaches the terminal as an escape sequence, through no command and no stream."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.puna import puna
from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tui.cli.main import CommandError, main, say

OBEYED = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
EVIL = "evil\x1b]0;pwned\x07\x1b[31m\x9b2J\x7f"


@pytest.mark.live
def test_an_architecture_with_escape_sequences(tmp_path: Path) -> None:
    file = plain_gguf(tmp_path / "evil.gguf", {"general.architecture": EVIL}, tensors={"t": (2,)})
    done = puna(tmp_path, "run", str(file), "hi")
    assert done.returncode == 1
    assert b"evil" in done.stderr
    assert not OBEYED.search(done.stdout + done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.live
def test_a_template_that_refuses_with_escape_sequences(tmp_path: Path) -> None:
    template = "{{ raise_exception('no \x1b]0;pwned\x07 thanks') }}"
    file = tiny_model(tmp_path / "refuses.gguf", chat_template=template)
    done = puna(tmp_path, "run", str(file), "hi")
    assert done.returncode == 1
    assert b"no thanks" in done.stderr
    assert not OBEYED.search(done.stdout + done.stderr)


def test_a_path_with_escape_sequences(tmp_path: Path) -> None:
    folder = tmp_path / EVIL
    folder.mkdir()
    file = plain_gguf(folder / f"{EVIL}.gguf", {"general.architecture": EVIL}, tensors={"t": (2,)})
    (folder / "broken.gguf").write_text("<html>")
    (tmp_path / "bro\x1b[31mken.gguf").write_text("<html>")
    for arguments in (
        ("add", str(folder)),
        ("add", str(tmp_path / "missing\x1b[31m.gguf")),
        ("add", str(tmp_path / "bro\x1b[31mken.gguf")),
        ("ls", "--long"),
        ("ls",),
        ("doctor",),
        ("run", str(folder), "hi"),
        ("run", str(folder / "broken.gguf"), "hi"),
        ("run", "no\x1b[31mthing", "hi"),
        ("config", "set", "load.n_ctx", "\x1b[31m"),
    ):
        done = puna(tmp_path, *arguments)
        assert not OBEYED.search(done.stdout + done.stderr), arguments
    listed = puna(tmp_path, "ls", "--json").stdout
    assert not OBEYED.search(listed)
    assert str(file) in [model["path"] for model in json.loads(listed)["models"]]


def test_a_file_that_names_a_setting_badly(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('"\\u001b[31mred" = 1\n[ui]\ntheme = "\\u009b31m"\n')
    for arguments in (("config", "check"), ("config", "show"), ("ls",), ("doctor",), ("doctor", "--json")):
        done = puna(tmp_path, *arguments)
        assert not OBEYED.search(done.stdout + done.stderr), arguments


def test_messages_of_several_lines_stay_so(capsys: pytest.CaptureFixture[str]) -> None:
    say("one\n  \x1b[31mtwo")
    assert capsys.readouterr().err == "one\n  two\n"


def test_a_refusal_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(arguments: object) -> int:
        raise CommandError("the file a\npuna: all is well")

    monkeypatch.setattr("tui.cli.main._dispatch", refuse)
    assert main(["ls"]) == 1
    assert capsys.readouterr().err == "puna: the file a puna: all is well\n"
