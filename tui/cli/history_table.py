"""Conversations, messages and search hits as lines for people and as JSON."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tui.chat.values import Conversation, Message, SearchHit
from tui.hardware.meter.words import cells, clip

_HEADS = ("ID", "CHANGED", "MESSAGES", "MODEL", "TITLE")
_MARK = "…"
_MODEL = 28
"""The most columns that a model's name gets, as the title matters more."""


def table(conversations: Sequence[Conversation]) -> Iterator[str]:
    """A line each under a line of heads; on a terminal none is wider than it."""
    rows = [
        (str(one.id), _date(one.updated), str(one.message_count), clip(one.model or "-", _MODEL, _MARK), _title(one))
        for one in conversations
    ]
    widths = [max(cells(row[at]) for row in (_HEADS, *rows)) for at in range(4)]
    for row in (_HEADS, *rows):
        number, changed, count, model, title = row
        line = (
            f"{number:>{widths[0]}}  {changed:<{widths[1]}}  {count:>{widths[2]}}  {_padded(model, widths[3])}  {title}"
        )
        yield _clipped(line)


def hit_lines(hits: Sequence[SearchHit]) -> Iterator[str]:
    """Two lines a hit: where it is, and the text around it."""
    for hit in hits:
        who = "title" if hit.message_id is None else "you" if hit.role == "user" else hit.role or ""
        yield _clipped(f"{hit.conversation_id}  {_date(hit.created)}  {who}  {hit.title or '(no title)'}")
        yield _clipped(f"    {hit.snippet}")


def message_lines(conversation: Conversation, messages: Sequence[Message]) -> Iterator[str]:
    """The branch that is shown, for reading."""
    yield f"{conversation.title or '(no title)'}  ({_date(conversation.updated)})"
    if conversation.tags:
        yield f"tags: {', '.join(conversation.tags)}"
    if conversation.system:
        yield from ("", "system:", conversation.system)
    for message in messages:
        who = "you" if message.role == "user" else message.model or message.role
        yield from ("", f"{who}{'' if message.state == 'done' else f' ({message.state})'}:")
        if message.thinking:
            yield from (f"| {line}" for line in message.thinking.strip().split("\n"))
        yield message.content
        if message.error:
            yield f"! {message.error}"


def conversation_json(one: Conversation) -> dict[str, Any]:
    """A conversation without its messages; times are Unix seconds, null where there is none."""
    return {
        "id": one.id,
        "title": one.title,
        "system": one.system,
        "model": one.model,
        "created": one.created,
        "updated": one.updated,
        "message_count": one.message_count,
        "tags": list(one.tags),
        "pinned": one.pinned is not None,
        "archived": one.archived is not None,
        "deleted": one.deleted,
    }


def message_json(one: Message) -> dict[str, Any]:
    """A message; `state` is done, streaming or cut."""
    return {
        "id": one.id,
        "parent": one.parent_id,
        "role": one.role,
        "content": one.content,
        "thinking": one.thinking,
        "model": one.model or None,
        "created": one.created,
        "state": one.state,
        "reason": one.reason,
        "timings": dict(one.timings),
        "error": one.error or None,
    }


def hit_json(hit: SearchHit) -> dict[str, Any]:
    """A hit; `message` is null where the title matched, `spans` are characters of the snippet."""
    return {
        "conversation": hit.conversation_id,
        "message": hit.message_id,
        "title": hit.title,
        "role": hit.role,
        "created": hit.created,
        "snippet": hit.snippet,
        "spans": [list(span) for span in hit.spans],
    }


def _title(one: Conversation) -> str:
    marks = [mark for mark, there in (("pinned", one.pinned), ("archived", one.archived)) if there is not None]
    return f"{one.title or '(no title)'}{''.join(f'  [{mark}]' for mark in (*marks, *one.tags))}"


def _date(seconds: float) -> str:
    """Local time to the minute; the year 1970 where a file says something impossible."""
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):
        return "1970-01-01 00:00"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _clipped(line: str) -> str:
    return clip(line, shutil.get_terminal_size().columns, _MARK) if sys.stdout.isatty() else line
