"""Writes that fail for real reasons: no permission, a limit, a full disk, a killed writer. Nothing is half there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.config.errors import ConfigError
from tui.config.files import locked, read_text, write_atomic


def run_child(program: str, *arguments: str | Path, prefix: tuple[str, ...] = ()) -> str:
    """Run a Python program in a process of its own; answers what it printed."""
    command = [*prefix, sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can look into, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="puna-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


AS_NOBODY = """
    import os, sys
    from pathlib import Path
    import filelock
    from tui.config.errors import ConfigError
    from tui.config.files import locked, read_text, write_atomic
    if os.geteuid() == 0:
        os.setuid(65534)
    file = Path(sys.argv[1])
    def attempt(act):
        try:
            act()
            print("done")
        except ConfigError as error:
            print(error)
    def lock():
        with locked(file):
            pass
"""


def test_a_folder_without_write_permission(open_folder: Path) -> None:
    file = open_folder / "config.toml"
    file.write_bytes(b"old")
    file.chmod(0o666)
    open_folder.chmod(0o555)
    told = run_child(AS_NOBODY + "    attempt(lambda: write_atomic(file, b'new')); attempt(lock)", file).splitlines()
    open_folder.chmod(0o755)
    assert len(told) == 2
    for line in told:
        assert line.startswith(f"{file}: cannot be written: permission denied. Give yourself permission")
    assert (file.read_bytes(), names(open_folder)) == (b"old", ["config.toml"])


def test_a_file_made_read_only_is_not_replaced(open_folder: Path) -> None:
    file = open_folder / "config.toml"
    file.write_bytes(b"old")
    file.chmod(0o444)
    open_folder.chmod(0o777)
    told = run_child(AS_NOBODY + "    attempt(lambda: write_atomic(file, b'new'))", file)
    assert "permission denied" in told
    assert (file.read_bytes(), names(open_folder)) == (b"old", ["config.toml"])


def test_a_file_without_read_permission(open_folder: Path) -> None:
    file = open_folder / "config.toml"
    file.write_bytes(b"old")
    file.chmod(0o000)
    if os.geteuid() != 0:
        with pytest.raises(ConfigError, match="cannot be read: permission denied"):
            read_text(file)
    else:
        told = run_child(AS_NOBODY + "    attempt(lambda: read_text(file))", file)
        assert told.startswith(f"{file}: cannot be read: permission denied")


def test_a_write_that_the_system_cuts_off_changes_nothing(tmp_path: Path) -> None:
    """RLIMIT_FSIZE makes the kernel refuse the write in its middle, as a full disk does."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"old")
    told = run_child(
        """
        import resource, sys
        from pathlib import Path
        from tui.config.errors import ConfigError
        from tui.config.files import write_atomic
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            write_atomic(Path(sys.argv[1]), b"x" * 100_000)
        except ConfigError as error:
            print(error)
        """,
        file,
    )
    assert told.startswith(f"{file}: cannot be written: file too large. The system limits how large a file may become")
    assert (file.read_bytes(), names(tmp_path)) == (b"old", ["config.toml"])


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """A file system of 64 KiB in a mount namespace of the child's own, filled to the last byte."""
    inside = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"', str(tmp_path))
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")
    told = run_child(
        """
        import sys
        from pathlib import Path
        from tui.config.errors import ConfigError
        from tui.config.paths import paths
        from tui.config.settings import set_value
        home = paths({"PUNA_HOME": sys.argv[1]})
        set_value(home, "ui.theme", "before")
        try:
            with open(Path(sys.argv[1], "ballast"), "wb", buffering=0) as ballast:
                while True:
                    ballast.write(bytes(512))
        except OSError:
            pass
        try:
            set_value(home, "chat.system", "x" * 5000)
        except ConfigError as error:
            print(error)
        print(home.config_file.read_text().strip().replace("\\n", " "))
        print(sorted(entry.name for entry in home.config.iterdir()))
        """,
        tmp_path,
        prefix=inside,
    ).splitlines()
    assert told[0].endswith(
        "cannot be written: no space left on device. The disk is full: free some space and try again."
    )
    assert told[1:] == ['[ui] theme = "before"', "['config.toml', 'config.toml.lock']"]


def test_a_reader_never_sees_half_a_file_and_a_killed_writer_leaves_none(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    program = """
        import sys
        from pathlib import Path
        from tui.config.files import locked, write_atomic
        file = Path(sys.argv[1])
        number = 0
        while True:
            with locked(file):
                write_atomic(file, (b"%d\\n" % (number % 10)) * 200_000)
            if number == 3:
                print("going", flush=True)
            number += 1
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        seen = {file.read_bytes() for _ in range(30)}
        writer.kill()
    seen.add(file.read_bytes())
    for content in seen:
        assert content == content[:2] * 200_000
    with locked(file, timeout_s=5):  # the dead writer's lock is gone with it
        write_atomic(file, b"mine")
    assert file.read_bytes() == b"mine"
