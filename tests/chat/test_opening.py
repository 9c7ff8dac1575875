"""Opening a history: new, older, newer, damaged, and not a history at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.chat.rig import Clock, assert_sound, values
from tui.chat import schema
from tui.chat.errors import StoreError
from tui.chat.store import Store

VERSION_1 = """
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, system TEXT NOT NULL, model TEXT NOT NULL,
        created REAL NOT NULL, updated REAL NOT NULL,
        leaf_id INTEGER REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED, deleted REAL
    );
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations (id),
        parent_id INTEGER CHECK (parent_id IS NULL OR parent_id < id),
        role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')), model TEXT NOT NULL, created REAL NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('done', 'streaming', 'cut')), owner TEXT, reason TEXT, timings TEXT,
        error TEXT NOT NULL, thinking TEXT NOT NULL, content TEXT NOT NULL,
        UNIQUE (conversation_id, id),
        FOREIGN KEY (conversation_id, parent_id) REFERENCES messages (conversation_id, id)
    );
    CREATE TABLE chunks (
        message_id INTEGER NOT NULL REFERENCES messages (id), seq INTEGER NOT NULL,
        channel TEXT NOT NULL CHECK (channel IN ('answer', 'thinking')), text TEXT NOT NULL,
        PRIMARY KEY (message_id, seq)
    ) WITHOUT ROWID;
    CREATE INDEX conversations_by_update ON conversations (updated);
    CREATE INDEX messages_by_parent ON messages (conversation_id, parent_id, id);
    CREATE INDEX messages_streaming ON messages (owner) WHERE state = 'streaming';
    INSERT INTO conversations VALUES (7, 'Camelids', 'Be brief.', 'old-model', 100.0, 200.0, 12, NULL);
    INSERT INTO messages VALUES (11, 7, NULL, 'user', '', 100, 'done', NULL, NULL, NULL, '', '', 'Which is smallest?');
    INSERT INTO messages VALUES (12, 7, 11, 'assistant', 'old', 150, 'streaming', 'dead', NULL, NULL, '', '', '');
    INSERT INTO chunks VALUES (12, 0, 'answer', 'The vicuña'), (12, 1, 'answer', ', at 50 kg.');
    PRAGMA application_id = 1886744161;
    PRAGMA user_version = 1;
