"""Searching titles and messages. Whatever a person types is a search for those words; none of it is syntax.

Newest first: ordering by relevance makes SQLite rank every match (100 ms and more for a common word in 100 000
messages), while the newest come straight off the index.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from tui.chat.database import Database, Row
from tui.chat.text import storable
from tui.chat.values import SearchHit
from tui.config.plain import blanked

SLICE = 8192
"""Messages that are looked at in one go where no index can help: about 40 ms for texts of 2 KB."""
QUERY_CHARS = 1000
"""Characters of a query that are looked at."""
MAX_WORDS = 32
SNIPPET_WORDS = 12
_SNIPPET_BEFORE, _SNIPPET_AFTER = 30, 70
Spans = tuple[tuple[int, int], ...]
_OPEN, _CLOSE = "\x02", "\x03"

# Scripts written without spaces between words: FTS5's unicode61 takes a whole sentence for one word there.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9d\U00020000-\U0003ffff]"
)

_BY_INDEX = """
    SELECT c.id, m.id, c.title, m.role, m.created, snippet(messages_search, 0, ?, ?, '…', ?)
    FROM messages_search
    JOIN messages AS m ON m.id = messages_search.rowid
    JOIN conversations AS c ON c.id = m.conversation_id
    WHERE messages_search MATCH ? AND c.deleted IS NULL AND m.deleted IS NULL
    ORDER BY messages_search.rowid DESC LIMIT ?
"""
_TITLES_BY_INDEX = """
    SELECT c.id, NULL, c.title, NULL, c.updated, highlight(conversations_search, 0, ?, ?)
    FROM conversations_search JOIN conversations AS c ON c.id = conversations_search.rowid
    WHERE conversations_search MATCH ? AND c.deleted IS NULL
    ORDER BY conversations_search.rowid DESC LIMIT ?
"""
_BY_SCAN = """
    SELECT c.id, m.id, c.title, m.role, m.created, m.content
    FROM messages AS m JOIN conversations AS c ON c.id = m.conversation_id
    WHERE m.id >= ? AND m.id < ? AND c.deleted IS NULL AND m.deleted IS NULL AND {where} ORDER BY m.id DESC LIMIT ?
"""
_TITLES_BY_SCAN = """
    SELECT c.id, NULL, c.title, NULL, c.updated, c.title
    FROM conversations AS c WHERE c.deleted IS NULL AND {where} ORDER BY c.id DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What was found so far in a search that may go on."""

    hits: tuple[SearchHit, ...] = ()
    before: int | None = None
    """Messages with a smaller id have not been looked at yet; None when all is done."""


def has_word(database: Database, word: str) -> bool:
    """Whether any message, a deleted one included, has a word of ASCII letters and digits."""
    return bool(database.rows("SELECT 1 FROM messages_search WHERE messages_search MATCH ? LIMIT 1", (f'"{word}"',)))


def search(database: Database, text: str, limit: int) -> tuple[SearchHit, ...]:
    """Titles, then messages, that have every word of `text`, or words that begin so. Newest first."""
    part = search_part(database, text, limit)
    while part.before is not None:
        part = search_part(database, text, limit, part)
    return part.hits


def search_part(database: Database, text: str, limit: int, so_far: Part | None = None) -> Part:
    """The same a part at a time: all at once where an index has it, else the next SLICE messages."""
    words = words_of(text)
    if not words or limit <= 0:
        return Part()
    if not any(needs_scan(word) for word in words):
        hits = _look_up(database, words, limit, titles=True)
        return Part((*hits, *_look_up(database, words, limit - len(hits), titles=False)))
    if so_far is None:
        newest = int(database.value("SELECT coalesce(max(id), 0) FROM messages"))
        so_far = Part(tuple(_scan_titles(database, words, limit)), newest + 1)
    before = so_far.before or 0
    after, left = max(0, before - SLICE), limit - len(so_far.hits)
    hits = _scan(database, words, range(after, before), left)
    return Part((*so_far.hits, *hits), after if after and len(hits) < left else None)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a query, without the characters that end a string in C."""
    cleaned = storable(text[:QUERY_CHARS]).replace("\0", " ")
    return tuple(cleaned.split()[:MAX_WORDS])


def needs_scan(word: str) -> bool:
    """True for a word that the index cannot find: of signs only (`!=`), or in a script without spaces."""
    return not any(_is_indexed(char) for char in word) or _UNSPACED.search(word) is not None


def match_expression(words: Sequence[str]) -> str:
    """An FTS5 expression for all of `words`, each quoted and taken as the beginning of a word."""
    return " ".join('"' + word.replace('"', '""') + '"*' for word in words)


def _is_indexed(char: str) -> bool:
    """Letters, digits and private use are what unicode61 keeps (https://www.sqlite.org/fts5.html#unicode61_tokenizer)."""
    category = unicodedata.category(char)
    return category[0] in "LN" or category == "Co"


def _look_up(database: Database, words: Sequence[str], limit: int, *, titles: bool) -> list[SearchHit]:
    marks: tuple[object, ...] = (_OPEN, _CLOSE)
    if titles:
        rows = database.rows(_TITLES_BY_INDEX, (*marks, match_expression(words), limit))
    else:
        rows = database.rows(_BY_INDEX, (*marks, SNIPPET_WORDS, match_expression(words), limit))
    return [_hit(row, *_marked(row[5])) for row in rows]


def _scan(database: Database, words: Sequence[str], ids: range, limit: int) -> list[SearchHit]:
    sql = _BY_SCAN.format(where=_like("m.content", words))
    rows = database.rows(sql, (ids.start, ids.stop, *(_pattern(word) for word in words), limit))
    return [_hit(row, *_around(row[5], words)) for row in rows]


def _scan_titles(database: Database, words: Sequence[str], limit: int) -> list[SearchHit]:
    sql = _TITLES_BY_SCAN.format(where=_like("c.title", words))
    rows = database.rows(sql, (*(_pattern(word) for word in words), limit))
    return [_hit(row, *_around(row[5], words)) for row in rows]


def _like(column: str, words: Sequence[str]) -> str:
    return " AND ".join([f"{column} LIKE ? ESCAPE '\\'"] * len(words))


def _hit(row: Row, snippet: str, spans: Spans) -> SearchHit:
    conversation_id, message_id, title, role, created = row[:5]
    return SearchHit(conversation_id, message_id, title, role, created, snippet, spans)


def _pattern(word: str) -> str:
    for char in ("\\", "%", "_"):
        word = word.replace(char, "\\" + char)
    return f"%{word}%"


def _marked(snippet: str) -> tuple[str, Spans]:
    """Take the marks out of a snippet: its text, and where the marked stretches are in it."""
    chars: list[str] = []
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for char in snippet:
        if char == _OPEN:
            start = len(chars)
        elif char == _CLOSE:
            if start is not None:
                spans.append((start, len(chars)))
            start = None
        else:
            chars.append(char)
    return blanked("".join(chars)), tuple(spans)


def _around(content: str, words: Sequence[str]) -> tuple[str, Spans]:
    """The text around the first of `words`, and where all of them are in it."""
    wanted = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    first = wanted.search(content)
    at = first.start() if first else 0
    begin, end = max(0, at - _SNIPPET_BEFORE), min(len(content), at + _SNIPPET_AFTER)
    head, tail = "…" if begin else "", "…" if end < len(content) else ""
    cut = content[begin:end]
    spans = tuple((m.start() + len(head), m.end() + len(head)) for m in wanted.finditer(cut))
    return head + blanked(cut) + tail, spans
