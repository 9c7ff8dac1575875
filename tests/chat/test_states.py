"""Files of kept states: the least recently used go first."""

from __future__ import annotations

import os
from pathlib import Path

from tui.chat.states import LEFT_OVER_S, forget, state_name, sweep

NOW = 1_000_000.0


def made(folder: Path, name: str, size: int, age_s: float) -> Path:
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def test_the_budget_keeps_what_was_used_last(tmp_path: Path) -> None:
    old, newer, newest = (made(tmp_path, f"c{n}-k.state", 100, 300 - 100 * n) for n in range(3))
    assert sweep(tmp_path, 1000, now=NOW) == 0
    assert sweep(tmp_path, 250, now=NOW) == 100
    assert not old.exists()
    assert newer.exists()
    assert sweep(tmp_path, 0, now=NOW) == 200
    assert not newest.exists()


def test_what_is_left_over_goes_and_what_is_at_work_stays(tmp_path: Path) -> None:
    gone = made(tmp_path, "c1-k.part", 10, LEFT_OVER_S + 1)
    read = made(tmp_path, "c2-k.reading", 10, LEFT_OVER_S + 1)
    at_work = made(tmp_path, "c3-k.part", 10, 5)
    assert sweep(tmp_path, 1000, now=NOW) == 20
    assert [path.exists() for path in (gone, read, at_work)] == [False, False, True]


def test_a_conversation_is_forgotten_by_its_number(tmp_path: Path) -> None:
    mine, other = made(tmp_path, f"{state_name(1)}-k.state", 1, 0), made(tmp_path, f"{state_name(12)}-k.state", 1, 0)
    forget(tmp_path, 1)
    assert not mine.exists()
    assert other.exists()
    forget(tmp_path / "nowhere", 1)
    assert sweep(tmp_path / "nowhere", 0) == 0
