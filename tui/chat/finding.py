"""What the list of conversations shows for a typed line: all of them, or those in which it is found, with the places.

Works in the store's thread; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.chat.records import Which
from tui.chat.search import Part, Spans
from tui.chat.store import Store
from tui.chat.values import Conversation, SearchHit

MOST = 1000
"""Conversations that are listed."""
MOST_HITS = 200
"""Places that a search looks at, the newest ones."""
HITS_EACH = 4
"""Places that are shown of one conversation, so that it does not hide the others."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One conversation of the list."""

    conversation: Conversation
    title_spans: Spans = ()
    """Where the searched words are in its title."""
    hits: tuple[SearchHit, ...] = ()
    """Messages that have them, newest first."""

    @property
    def message_id(self) -> int | None:
        """The message that a search for text leads to; None when the title was found, or nothing was searched for."""
        return self.hits[0].message_id if self.hits and not self.title_spans else None


@dataclass(frozen=True, slots=True)
class Found:
    """What the list shows."""

    listed: tuple[Listed, ...]
    part: Part = Part()  # noqa: RUF009 - immutable

    @property
    def complete(self) -> bool:
        """False where older messages have not been looked at yet."""
        return self.part.before is None


def look(store: Store, line: str, *, archived: bool = False, so_far: Found | None = None) -> Found:
    """The conversations for a line that a person typed, pinned ones first. A word such as #work asks for a tag that
    begins so, if there is one. Archived ones are `archived`'s alone, but a search finds both. With `so_far` it goes on
    from there. Raises StoreError."""
    text, tags = _parted(line, (tag for tag, _ in store.tags()))
    which: Which = "archived" if archived else "kept" if text or tags else "open"
    part = Part()
    if not text:
        found = [Listed(one) for one in store.conversations(MOST, which=which) if one.message_count or one.draft]
    else:
        part = store.search_part(text, MOST_HITS, so_far.part if so_far is not None else None)
        found = _grouped(store, part.hits, archived)
    asked = [one for one in found if all(_has(one.conversation, tag) for tag in tags)]
    return Found(tuple(sorted(asked, key=lambda one: one.conversation.pinned is None)), part)


def _parted(line: str, known: Iterable[str]) -> tuple[str, list[str]]:
    """The words to search for, and the beginnings of tags."""
    names = [tag.casefold() for tag in known]
    words: list[str] = []
    tags: list[str] = []
    for word in line.split():
        begins = word[1:].casefold()
        is_tag = word.startswith("#") and any(name.startswith(begins) for name in names)
        (tags if is_tag else words).append(begins if is_tag else word)
    return " ".join(words), tags


def _has(conversation: Conversation, begins: str) -> bool:
    return any(tag.casefold().startswith(begins) for tag in conversation.tags)


def _grouped(store: Store, hits: Iterable[SearchHit], archived: bool) -> list[Listed]:
    """Hits by conversation, in the order in which they were found."""
    by_conversation: dict[int, list[SearchHit]] = {}
    for hit in hits:
        by_conversation.setdefault(hit.conversation_id, []).append(hit)
    found = []
    for conversation_id, here in by_conversation.items():
        conversation = store.conversation(conversation_id)
        if archived and conversation.archived is None:
            continue
        spans = next((hit.spans for hit in here if hit.message_id is None), ())
        places = tuple(hit for hit in here if hit.message_id is not None)[:HITS_EACH]
        found.append(Listed(conversation, spans, places))
    return found