"""


def write_by_hand(history: Path, script: str) -> None:
    history.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(history)) as connection:
        connection.executescript(script)


def test_a_new_history_has_the_present_format(store: Store, history: Path) -> None:
    assert values(history, "PRAGMA user_version") == [(schema.FORMAT,)]
    assert values(history, "PRAGMA application_id") == [(0x70756E61,)]
    assert values(history, "PRAGMA journal_mode") == [("wal",)]
    assert (store.report.recovered, store.report.set_aside, store.report.migrated_from) == ((), None, None)


def test_a_history_of_version_1_is_brought_up_to_date(open_store: Callable[[], Store], history: Path) -> None:
    write_by_hand(history, VERSION_1)
    store = open_store()
    assert store.report.migrated_from == 1
    (conversation,) = store.conversations()
    assert (conversation.id, conversation.title, conversation.updated) == (7, "Camelids", 200.0)
    question, answer = store.thread(7)
    assert question.content == "Which is smallest?"
    assert (answer.content, answer.state) == ("The vicuña, at 50 kg.", "cut")
    assert [hit.message_id for hit in store.search("smallest")] == [11]
    assert [hit.message_id for hit in store.search("vicuña")] == [12]
    assert [hit.conversation_id for hit in store.search("camel")] == [7]
    assert store.add_message(7, 12, "user", "And the largest?").id == 13
    store.close()
    assert open_store().report.migrated_from is None
    assert_sound(history)


def test_a_step_that_fails_leaves_the_history_as_it_was(
    open_store: Callable[[], Store], history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_by_hand(history, VERSION_1)
    broken = (schema.MIGRATIONS[0], (*schema.MIGRATIONS[1], "INSERT INTO nowhere VALUES (1)"))
    with monkeypatch.context() as patch:
        patch.setattr("tui.chat.opening.MIGRATIONS", broken)
        with pytest.raises(StoreError):
            open_store()
    assert values(history, "PRAGMA user_version") == [(1,)]
    assert values(history, "SELECT count(*) FROM sqlite_master WHERE name LIKE '%search%'") == [(0,)]
    assert open_store().report.migrated_from == 1


@pytest.mark.parametrize("in_log_only", [False, True], ids=["in the file", "only in the write-ahead log"])
def test_a_history_of_a_newer_puna_is_refused_and_untouched(
    open_store: Callable[[], Store], history: Path, in_log_only: bool
) -> None:
    open_store().close()
    with closing(sqlite3.connect(history)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.FORMAT + 7}")
        if not in_log_only:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = {file.name: file.read_bytes() for file in history.parent.glob("history.db*") if file.is_file()}
        with pytest.raises(StoreError) as caught:
            open_store()
        after = {file.name: file.read_bytes() for file in history.parent.glob("history.db*") if file.is_file()}
    assert caught.value.kind == "newer"
    for part in (str(history), f"its format is {schema.FORMAT + 7}", f"up to {schema.FORMAT}", "Update puna"):
        assert part in str(caught.value)
    assert {name: data for name, data in after.items() if not name.endswith("-shm")} == {
        name: data for name, data in before.items() if not name.endswith("-shm")
    }


def test_a_database_of_another_program_is_refused_and_untouched(open_store: Callable[[], Store], history: Path) -> None:
    write_by_hand(history, "CREATE TABLE bookmarks (url TEXT)")
    before = history.read_bytes()
    with pytest.raises(StoreError, match="database of another program") as caught:
        open_store()
    assert caught.value.kind == "foreign"
    assert history.read_bytes() == before


def fill(store: Store) -> None:
    conversation = store.create_conversation()
    for number in range(200):
        store.add_message(conversation.id, None, "user", f"message {number} " + "text " * 50)


def overwrite(history: Path, start: int, length: int) -> None:
    with history.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * length)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "not a database": lambda path: path.write_bytes(b"dear diary\n" * 1000),
    "a few bytes": lambda path: path.write_bytes(b"SQLite"),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "first page overwritten": lambda path: overwrite(path, 100, 3996),
    "tables missing": lambda path: write_by_hand(path, "DROP TABLE chunks"),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_history_is_set_aside_and_a_new_one_begun(
    open_store: Callable[[], Store], history: Path, clock: Clock, damage: Callable[[Path], object]
) -> None:
    store = open_store()
    fill(store)
    store.close()
    damage(history)
    damaged = history.read_bytes()

    again = open_store()
    stamp = datetime.fromtimestamp(clock.now).strftime("%Y%m%d-%H%M%S")
    assert again.report.set_aside == history.with_name(f"history.damaged-{stamp}.db")
    assert again.report.set_aside.read_bytes() == damaged
    assert len(again.conversations()) == again.report.salvaged
    fill(again)
    again.close()
    assert_sound(history)

    overwrite(history, 0, 100)
    assert open_store().report.set_aside == history.with_name(f"history.damaged-{stamp}-2.db")


def test_damage_met_in_use_is_told_and_looked_into_at_the_next_start(
    open_store: Callable[[], Store], history: Path
) -> None:
    store = open_store()
    fill(store)
    store.close()
    (root,) = values(history, "SELECT rootpage FROM sqlite_master WHERE name = 'messages_by_parent'")
    overwrite(history, (int(str(root[0])) - 1) * 4096, 4096)

    store = open_store()
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.children(1, None)
    assert caught.value.kind == "damaged"
    assert "Start puna again" in str(caught.value)
    store.close()

    again = open_store()
    assert again.report.set_aside is not None
    assert len(again.thread(1)) == 1
    assert len(again.children(1, None)) == 200, "an index was damaged, and no message"
    again.close()
    assert open_store().report.set_aside is None


def test_a_damaged_search_index_is_made_anew_and_nothing_is_set_aside(
    open_store: Callable[[], Store], history: Path
) -> None:
    store = open_store()
    fill(store)
    store.close()
    with closing(sqlite3.connect(history)) as connection, connection:
        connection.execute("UPDATE messages_search_data SET block = x'00' WHERE id > 10")

    store = open_store()
    with pytest.raises(StoreError, match="is damaged"):
        store.search("message")
    store.close()

    again = open_store()
    assert again.report.set_aside is None
    assert len(again.search("message", limit=500)) == 201
    again.close()
    assert not history.with_name("history.db.check").exists()
    assert_sound(history)


def test_a_history_held_by_another_program_is_told(
    open_store: Callable[[], Store], history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.chat.database.BUSY_S", 0.01)
    store = open_store()
    with closing(sqlite3.connect(history, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="held by another program") as caught:
            store.create_conversation()
        assert store.conversations() == (), "reading goes on"
        connection.execute("ROLLBACK")
    assert caught.value.kind == "busy"
    store.create_conversation()
