"""A conversation as it travels: a tree of messages without anything of the file it came from. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.chat.errors import ChatError
from tui.engine.text import THINKING_TAGS

if TYPE_CHECKING:
    from tui.engine.protocol import Role


class ExchangeError(ChatError):
    """What was to be read is no conversation. The text says what is wrong, where, and what can be done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One message."""

    role: Role
    content: str
    parent: int | None
    """Place in `Portable.messages` of the message that it follows, always a smaller one; None for one that opens the
    conversation."""
    thinking: str = ""
    model: str = ""
    """Who wrote it; empty for a person's message."""
    created: float | None = None
    """Unix seconds; None where it is not known."""
    cut: bool = False
    """It was stopped before its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portable:
    """One conversation with all of its branches."""

    messages: tuple[Said, ...]
    title: str = ""
    system: str = ""
    model: str = ""
    """Who answered last."""
    created: float | None = None
    """Unix seconds."""
    updated: float | None = None
    """Unix seconds of the last message."""
    tags: tuple[str, ...] = ()
    leaf: int | None = None
    """Place of the last message of the branch that is shown; None for the last message."""

    def branch(self) -> tuple[Said, ...]:
        """The messages that are shown, from the opening one on."""
        at = self.leaf if self.leaf is not None else len(self.messages) - 1 if self.messages else None
        found: list[Said] = []
        while at is not None:
            found.append(self.messages[at])
            at = self.messages[at].parent
        return tuple(reversed(found))


def said_by(role: Role, content: str, parent: int | None, *, model: str = "", created: float | None = None) -> Said:
    """A message as other programs write it: an answer may begin with its thinking, between tags."""
    if role != "assistant":
        return Said(role=role, content=content, parent=parent, created=created)
    thinking, content = parted_thinking(content)
    return Said(role=role, content=content, parent=parent, thinking=thinking, model=model, created=created)


def parted_thinking(text: str) -> tuple[str, str]:
    """The thinking at the beginning of an answer, and the answer."""
    for opening, closing in THINKING_TAGS:
        inside, closed, rest = text.lstrip().removeprefix(opening).partition(closing)
        if closed and text.lstrip().startswith(opening):
            return inside.strip(), rest.lstrip()
    return "", text


def in_a_row(messages: Sequence[tuple[Role, str]], *, title: str = "", model: str = "") -> Portable:
    """A conversation of one branch. A system message at its beginning becomes the system prompt."""
    system = ""
    rest = list(messages)
    if rest and rest[0][0] == "system":
        system = rest.pop(0)[1]
    said = tuple(said_by(role, content, at - 1 if at else None, model=model) for at, (role, content) in enumerate(rest))
    return Portable(messages=said, title=title, system=system, model=model)
