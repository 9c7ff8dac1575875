"""Writes that are whole or not at all, locks, and reads of things that are no settings file. The failures are real."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from tui.config.errors import ConfigError
from tui.config.files import MAX_BYTES, locked, move_new, read_text, write_atomic


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# ---- writing


def test_a_new_file_is_private_and_its_folders_are_made(tmp_path: Path) -> None:
    file = tmp_path / "a/b/config.toml"
    write_atomic(file, b"x = 1\n")
    assert file.read_bytes() == b"x = 1\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert names(file.parent) == ["config.toml"]


def test_an_existing_file_keeps_its_permissions(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"old")
    file.chmod(0o640)
    write_atomic(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)


def test_a_symbolic_link_is_kept_and_its_target_replaced(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles/puna.toml"
    target.parent.mkdir()
    target.write_bytes(b"old")
    middle = tmp_path / "middle.toml"
    middle.symlink_to("dotfiles/puna.toml")
    link = tmp_path / "config.toml"
    link.symlink_to(middle)
    write_atomic(link, b"new")
    assert link.is_symlink()
    assert middle.is_symlink()
    assert (target.read_bytes(), names(target.parent)) == (b"new", ["puna.toml"])


def test_a_link_to_a_file_that_is_not_there_yet_makes_that_file(tmp_path: Path) -> None:
    link = tmp_path / "config.toml"
    link.symlink_to(tmp_path / "elsewhere/puna.toml")
    write_atomic(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "elsewhere/puna.toml").read_bytes() == b"new"


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "config.toml"
    link.symlink_to(link)
    with pytest.raises(ConfigError, match="leads back to itself"):
        write_atomic(link, b"new")
    assert link.is_symlink()
    with pytest.raises(ConfigError, match="leads back to itself"):
        read_text(link)


def test_a_folder_in_the_files_place_stays(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigError, match=r"config\.toml: cannot be written: is a directory\. A folder is in the way"):
        write_atomic(tmp_path / "config.toml", b"new")
    assert names(tmp_path) == ["config.toml"]


def test_a_file_in_a_folders_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "puna").write_bytes(b"mine")
    with pytest.raises(ConfigError, match="A file is in the way of a folder") as caught:
        write_atomic(tmp_path / "puna/config/config.toml", b"new")
    assert caught.value.file == tmp_path / "puna/config/config.toml"
    with (
        pytest.raises(ConfigError, match="A file is in the way of a folder"),
        locked(tmp_path / "puna/config/config.toml"),
    ):
        pytest.fail("the lock cannot be had")
    assert (tmp_path / "puna").read_bytes() == b"mine"


# ---- locking


def test_a_lock_is_held_against_another_process_and_against_another_thread(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    program = """
        import sys
        from pathlib import Path
        from tui.config.files import locked
        with locked(Path(sys.argv[1])):
            print("held", flush=True)
            sys.stdin.readline()
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=r"config\.toml: is in use: another running copy"), locked(file, 0.05):
            pytest.fail("the lock is held elsewhere")
        holder.communicate("go\n")
    refused: list[ConfigError] = []

    def other() -> None:
        try:
            with locked(file, timeout_s=0.05):
                pass
        except ConfigError as error:
            refused.append(error)

    with locked(file):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1
    with locked(file, timeout_s=0.05):
        assert not file.exists(), "a lock makes no settings file"


# ---- reading


def test_no_file_is_none_and_a_file_is_its_text(tmp_path: Path) -> None:
    assert read_text(tmp_path / "config.toml") is None
    assert read_text(tmp_path / "no/such/folder/config.toml") is None
    (tmp_path / "config.toml").write_bytes("ü\r\n".encode())
    assert read_text(tmp_path / "config.toml") == "ü\r\n"


def test_what_is_no_settings_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.mkdir()
    with pytest.raises(ConfigError, match=r"it is a folder\. Move or remove it"):
        read_text(file)
    file.rmdir()
    os.mkfifo(file)
    with pytest.raises(ConfigError, match="it is not a regular file"):
        read_text(file)
    file.unlink()
    with file.open("wb") as huge:
        huge.truncate(MAX_BYTES + 1)
    with pytest.raises(ConfigError, match="is larger than 16 MiB"):
        read_text(file)


def test_bytes_that_are_not_utf_8_are_told_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"# one\n# two\nname = 'caf\xe9'\n")
    with pytest.raises(ConfigError) as caught:
        read_text(file)
    assert str(caught.value) == f"{file}, line 3: is not UTF-8 text. Save it again as UTF-8."


# ---- moving


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_what_is_moved_never_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    move_new(one, two)
    assert (names(tmp_path), two.read_text()) == (["two"], "1")
    one.write_text("2")
    with pytest.raises(FileExistsError):
        move_new(one, two)
    assert (one.read_text(), two.read_text()) == ("2", "1")
