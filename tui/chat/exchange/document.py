"""Conversations as JSON of our own: everything that the history knows of them, readable by the next puna.

{"puna_conversations": 1, "conversations": [{"title", "system", "model", "created", "updated", "tags", "leaf",
"messages": [{"role", "content", "parent", "thinking"?, "model"?, "created", "cut"?}]}]}; times are Unix seconds,
`parent` and `leaf` are places in `messages`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tui.chat.exchange.reader import Part
from tui.chat.exchange.values import ExchangeError, Portable, Said

MARK = "puna_conversations"
VERSION = 1


def write(conversations: Sequence[Portable]) -> str:
    """The document."""
    return json.dumps(
        {MARK: VERSION, "conversations": [_conversation(one) for one in conversations]}, ensure_ascii=False, indent=1
    )


def _conversation(one: Portable) -> dict[str, Any]:
    return {
        "title": one.title,
        "system": one.system,
        "model": one.model,
        "created": one.created,
        "updated": one.updated,
        "tags": list(one.tags),
        "leaf": one.leaf,
        "messages": [_said(said) for said in one.messages],
    }


def _said(said: Said) -> dict[str, Any]:
    optional = {"thinking": said.thinking, "model": said.model, "cut": said.cut}
    return {
        "role": said.role,
        "content": said.content,
        "parent": said.parent,
        "created": said.created,
        **{key: value for key, value in optional.items() if value},
    }


def read(document: Part) -> tuple[Portable, ...]:
    """The conversations of a document. Raises ExchangeError."""
    version = document.number(MARK)
    if version != VERSION:
        raise ExchangeError(f"it was written by a newer puna (format {version}, this one reads {VERSION}); update puna")
    return tuple(_read_conversation(part) for part in document.parts("conversations"))


def _read_conversation(part: Part) -> Portable:
    messages = tuple(_read_said(said, at) for at, said in enumerate(part.parts("messages")))
    leaf = part.optional_place("leaf", len(messages))
    return Portable(
        messages=messages,
        title=part.text("title"),
        system=part.text("system"),
        model=part.text("model"),
        created=part.optional_number("created"),
        updated=part.optional_number("updated"),
        tags=part.texts("tags"),
        leaf=leaf,
    )


def _read_said(part: Part, at: int) -> Said:
    return Said(
        role=part.role("role"),
        content=part.text("content"),
        parent=part.optional_place("parent", at),
        thinking=part.text("thinking"),
        model=part.text("model"),
        created=part.optional_number("created"),
        cut=bool(part.value.get("cut")),
    )
