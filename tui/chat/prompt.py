"""What a model is sent of a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from tui.chat.values import Message
from tui.engine.protocol import ChatMessage


def prompt_messages(system: str, path: Sequence[Message]) -> tuple[ChatMessage, ...]:
    """The system prompt and the messages of a branch, as a chat template takes them.

    Thinking goes along apart: the template knows whether a later turn sees it. Answers without text, which failed
    before their first word, are left out. Templates may insist on turns that alternate, so messages of one role that
    then follow each other become one, a blank line between them.
    """
    turns: list[ChatMessage] = [ChatMessage("system", system)] if system else []
    for message in path:
        if message.role == "assistant" and not message.content:
            continue
        if turns and turns[-1].role == message.role:
            turns[-1] = ChatMessage(message.role, f"{turns[-1].content}\n\n{message.content}")
        else:
            turns.append(ChatMessage(message.role, message.content, message.thinking))
    return tuple(turns)
