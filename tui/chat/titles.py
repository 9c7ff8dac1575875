"""A conversation's title by a model: what it is asked, and what is taken of its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tui.chat.text import TITLE_CHARS, one_line, title_from
from tui.chat.values import Message
from tui.engine.protocol import ChatMessage

MOST_WORDS: Final = 6
MOST_TOKENS: Final = 48
"""Of the answer; a title takes a dozen."""
_READ_CHARS = 2000
"""Of each message that is shown to the model."""
_WISH = f"Write a title of at most {MOST_WORDS} words for the conversation above. Answer with the title alone."
_WRAPPING = " \t\"'`*_#“”„‘’«».:"


def title_question(messages: Sequence[Message]) -> tuple[ChatMessage, ...]:
    """What a model is asked about a conversation: its first question and answer, shortened, and the wish."""
    opening = [message for message in messages if message.content][:2]
    said = "\n\n".join(
        f"{'Question' if message.role == 'user' else 'Answer'}: {message.content[:_READ_CHARS]}" for message in opening
    )
    return (ChatMessage("user", f"{said}\n\n{_WISH}"),)


def title_of(answer: str) -> str:
    """The title in a model's answer, at most MOST_WORDS words; empty when there is none."""
    for line in answer.splitlines():
        words = re.sub(r"^\W*title\W*", "", one_line(line), flags=re.IGNORECASE).strip(_WRAPPING).split()
        if words:
            return title_from(" ".join(words[:MOST_WORDS]))[: TITLE_CHARS + 1]
    return ""
