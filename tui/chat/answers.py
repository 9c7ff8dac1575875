"""The life of an answer in the history file: begun, added to while it streams, ended or found cut.

While it streams its text is rows of the table `chunks`, each written once; its message and the search index get the
whole text once, when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tui.chat import records
from tui.chat.database import Database
from tui.chat.errors import StoreError
from tui.chat.owners import is_alive
from tui.chat.text import storable
from tui.chat.values import MessageState, Piece

ENDED_BY_ITSELF = frozenset({"eog", "stop", "length", "context"})
"""Reasons after which an answer is done; after the others it is cut."""


def append(database: Database, token: str, message_id: int, pieces: Sequence[Piece]) -> None:
    """Commit more text of an answer that the store with this token streams."""
    with database.transaction():
        _hold(database, token, message_id)
        for channel, text in pieces:
            database.execute(
                "INSERT INTO chunks (message_id, seq, channel, text) "
                "SELECT ?1, coalesce(max(seq) + 1, 0), ?2, ?3 FROM chunks WHERE message_id = ?1",
                (message_id, channel, storable(text)),
            )


def finish(
    database: Database,
    token: str,
    message_id: int,
    *,
    reason: str,
    timings: Mapping[str, object] | None,
    error: str,
    rest: Sequence[Piece],
) -> None:
    """End an answer: its chunks and `rest` become its text."""
    state: MessageState = "done" if reason in ENDED_BY_ITSELF else "cut"
    with database.transaction():
        _hold(database, token, message_id)
        _fold(database, message_id, state, rest)
        database.execute(
            "UPDATE messages SET reason = ?, timings = ?, error = ? WHERE id = ?",
            (reason, records.timings_json(timings), storable(error), message_id),
        )


def resume(database: Database, token: str, message_id: int) -> None:
    """Stream on in an answer that has ended; what it has is kept."""
    with database.transaction():
        if records.message(database, message_id).role != "assistant":
            raise StoreError("input", f"message {message_id} is not an answer", path=database.path)
        _refuse_foreign(database, token, message_id)
        database.execute(
            "UPDATE messages SET state = 'streaming', owner = ?, reason = NULL, error = '' WHERE id = ?",
            (token, message_id),
        )


def recover(database: Database, locks: Path | None, mine: str) -> tuple[int, ...]:
    """Cut the answers whose puna is gone, with all their stored text; their ids. Those of a running one are left."""
    owners = database.rows("SELECT DISTINCT owner FROM messages WHERE state = 'streaming'")
    recovered: list[int] = []
    for (token,) in owners:
        if token != mine and (locks is None or not is_alive(locks, token)):
            recovered += cut_all(database, token)
    return tuple(sorted(recovered))


def cut_all(database: Database, token: str) -> list[int]:
    """Cut every answer that the store with this token streams; their ids."""
    with database.transaction():
        rows = database.rows("SELECT id FROM messages WHERE state = 'streaming' AND owner = ?", (token,))
        for (message_id,) in rows:
            _fold(database, message_id, "cut", ())
    return [message_id for (message_id,) in rows]


def _hold(database: Database, token: str, message_id: int) -> None:
    """Make sure that this store is the one that writes the answer. One that was taken for dead and cut takes it back:
    its text is in the message then, and what follows goes behind it."""
    row = database.row("SELECT state, owner FROM messages WHERE id = ?", (message_id,))
    if row is None:
        raise records.no_message(message_id, database.path)
    if row == ("streaming", token):
        return
    if row[0] == "done":
        raise StoreError("input", f"message {message_id} has ended already", path=database.path)
    _refuse_foreign(database, token, message_id)
    database.execute("UPDATE messages SET state = 'streaming', owner = ? WHERE id = ?", (token, message_id))


def _refuse_foreign(database: Database, token: str, message_id: int) -> None:
    state, owner = database.rows("SELECT state, owner FROM messages WHERE id = ?", (message_id,))[0]
    if state == "streaming" and owner != token:
        hint = "Wait until it is finished there"
        raise StoreError("busy", "another running puna is writing this answer", hint, path=database.path)


def _fold(database: Database, message_id: int, state: MessageState, rest: Sequence[Piece]) -> None:
    content, thinking = database.rows("SELECT content, thinking FROM messages WHERE id = ?", (message_id,))[0]
    stored_answer, stored_thinking = records.chunk_texts(database, message_id)
    rest_answer, rest_thinking = records.joined(rest)
    database.execute(
        "UPDATE messages SET state = ?, owner = NULL, content = ?, thinking = ? WHERE id = ?",
        (
            state,
            content + stored_answer + storable(rest_answer),
            thinking + stored_thinking + storable(rest_thinking),
            message_id,
        ),
    )
    database.execute("DELETE FROM chunks WHERE message_id = ?", (message_id,))
