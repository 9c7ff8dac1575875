"""Paths that are being typed: what they may go on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.library.completion import Entry, completions


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders, models and other files."""
    for name in ("Models", "music", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "Models" / "a.gguf").write_bytes(b"12")
    (tmp_path / "Models" / "notes.txt").touch()
    (tmp_path / "m.GGUF").write_bytes(b"123")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def texts(text: str) -> list[str]:
    return [entry.text for entry in completions(text)]


def test_folders_and_model_files_are_told_in_a_persons_own_words(tree: Path) -> None:
    assert texts("~/") == ["~/", "~/m.GGUF", "~/Models/", "~/music/"]
    assert texts("~/m") == ["~/m.GGUF", "~/Models/", "~/music/"]
    assert texts("~/MO") == ["~/Models/"]
    assert texts("~/.") == ["~/.", "~/.hidden/"]
    assert texts(f"{tree}/Models/") == [f"{tree}/Models/", f"{tree}/Models/a.gguf"]


def test_what_is_there_as_it_stands_comes_first(tree: Path) -> None:
    assert completions("~/Models") == (
        Entry("~/Models", tree / "Models", True, None, True),
        Entry("~/Models/", tree / "Models", True),
    )
    assert completions("~/Models/a.gguf") == (Entry("~/Models/a.gguf", tree / "Models/a.gguf", False, 2, True),)


def test_what_leads_nowhere_has_none(tree: Path) -> None:
    assert texts("~/none/") == texts("~nobody-here/x") == texts("~/loop/") == texts("~/Models/notes.txt/") == []
    assert completions("~/Models/notes.txt")[0].is_whole


def test_names_in_the_current_folder_need_no_slash(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    assert texts("mo") == ["Models/"]
    assert "music/" in texts("")


def test_a_long_list_is_cut(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.library.completion.MOST", 2)
    assert len(completions("~/")) == 2
