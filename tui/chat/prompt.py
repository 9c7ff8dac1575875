"""What a model is sent of a conversation."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tui.chat.attachments import joined, parted
from tui.chat.images import Images
from tui.chat.values import Message
from tui.engine.protocol import ChatMessage, ImageFile, Role

SUMMARY = "Summary of the conversation so far:"
SUMMARISE = (
    "Summarise our conversation so far for yourself, so that you can go on without it: facts, names, numbers, "
    "decisions and open questions, in at most 200 words. Write nothing but the summary."
)
"""What a model is asked for when the oldest turns are to make room."""


def prompt_messages(
    system: str, path: Sequence[Message], *, summary: str = "", images: Images | None = None
) -> tuple[ChatMessage, ...]:
    """The system prompt and the messages of a branch, as a chat template takes them; `summary` stands for what was
    before them.

    Thinking goes along apart: the template knows whether a later turn sees it. Answers without text, which failed
    before their first word, are left out. Templates may insist on turns that alternate, so messages of one role that
    then follow each other become one, a blank line between them. `images` has those that messages carry.
    """
    if summary:
        told = f"{SUMMARY}\n\n{summary}"
        system = f"{system}\n\n{told}" if system else told
    turns: list[ChatMessage] = [ChatMessage("system", system)] if system else []
    for message in path:
        if message.role == "assistant" and not message.content:
            continue
        turn = as_told(message.role, message.content, images, thinking=message.thinking)
        if turns and turns[-1].role == turn.role:
            before = turns[-1]
            content = f"{before.content}\n\n{turn.content}"
            turns[-1] = ChatMessage(turn.role, content, images=(*before.images, *turn.images))
        else:
            turns.append(turn)
    return tuple(turns)


def as_told(role: Role, content: str, images: Images | None = None, *, thinking: str = "") -> ChatMessage:
    """One stored message as the model is told it: images apart from its text, and a word for one that is gone."""
    words, files = parted(content) if role == "user" else (content, ())
    pictures = [file for file in files if file.digest]
    if not pictures:
        return ChatMessage(role, content, thinking)
    text = joined(words, [file for file in files if not file.digest])
    here = [file for file in pictures if images is not None and images.file(file.digest).is_file()]
    gone = [f"(The image {file.name} is not here any more.)" for file in pictures if file not in here]
    carried = tuple(ImageFile(file.digest, os.fsencode(images.file(file.digest))) for file in here if images)
    return ChatMessage(role, "\n\n".join((text, *gone)), thinking, carried)
