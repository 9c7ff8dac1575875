"""Records that grow in a file of the cache."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tui.config.errors import ConfigError
from tui.config.journal import add_to_journal, read_journal


class Line(msgspec.Struct, frozen=True):
    number: int


def test_records_come_back_in_the_order_they_were_added(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "lines.json"
    for number in range(3):
        add_to_journal(file, Line(number), keep=10)
    assert read_journal(file, Line) == (Line(0), Line(1), Line(2))


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    file = tmp_path / "lines.json"
    for number in range(5):
        add_to_journal(file, Line(number), keep=2)
    assert read_journal(file, Line) == (Line(3), Line(4))


@pytest.mark.parametrize("text", ["", "{", '[{"number": "three"}]', '[{"other": 1}]', "\x00"])
def test_a_file_of_another_kind_counts_as_empty_and_is_begun_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "lines.json"
    file.write_text(text)
    assert read_journal(file, Line) == ()
    add_to_journal(file, Line(7), keep=2)
    assert read_journal(file, Line) == (Line(7),)


def test_no_file_is_no_record(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "lines.json", Line) == ()


def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "lines.json").mkdir()
    with pytest.raises(ConfigError, match=r"lines\.json"):
        add_to_journal(tmp_path / "lines.json", Line(1), keep=2)
