"""Small, pure functions for text on its way into the store: titles, and characters that SQLite cannot hold."""

from __future__ import annotations

from tui.config.plain import one_line

__all__ = ["TITLE_CHARS", "one_line", "storable", "title_from"]

TITLE_CHARS = 60


def storable(text: str) -> str:
    """`text` with lone surrogates, which UTF-8 cannot carry, replaced by U+FFFD; other text comes back as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def title_from(text: str) -> str:
    """The first words of `text`, at most TITLE_CHARS characters, for a conversation's title."""
    line = one_line(text[: TITLE_CHARS * 20])
    if len(line) <= TITLE_CHARS:
        return line
    head = line[:TITLE_CHARS]
    at_word = head.rfind(" ")
    if at_word >= TITLE_CHARS // 2:
        head = head[:at_word]
    return head.rstrip() + "…"
