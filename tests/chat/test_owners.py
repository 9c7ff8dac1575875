"""Lock files tell who still runs."""

from __future__ import annotations

from pathlib import Path

from tui.chat.owners import Owner, is_alive, sweep


def test_an_owner_is_alive_from_claim_to_release(tmp_path: Path) -> None:
    owner = Owner(tmp_path / "owners")
    owner.claim()
    owner.claim()
    assert is_alive(tmp_path / "owners", owner.token)
    sweep(tmp_path / "owners")
    assert is_alive(tmp_path / "owners", owner.token)
    owner.release()
    owner.release()
    assert not is_alive(tmp_path / "owners", owner.token)
    assert list((tmp_path / "owners").iterdir()) == []


def test_a_file_that_nobody_holds_is_of_a_dead_one_and_swept(tmp_path: Path) -> None:
    (tmp_path / "0123.owner").touch()
    (tmp_path / "notes.txt").touch()
    assert not is_alive(tmp_path, "0123")
    sweep(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
    sweep(tmp_path / "missing")


def test_what_cannot_be_tested_counts_as_alive(tmp_path: Path) -> None:
    (tmp_path / "0123.owner").mkdir()
    assert is_alive(tmp_path, "0123")
    sweep(tmp_path)
    assert (tmp_path / "0123.owner").is_dir()
