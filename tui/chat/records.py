"""Rows of the history file as values, and the queries that read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite, nextafter
from pathlib import Path
from typing import Final, Literal

from tui.chat.database import Database, Row
from tui.chat.errors import StoreError
from tui.chat.tree import Tree
from tui.chat.values import Conversation, Message, Piece, PresetChoice

Which = Literal["open", "archived", "deleted", "kept"]
"""open: what the list shows; kept: open and archived ones."""

_WHICH: Final[dict[Which, str]] = {
    "open": "deleted IS NULL AND archived IS NULL",
    "archived": "deleted IS NULL AND archived IS NOT NULL",
    "deleted": "deleted IS NOT NULL",
    "kept": "deleted IS NULL",
}
_CONVERSATION = (
    "SELECT id, title, system, model, created, updated, leaf_id, "
    "(SELECT count(*) FROM messages WHERE conversation_id = conversations.id AND messages.deleted IS NULL), deleted, "
    "pinned, archived, left_out_to, summary, "
    "(SELECT json_extract(timings, '$.n_ctx_used') FROM messages WHERE id = leaf_id), substr(draft, 1, 200), preset, "
    "(SELECT group_concat(tag) FROM tags WHERE conversation_id = conversations.id) FROM conversations"
)
_MESSAGE = (
    "m.id, m.conversation_id, m.parent_id, m.role, m.content, m.thinking, m.model, m.created, m.state, m.reason, "
    "m.timings, m.error, "
    "(SELECT count(*) FROM messages AS s WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id "
    "AND s.deleted IS NULL AND s.id <= m.id), "
    "(SELECT count(*) FROM messages AS s WHERE s.conversation_id = m.conversation_id AND s.parent_id IS m.parent_id "
    "AND s.deleted IS NULL)"
)
_PATH = f"""
    WITH RECURSIVE up (id, parent_id, height) AS (
        SELECT id, parent_id, 0 FROM messages WHERE id = ? AND conversation_id = ?
        UNION ALL
        SELECT m.id, m.parent_id, height + 1 FROM up JOIN messages AS m ON m.id = up.parent_id
    )
    SELECT {_MESSAGE} FROM up JOIN messages AS m USING (id) ORDER BY up.height DESC
