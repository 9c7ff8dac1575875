"""Lock files tell who still runs."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from tui.chat.owners import Owner, exclusive, is_alive, sweep


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


def without_locks(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """As on a file system whose locks fail with this error."""

    def flock(fd: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    without_locks(monkeypatch, number)
    owner = Owner(tmp_path / "owners")
    owner.claim()
    with exclusive(tmp_path / "lock"):
        sweep(tmp_path / "owners")
        assert is_alive(tmp_path / "owners", owner.token)
    owner.release()
    assert not is_alive(tmp_path / "owners", owner.token)


def test_any_other_failure_of_a_lock_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_locks(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        Owner(tmp_path / "owners").claim()
