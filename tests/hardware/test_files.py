"""Files that stay open while they are read again and again."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

from tui.hardware.files import OpenFile, number


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_each_read_sees_what_is_there_now(tmp_path: Path) -> None:
    path = tmp_path / "figure"
    file = OpenFile(str(path), 4)
    assert file.read() is None
    path.write_text("123456\n")
    assert (file.read(), number(file.read())) == (b"1234", 1234)
    path.write_text("7\n")
    assert number(file.read()) == 7
    path.write_text("max\n")
    assert (number(file.read()), number(None), number(b"")) == (None, None, None)
    file.close()
    assert file.read() == b"max\n"
    file.close()


def test_what_the_kernel_tells_of_a_process_ends_with_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    file = OpenFile(f"/proc/{process.pid}/comm")
    assert file.read()
    process.communicate(b"\n")
    assert [file.read(), file.read()] == [None, None]


def test_it_keeps_one_file_open_and_none_when_it_is_gone(tmp_path: Path) -> None:
    gc.collect()
    path, before = tmp_path / "figure", descriptors()
    path.write_text("1\n")
    file = OpenFile(str(path))
    for _ in range(3):
        file.read()
    assert descriptors() == before + 1
    path.write_text("")
    file.read()
    assert descriptors() == before
    path.write_text("1\n")
    file.read()
    del file
    assert descriptors() == before


def test_a_path_that_no_file_can_have_is_no_error() -> None:
    assert OpenFile("/proc/\0/stat").read() is None
