"""What can still be read of a damaged history, put into a new one: conversations, messages, unfinished answers, tags.

Rows are told apart by what they look like. A message whose conversation is lost gets one; one whose parent is lost
opens its conversation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui.chat.attachments import first_words
from tui.chat.carving import CarvedRow, Value, carve
from tui.chat.database import Database
from tui.chat.text import one_line, storable

_ROLES = frozenset({"system", "user", "assistant"})
_STATES = frozenset({"done", "streaming", "cut"})
_CHANNELS = ("answer", "thinking")
_REASONS = frozenset({"eog", "stop", "length", "context", "cancelled", "failed"})
_LOST = "(recovered)"
_LARGEST_ID = 1 << 48
_CONVERSATION = (
    "INSERT INTO conversations (id, title, system, model, created, updated, deleted, pinned, archived, draft, "
    "preset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_MESSAGE = (
    "INSERT INTO messages (id, conversation_id, parent_id, role, model, created, state, reason, timings, error, "
    "thinking, content, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(slots=True)
class _Found:
    conversations: dict[int, tuple[Value, ...]] = field(default_factory=dict)
    messages: dict[int, tuple[Value, ...]] = field(default_factory=dict)
    chunks: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    tags: set[tuple[int, str]] = field(default_factory=set)


def salvage(damaged: Path, database: Database) -> int:
    """Copy what can be read of `damaged` into an empty history, all in one transaction; how many conversations.

    Raises StoreError for the new history and OSError for the damaged one.
    """
    found = _sorted(carve(damaged))
    with database.transaction():
        return _put(found, database)


def _sorted(rows: Iterable[CarvedRow]) -> _Found:
    found = _Found()
    for row in rows:
        values = row.values
        if row.number is None:
            _sort_unnumbered(found, values)
        elif not 0 < row.number < _LARGEST_ID:
            continue
        elif len(values) in (8, 13, 14) and _is_conversation(values):
            found.conversations[row.number] = (*values, *(None, None, "", None, "", "")[len(values) - 8 :])
        elif len(values) in (13, 14) and _is_message(row.number, values):
            found.messages[row.number] = (*values, None)[:14]
    return found


def _sort_unnumbered(found: _Found, values: tuple[Value, ...]) -> None:
    if len(values) == 4:
        message_id, seq, channel, text = values
        if type(message_id) is int and type(seq) is int and channel in _CHANNELS and isinstance(text, str):
            found.chunks[message_id, seq] = (str(channel), text)
    elif len(values) == 2 and type(values[0]) is int and isinstance(values[1], str):
        found.tags.add((values[0], values[1]))


def _is_conversation(values: tuple[Value, ...]) -> bool:
    number, title, system, model, created, updated, leaf_id, deleted = values[:8]
    return (
        number is None
        and _all(str, title, system, model)
        and _all((int, float), created, updated)
        and _all((int, type(None)), leaf_id)
        and _all((int, float, type(None)), deleted, *values[8:10])
        and _all(str, *values[10:11], *values[12:])
        and _all((int, type(None)), *values[11:12])
    )


def _is_message(number: int, values: tuple[Value, ...]) -> bool:
    own, conversation_id, parent_id, role, model, created, state, *rest = values
    return (
        own is None
        and role in _ROLES
        and state in _STATES
        and type(conversation_id) is int
        and 0 < conversation_id < _LARGEST_ID
        and (parent_id is None or (type(parent_id) is int and 0 < parent_id < number))
        and _all(str, model, *rest[3:6])
        and _all((int, float), created)
    )


def _all(kinds: type | tuple[type, ...], *values: Value) -> bool:
    return all(isinstance(value, kinds) for value in values)


def _put(found: _Found, database: Database) -> int:
    for message in found.messages.values():
        found.conversations.setdefault(int(message[1] or 0), _lost(message))
    for number, values in sorted(found.conversations.items()):
        _, title, system, model, created, updated, _, deleted, pinned, archived, draft, _, _, preset = values
        texts = [storable(str(text)) for text in (title, system, model)]
        row = (
            number,
            one_line(texts[0]),
            *texts[1:],
            created,
            updated,
            deleted,
            pinned,
            archived,
            storable(str(draft)),
            storable(str(preset)),
        )
        database.execute(_CONVERSATION, row)
    for number in sorted(found.messages):
        database.execute(_MESSAGE, _message(found, number))
    for conversation_id, tag in sorted(found.tags):
        if conversation_id in found.conversations:
            database.execute("INSERT OR IGNORE INTO tags VALUES (?, ?)", (conversation_id, storable(tag)))
    newest = {values[1]: number for number, values in sorted(found.messages.items()) if values[13] is None}
    for number, values in found.conversations.items():
        leaf_id = values[6] if _belongs(found, values[6], number) else newest.get(number)
        database.execute("UPDATE conversations SET leaf_id = ? WHERE id = ?", (leaf_id, number))
    return len(found.conversations)


def _lost(message: tuple[Value, ...]) -> tuple[Value, ...]:
    """A conversation in place of one that could not be read, called by the first words of what is left of it."""
    title = first_words(str(message[12])) or _LOST
    return (None, title, "", message[4], message[5], message[5], None, None, None, None, "", None, "", "")


def _message(found: _Found, number: int) -> Sequence[Value]:
    (
        _,
        conversation_id,
        parent_id,
        role,
        model,
        created,
        state,
        _,
        reason,
        timings,
        error,
        thinking,
        content,
        deleted,
    ) = found.messages[number]
    if not _belongs(found, parent_id, conversation_id):
        parent_id = None
    texts = {"answer": str(content), "thinking": str(thinking)}
    for key in sorted(key for key in found.chunks if key[0] == number):
        channel, text = found.chunks[key]
        texts[channel] += text
    state = "cut" if state == "streaming" else state
    clean = {channel: storable(text) for channel, text in texts.items()}
    return (
        number, conversation_id, parent_id, role, storable(str(model)), created, state,
        reason if reason in _REASONS else None, _timings(timings),
        storable(str(error)), clean["thinking"], clean["answer"], deleted if isinstance(deleted, int | float) else None,
    )  # fmt: skip


def _timings(value: Value) -> str | None:
    """Stored timings, if they still are a JSON object."""
    try:
        return value if isinstance(value, str) and isinstance(json.loads(value), dict) else None
    except ValueError:
        return None


def _belongs(found: _Found, message_id: Value, conversation_id: Value) -> bool:
    return type(message_id) is int and (found.messages.get(message_id) or (None, None))[1] == conversation_id
