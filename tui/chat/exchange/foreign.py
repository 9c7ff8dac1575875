"""Conversations as other programs write them: chat messages of the OpenAI kind, ShareGPT's, and ChatGPT's export.

- `{"messages": [{"role", "content"}]}`, a list of such messages, or one such object a line (fine-tuning files);
  `content` is a text or a list of parts of which the texts are taken.
- `{"conversations": [{"from": "human" | "gpt" | "system", "value"}]}`, alone, in a list, or one a line.
- ChatGPT's `conversations.json`: a tree, `mapping` from ids to nodes with `message`, `parent` and `children`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tui.chat.exchange.reader import Part
from tui.chat.exchange.values import ExchangeError, Portable, Said, in_a_row, said_by

if TYPE_CHECKING:
    from tui.engine.protocol import Role


def read(part: Part) -> Portable | None:
    """The conversation that an object is; None when it is none that is known. Raises ExchangeError."""
    value = part.value
    if isinstance(value.get("mapping"), dict):
        return _from_mapping(part)
    for key, role_key, text_key in (("messages", "role", "content"), ("conversations", "from", "value")):
        found = value.get(key)
        if isinstance(found, list) and all(isinstance(one, dict) and role_key in one for one in found):
            rows = [_row(one, role_key, text_key) for one in part.parts(key)]
            return in_a_row([row for row in rows if row is not None], title=_title(value), model=_model(value))
    return None


def is_message(value: Mapping[str, Any]) -> bool:
    """An object that is one message, and no conversation."""
    return "role" in value and "content" in value


def _row(part: Part, role_key: str, text_key: str) -> tuple[Role, str] | None:
    """Role and text of a message; None for what a tool said, and for calls of tools without a text."""
    if str(part.value.get(role_key)).casefold() in ("tool", "function", "observation", "function_call"):
        return None
    text = _text(part, text_key)
    if not text and part.value.get("tool_calls"):
        return None
    return part.role(role_key), text


def _text(part: Part, key: str) -> str:
    found = part.value.get(key)
    if isinstance(found, list):
        return "\n\n".join(text for one in found if (text := _part_text(one)))
    return part.text(key)


def _part_text(part: object) -> str:
    """What is text in one part of a message; images and sounds are left out."""
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return str(part["text"])
    return ""


def _title(value: Mapping[str, Any]) -> str:
    found = value.get("title")
    return found if isinstance(found, str) else ""


def _model(value: Mapping[str, Any]) -> str:
    found = value.get("model")
    return found if isinstance(found, str) else ""


def _from_mapping(part: Part) -> Portable:
    """ChatGPT's tree. Nodes without a text (roots, tools) are left out; who follows one follows what it followed."""
    nodes: dict[str, Any] = part.value["mapping"]
    places: dict[str, int | None] = {}
    messages: list[Said] = []
    system = ""
    for node_id in _parents_first(nodes, part.where):
        node = nodes[node_id]
        parent = places.get(str(node.get("parent")))
        said = _node(Part(node, f"{part.where}.mapping[{node_id}]".lstrip(".")), parent)
        if said is not None and said.role == "system":
            system, said = system or said.content, None
        places[node_id] = parent
        if said is not None:
            places[node_id] = len(messages)
            messages.append(said)
    return Portable(
        messages=tuple(messages),
        title=_title(part.value),
        system=system,
        created=part.optional_number("create_time"),
        updated=part.optional_number("update_time"),
        leaf=places.get(str(part.value.get("current_node"))),
    )


def _parents_first(nodes: Mapping[str, Any], where: str) -> Iterator[str]:
    """Ids of nodes, each after its parent; siblings as they are listed."""
    children: dict[str | None, list[str]] = {}
    for node_id, node in nodes.items():
        if not isinstance(node, dict):
            raise ExchangeError(f"{where}.mapping[{node_id}] is not an object".lstrip("."))
        parent = node.get("parent")
        children.setdefault(parent if parent in nodes else None, []).append(node_id)
    reached = list(children.get(None, ()))
    for node_id in reached:  # grows while it is walked; nodes in a ring are never reached
        yield node_id
        reached += children.get(node_id, ())


def _node(part: Part, parent: int | None) -> Said | None:
    message = part.value.get("message")
    if not isinstance(message, dict):
        return None
    inner = Part(message, f"{part.where}.message")
    author, content = message.get("author"), message.get("content")
    role = author.get("role") if isinstance(author, dict) else None
    if role not in ("user", "assistant", "system") or not isinstance(content, dict):
        return None
    text = _text(Part(content, f"{inner.where}.content"), "parts" if "parts" in content else "text")
    if not text:
        return None
    metadata = message.get("metadata")
    model = metadata.get("model_slug") if isinstance(metadata, dict) and role == "assistant" else ""
    model = model if isinstance(model, str) else ""
    return said_by(role, text, parent, model=model, created=inner.optional_number("create_time"))
