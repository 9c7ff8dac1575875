"""What a model is sent of a conversation."""

from __future__ import annotations

from collections.abc import Sequence

from tui.chat.values import Message
from tui.engine.protocol import ChatMessage

SUMMARY = "Summary of the conversation so far:"
SUMMARISE = (
    "Summarise our conversation so far for yourself, so that you can go on without it: facts, names, numbers, "
    "decisions and open questions, in at most 200 words. Write nothing but the summary."
)
"""What a model is asked for when the oldest turns are to make room."""


def prompt_messages(system: str, path: Sequence[Message], *, summary: str = "") -> tuple[ChatMessage, ...]:
    """The system prompt and the messages of a branch, as a chat template takes them; `summary` stands for what was
    before them.

    Thinking goes along apart: the template knows whether a later turn sees it. Answers without text, which failed
    before their first word, are left out. Templates may insist on turns that alternate, so messages of one role that
    then follow each other become one, a blank line between them.
    """
    if summary:
        told = f"{SUMMARY}\n\n{summary}"
        system = f"{system}\n\n{told}" if system else told
    turns: list[ChatMessage] = [ChatMessage("system", system)] if system else []
    for message in path:
        if message.role == "assistant" and not message.content:
            continue
        if turns and turns[-1].role == message.role:
            turns[-1] = ChatMessage(message.role, f"{turns[-1].content}\n\n{message.content}")
        else:
            turns.append(ChatMessage(message.role, message.content, message.thinking))
    return tuple(turns)
