"""A conversation as Markdown that reads well and comes back as it was: its branch that is shown, under front matter.

Each message begins with a comment that no renderer shows, `<!-- puna: assistant "model" 1764000000.0 -->`, and a
heading for the reader. The comment is what is read back; a line of a message that looks like one gets a backslash in
front.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from tui.chat.exchange.values import ExchangeError, Portable, Said

if TYPE_CHECKING:
    from tui.engine.protocol import Role

_FENCE = "---"
_MARK = re.compile(r'<!-- puna: (user|assistant|system) ("(?:[^"\\]|\\.)*") (-?[\d.e+-]+|unknown)( cut)? -->')
_OPENING = "<details><summary>Thinking</summary>\n<!-- puna: thinking -->\n\n"
_CLOSING = "\n\n</details>\n<!-- puna: answer -->\n\n"
_ESCAPED = re.compile(r"^(\\*)(?=<!-- puna: )", re.MULTILINE)
_KEYS = ("title", "model", "created", "updated", "tags", "system")


def write(one: Portable) -> str:
    """The Markdown text, ending with a newline."""
    return "".join([_front(one), *(_message(said) for said in one.branch())])


def is_ours(text: str) -> bool:
    """Whether a text was written by `write`."""
    return text.startswith(f"{_FENCE}\n") and "\npuna: conversation\n" in text[:400]


def read(text: str) -> Portable:
    """The conversation of a text that `write` made, perhaps edited by hand. Raises ExchangeError."""
    end = text.find(f"\n{_FENCE}\n", len(_FENCE))
    if end < 0:
        raise ExchangeError(f"the front matter is not closed: a line {_FENCE} is missing")
    front = _read_front(text[len(_FENCE) + 1 : end])
    body = text[end + len(_FENCE) + 2 :]
    messages = tuple(_read_messages(body))
    return Portable(
        messages=messages,
        title=str(front.get("title", "")),
        system=str(front.get("system", "")),
        model=str(front.get("model", "")),
        created=_number(front.get("created")),
        updated=_number(front.get("updated")),
        tags=tuple(str(tag) for tag in cast("list[object]", front.get("tags", []))),
    )


def _front(one: Portable) -> str:
    """Front matter: YAML of which each value is written as JSON, which YAML includes."""
    values = {key: getattr(one, key) for key in _KEYS}
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value]
    return "\n".join([_FENCE, "puna: conversation", *lines, _FENCE, ""])


def _message(said: Said) -> str:
    created = "unknown" if said.created is None else repr(said.created)
    model = json.dumps(said.model, ensure_ascii=False).replace("--", "-\\u002d")  # "--" would end the comment
    lines = [
        "",
        f"<!-- puna: {said.role} {model} {created}{' cut' if said.cut else ''} -->",
        f"## {_heading(said)}",
        "",
    ]
    thinking = ""
    if said.thinking:
        thinking = f"{_OPENING}{_escaped(said.thinking)}{_CLOSING}"
    return "\n".join([*lines, f"{thinking}{_escaped(said.content)}", ""])


def _heading(said: Said) -> str:
    if said.role != "assistant":
        return "You" if said.role == "user" else "System"
    return said.model.replace("\n", " ") or "Assistant"


def _escaped(text: str) -> str:
    return _ESCAPED.sub(r"\1\\", text)


def _unescaped(text: str) -> str:
    return re.sub(r"^(\\*)\\(?=<!-- puna: )", r"\1", text, flags=re.MULTILINE)


def _read_front(text: str) -> dict[str, object]:
    front: dict[str, object] = {}
    for number, line in enumerate(text.split("\n"), start=2):
        key, _, value = line.partition(": ")
        if key not in _KEYS:
            continue
        try:
            front[key] = json.loads(value)
        except ValueError:
            front[key] = value.strip()  # edited by hand, and still YAML
        if key == "tags" and not isinstance(front[key], list):
            raise ExchangeError(f'line {number}: tags are written as ["one", "two"]')
    return front


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _read_messages(body: str) -> Iterator[Said]:
    marks = [mark for mark in _MARK.finditer(body) if mark.start() == 0 or body[mark.start() - 1] == "\n"]
    if body.strip() and not marks:
        raise ExchangeError('no message is marked; each begins with a line such as <!-- puna: user "" unknown -->')
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() - 1 if at + 1 < len(marks) else len(body)
        role, model, created, cut = mark.groups()
        thinking, content = _texts(body[mark.end() : end])
        yield Said(
            role=cast("Role", role),
            content=content,
            parent=at - 1 if at else None,
            thinking=thinking,
            model=json.loads(model),
            created=None if created == "unknown" else _created(created),
            cut=cut is not None,
        )


def _created(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ExchangeError(f"'{text}' is not a time in Unix seconds") from error


def _texts(block: str) -> tuple[str, str]:
    """Thinking and content of what stands behind a mark: heading and empty line, then the text and its newline."""
    lines = block.split("\n", 3)
    rest = lines[3] if len(lines) == 4 and lines[1].startswith("## ") and not lines[2] else block.removeprefix("\n")
    thinking = ""
    if rest.startswith(_OPENING) and _CLOSING in rest:
        thinking, rest = rest[len(_OPENING) :].split(_CLOSING, 1)
    return _unescaped(thinking), _unescaped(rest.removesuffix("\n"))
