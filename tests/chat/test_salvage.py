"""What a damaged history still holds comes into the new one."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.chat.rig import assert_sound
from tui.chat.carving import carve
from tui.chat.store import Store

LONG = "a long answer, " * 3000
"""It needs overflow pages."""


@pytest.fixture
def filled(open_store: Callable[[], Store], history: Path) -> Path:
    """A history of thirty conversations with branches, a long answer, an unfinished one, tags and deletions."""
    store = open_store()
    for number in range(30):
        conversation = store.create_conversation(system=f"system {number}", model="m")
        question = store.add_message(conversation.id, None, "user", f"question {number} " + "words " * number)
        store.add_message(conversation.id, question.id, "assistant", f"answer {number}", model="m", thinking="hm")
        store.add_message(conversation.id, question.id, "assistant", f"another {number}", timings={"ttft_s": 0.5})
        store.set_tags(conversation.id, [f"tag {number % 3}"])
    store.add_message(1, 1, "assistant", LONG)
    streaming = store.begin_answer(4, "m")
    store.append(streaming.id, "half ")
    store.append(streaming.id, "a thought", "thinking")
    store.pin(2)
    store.delete(3)
    store.delete_message(store.thread(5)[-1].id)
    with closing(sqlite3.connect(history)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    as_if_killed = history.read_bytes()
    store.close()
    history.write_bytes(as_if_killed)
    return history


def contents(store: Store) -> dict[int, tuple[str, ...]]:
    """All that is shown, by conversation."""
    return {
        one.id: tuple(message.content for message in store.thread(one.id)) for one in store.conversations(which="kept")
    }


def break_header(history: Path) -> None:
    with history.open("r+b") as file:
        file.write(b"\xa5" * 100)


def test_a_history_without_its_header_comes_back_whole(filled: Path, open_store: Callable[[], Store]) -> None:
    before = Store(filled)
    expected = contents(before)
    conversations, deleted = before.conversations(), before.deleted()
    before.close()
    break_header(filled)
    store = open_store()
    assert store.report.salvaged == 30
    assert contents(store) == expected
    assert store.conversations() == conversations
    assert store.deleted() == deleted
    streamed = store.thread(2)[-1]
    assert (streamed.content, streamed.thinking, streamed.state) == ("half ", "a thought", "cut")
    assert store.thread(1)[-1].content == LONG
    assert store.children(5, store.thread(5)[0].id)[-1].timings == {}
    assert [hit.conversation_id for hit in store.search("another 17")] == [18]
    store.restore_message(15)
    assert store.thread(5)[-1].content == "another 4"
    store.close()
    assert_sound(filled)


def test_what_only_the_log_has_comes_back_too(open_store: Callable[[], Store], history: Path) -> None:
    store = open_store()
    conversation = store.create_conversation("in the log")
    store.add_message(conversation.id, None, "user", "words")
    log = history.with_name("history.db-wal").read_bytes()
    assert log
    store.close()
    history.with_name("history.db-wal").write_bytes(log)
    break_header(history)
    again = open_store()
    assert [one.title for one in again.conversations()] == ["in the log"]
    assert again.thread(conversation.id)[0].content == "words"


@pytest.mark.parametrize("seed", range(6))
def test_any_damage_leaves_a_sound_history(filled: Path, open_store: Callable[[], Store], seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(filled.read_bytes())
    for _ in range(chance.randint(1, 8)):
        at, length = chance.randrange(len(data)), chance.randint(1, 9000)
        data[at : at + length] = chance.choice((bytes(length), chance.randbytes(length)))
    data[:100] = b"\xa5" * 100
    filled.write_bytes(data[: chance.randint(len(data) // 2, len(data))])
    store = open_store()
    for one in store.conversations(which="kept"):
        assert store.tree(one.id).path(store.tree(one.id).leaf_id) == tuple(m.id for m in store.thread(one.id))
    store.close()
    assert_sound(filled)


def test_messages_whose_conversation_is_lost_get_one(filled: Path, open_store: Callable[[], Store]) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'conversations'").fetchone()
    with filled.open("r+b") as file:
        file.write(b"\xa5" * 100)
        file.seek((page - 1) * 4096)
        file.write(bytes(4096))
    store = open_store()
    assert store.conversation(7).title.startswith("question 6")
    assert [message.content for message in store.thread(7)][1:] == ["another 6"]


def test_rows_of_every_kind_are_carved_as_sqlite_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "any.db"
    rows = [
        (1, None, 0, 1.5, "text", b"\0bytes"),
        (2, 127, -(1 << 62), -1, "ü" * 9000, b"x" * 70_000),
        (3, *[None] * 5),
    ]
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, a, b, c, d, e)")
        connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.execute("CREATE TABLE gone (x)")
        connection.executemany("INSERT INTO gone VALUES (?)", [("away " * 200,)] * 50)
        connection.execute("DROP TABLE gone")
    carved = [row for row in carve(file) if row.number is not None and len(row.values) == 6]
    assert [(row.number, *row.values[1:]) for row in carved] == rows
    assert not [row for row in carve(file) if row.values[:1] == ("away " * 200,)], "free pages are left alone"


def test_what_is_no_database_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(100_000))
    (tmp_path / "empty").write_bytes(b"")
    assert [row for row in carve(tmp_path / "noise") if row.number is not None and len(row.values) > 6] == []
    assert list(carve(tmp_path / "empty")) == []