"""


def conversations(database: Database, *, limit: int, which: Which, tag: str = "") -> tuple[Conversation, ...]:
    """The conversations of one kind, pinned ones first, then the one that changed last; `tag` keeps those that have
    it."""
    tagged = "" if not tag else " AND id IN (SELECT conversation_id FROM tags WHERE tag = ?)"
    rows = database.rows(
        f"{_CONVERSATION} WHERE {_WHICH[which]}{tagged} ORDER BY pinned IS NULL, updated DESC, id DESC LIMIT ?",
        (*((tag,) if tag else ()), limit),
    )
    return tuple(_conversation(row) for row in rows)


def conversation(database: Database, conversation_id: int) -> Conversation:
    """One conversation, a deleted one included; StoreError when it is gone."""
    row = database.row(f"{_CONVERSATION} WHERE id = ?", (conversation_id,))
    if row is None:
        raise no_conversation(conversation_id, database.path)
    return _conversation(row)


def tree(database: Database, conversation_id: int) -> Tree:
    """The shape of a conversation."""
    leaf_id = conversation(database, conversation_id).leaf_id
    links = database.rows(
        "SELECT id, parent_id FROM messages WHERE conversation_id = ? AND deleted IS NULL", (conversation_id,)
    )
    return Tree.of(links, leaf_id)


def path(database: Database, conversation_id: int, leaf_id: int) -> tuple[Message, ...]:
    """The messages from the opening one to `leaf_id`; StoreError when that is not in the conversation."""
    rows = database.rows(_PATH, (leaf_id, conversation_id))
    if not rows:
        raise no_message(leaf_id, database.path)
    return tuple(_message(database, row) for row in rows)


def message(database: Database, message_id: int) -> Message:
    """One message; StoreError when it is gone."""
    row = database.row(f"SELECT {_MESSAGE} FROM messages AS m WHERE m.id = ?", (message_id,))
    if row is None:
        raise no_message(message_id, database.path)
    return _message(database, row)


def children(database: Database, conversation_id: int, parent_id: int | None) -> tuple[Message, ...]:
    """The messages that follow `parent_id` (None: that open the conversation), oldest first."""
    sql = (
        f"SELECT {_MESSAGE} FROM messages AS m WHERE m.conversation_id = ? AND m.parent_id IS ? "
        "AND m.deleted IS NULL ORDER BY m.id"
    )
    return tuple(_message(database, row) for row in database.rows(sql, (conversation_id, parent_id)))


def chunk_texts(database: Database, message_id: int) -> tuple[str, str]:
    """What has been stored of a streaming answer beyond its row: answer and thinking."""
    pieces = database.rows("SELECT channel, text FROM chunks WHERE message_id = ? ORDER BY seq", (message_id,))
    return joined([(channel, text) for channel, text in pieces])


def refuse_streaming(database: Database, message_ids: Sequence[int]) -> None:
    """StoreError where one of these is still being written."""
    if any(_states(database, message_ids, "state = 'streaming'")):
        hint = "Stop the answer first, or wait for its end"
        raise StoreError("busy", "an answer below that message is being written", hint, path=database.path)


def refuse_deleted(database: Database, message_id: int) -> None:
    """StoreError where a message has been deleted: nothing may follow it."""
    if any(_states(database, (message_id,), "deleted IS NOT NULL")):
        raise StoreError("missing", f"message {message_id} was deleted", "Restore it first", path=database.path)


def mark_deleted(database: Database, message_ids: Sequence[int], now: float) -> None:
    """Hide messages. Two deletions never have the same moment, so that each can be taken back by itself."""
    latest = database.value("SELECT max(deleted) FROM messages WHERE deleted IS NOT NULL")
    moment = now if latest is None or now > latest else nextafter(latest, inf)
    for message_id in message_ids:
        database.execute("UPDATE messages SET deleted = ? WHERE id = ?", (moment, message_id))


def unmark_deleted(database: Database, conversation_id: int, message_id: int) -> None:
    """Show again what went with a message, and what it follows."""
    for message in path(database, conversation_id, message_id):
        database.execute(
            "UPDATE messages SET deleted = NULL WHERE conversation_id = ? "
            "AND deleted = (SELECT deleted FROM messages WHERE id = ?)",
            (conversation_id, message.id),
        )


def _states(database: Database, message_ids: Sequence[int], condition: str) -> Iterator[bool]:
    for message_id in message_ids:
        yield bool(database.value(f"SELECT count(*) FROM messages WHERE id = ? AND {condition}", (message_id,)))


def joined(pieces: Sequence[Piece]) -> tuple[str, str]:
    """The texts of `pieces` by channel: answer and thinking."""
    answer = "".join(text for channel, text in pieces if channel == "answer")
    thinking = "".join(text for channel, text in pieces if channel == "thinking")
    return answer, thinking


def timings_json(timings: Mapping[str, object] | None) -> str | None:
    """Timings as they are stored; None when there are none. JSON has no infinity: a rate over no time is none."""
    if not timings:
        return None
    finite = {
        key: None if isinstance(value, float) and not isfinite(value) else value for key, value in timings.items()
    }
    return json.dumps(finite, separators=(",", ":"), default=str)


def no_conversation(conversation_id: int, file: Path | None) -> StoreError:
    """That conversation was purged, or never was."""
    return StoreError("missing", f"there is no conversation {conversation_id}", "It may have been deleted", path=file)


def no_message(message_id: int, file: Path | None) -> StoreError:
    """That message was purged, or is not where it was looked for."""
    return StoreError(
        "missing", f"there is no message {message_id}", "Its conversation may have been deleted", path=file
    )


def _conversation(row: Row) -> Conversation:
    *columns, tokens, draft, preset, tags = row
    return replace(
        Conversation(*columns),
        tags=tuple(sorted(tags.split(","))) if tags else (),
        tokens=tokens,
        draft=draft,
        preset=_preset(preset),
    )


def _preset(text: str) -> PresetChoice | None:
    """What was stored of a preset; None without one."""
    try:
        return PresetChoice(**json.loads(text)) if text else None
    except (ValueError, TypeError):  # what a damaged file had there
        return None


def _message(database: Database, row: Row) -> Message:
    *columns, timings, error, version, versions = row
    message_id, conversation_id, parent_id, role, content, thinking, model, created, state, reason = columns
    if state == "streaming":
        more_answer, more_thinking = chunk_texts(database, message_id)
        content, thinking = content + more_answer, thinking + more_thinking
    return Message(
        id=message_id,
        conversation_id=conversation_id,
        parent_id=parent_id,
        role=role,
        content=content,
        thinking=thinking,
        model=model,
        created=created,
        state=state,
        reason=reason,
        timings=json.loads(timings) if timings else {},
        error=error,
        version=version,
        versions=versions,
    )
