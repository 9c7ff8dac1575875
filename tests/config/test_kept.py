"""Values in a file of the cache: merged with other copies, and never a reason to fail."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import msgspec
import pytest

from tui.config.kept import Kept


class Line(msgspec.Struct, frozen=True):
    number: int


def _lines(file: Path) -> Kept[tuple[Line, ...]]:
    return Kept(file, tuple[Line, ...], ())


def _add(file: Path, number: int) -> None:
    _lines(file).change(lambda lines: (*lines, Line(number)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "lines.json"


def test_what_is_kept_is_read_by_another_copy(file: Path) -> None:
    for number in range(3):
        _add(file, number)
    assert _lines(file).read() == (Line(0), Line(1), Line(2))


def test_no_file_is_nothing_and_none_is_made(file: Path) -> None:
    assert _lines(file).read() == ()
    assert not file.parent.exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"{}", b"null", b'[{"number": "three"}]', b'[{"other": 1}]', b"\x00", b"[" * 100_000],
)
def test_a_file_of_another_kind_counts_as_nothing_and_is_begun_anew(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    assert _lines(file).read() == ()
    _add(file, 7)
    assert _lines(file).read() == (Line(7),)


def test_a_cache_that_cannot_be_written_is_no_failure(file: Path) -> None:
    file.parent.write_text("a file in the way of the folder")
    _add(file, 1)
    assert _lines(file).read() == ()
    assert file.parent.is_file()


def test_what_goes_wrong_while_it_is_changed_is_told(file: Path) -> None:
    _add(file, 1)
    with pytest.raises(ZeroDivisionError):
        _lines(file).change(lambda lines: lines * (1 // 0))
    assert _lines(file).read() == (Line(1),)


def _add_some(file: Path, first: int) -> None:
    for number in range(first, first + 10):
        _add(file, number)


def test_copies_that_write_at_the_same_time_lose_nothing(file: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    writers = [spawning.Process(target=_add_some, args=(file, first)) for first in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert len(_lines(file).read()) == 20
