"""Searching: what is found, and that nothing a person types can break it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.chat import search
from tui.chat.finding import look
from tui.chat.store import Store
from tui.chat.text import storable

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
SIGNS = ["NEAR(", ")", '"', "*", "^", "AND", "OR", "NOT", "-", ":", "content:", "+", "{", "}", "a", "\\", "%", "_"]
SYNTAX = st.lists(st.sampled_from(SIGNS), max_size=12).map(" ".join)
TEXTS = [
    "The llama grazes",
    "Llamas graze on the puna",
    "if x != 10%: y::z()",
    "安第斯山脉的骆马在吃草",
    "Ñandú and Café",
]


@pytest.fixture(scope="module")
def library() -> Iterator[Store]:
    """A few conversations to search in."""
    store = Store(None)
    for text in TEXTS:
        store.add_message(store.create_conversation().id, None, "user", text)
    store.create_conversation(title="Grazing animals of the Andes")
    yield store
    store.close()


def found(store: Store, text: str) -> list[str]:
    return [hit.snippet for hit in store.search(text) if hit.message_id is not None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("llama", ["Llamas graze on the puna", "The llama grazes"]),
        ("LLAMA gra", ["Llamas graze on the puna", "The llama grazes"]),
        ("gra llama", ["Llamas graze on the puna", "The llama grazes"]),
        ("razes", []),
        ("puna", ["Llamas graze on the puna"]),
        ("vicuña", []),
        ("nandu cafe", ["Ñandú and Café"]),
        ("!=", ["if x != 10%: y::z()"]),
        ("10%", ["if x != 10%: y::z()"]),
        ("_", []),
        ("骆马", ["安第斯山脉的骆马在吃草"]),
        ("", []),
        ("   \n", []),
    ],
)
def test_every_word_must_be_there_or_begin_one(library: Store, text: str, expected: list[str]) -> None:
    assert found(library, text) == expected


def test_titles_come_first(library: Store) -> None:
    first, *_others = library.search("graz")
    assert (first.message_id, first.title, first.role) == (None, "Grazing animals of the Andes", None)
    assert first.snippet == first.title
    assert len(library.search("graz", limit=2)) == 2
    assert library.search("graz", limit=0) == ()


@pytest.mark.parametrize("text", ["llama", "骆马", "::"])
def test_spans_mark_the_words(library: Store, text: str) -> None:
    for hit in library.search(text):
        assert hit.spans
        for start, end in hit.spans:
            assert hit.snippet[start:end].lower().startswith(text.lower())


def test_a_snippet_is_one_line_around_the_match() -> None:
    store = Store(None)
    conversation = store.create_conversation()
    store.add_message(conversation.id, None, "user", "before " * 500 + "the\nneedle \x1b[31m here" + " after" * 500)
    store.add_message(conversation.id, None, "user", "前" * 500 + "针\x07尖" + "后" * 500)
    for text in ("needle", "针"):
        (hit,) = store.search(text)
        assert text in hit.snippet
        assert len(hit.snippet) < 200
        assert all(char.isprintable() for char in hit.snippet)
        assert [hit.snippet[start:end] for start, end in hit.spans] == [text]
    store.close()


def test_where_no_index_helps_a_part_is_looked_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SLICE", 10)
    store = Store(None)
    conversation = store.create_conversation(title="not != it")
    for number in range(35):
        store.add_message(conversation.id, None, "user", "old != " if number == 3 else "new !=" if number > 31 else "-")
    part = search.Part()
    seen: list[list[str]] = []
    for _ in range(4):
        part = store.search_part("!=", 50, part if seen else None)
        seen.append([hit.snippet for hit in part.hits])
    newer = ["not != it", "new !=", "new !=", "new !="]
    assert seen == [newer, newer, newer, [*newer, "old != "]]
    assert part.before is None
    assert store.search("!=") == part.hits
    assert store.search_part("!=", 2).before is None, "there are enough"
    assert len(store.search("!=", 2)) == 2
    one = look(store, "!=")
    assert not one.complete
    assert [len(listed.hits) for listed in look(store, "!=", so_far=one).listed] == [3]
    store.close()


@settings(deadline=None)
@given(ANY_TEXT | SYNTAX)
def test_any_text_can_be_searched_for(library: Store, text: str) -> None:
    for hit in library.search(text):
        assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.spans)


@settings(deadline=None)
@given(st.integers(1, 5000))
def test_a_long_query_is_no_error(library: Store, count: int) -> None:
    library.search("llama " * count)
    library.search("骆" * count)
    library.search("%" * count)


@settings(deadline=None)
@given(st.lists(st.text("abcxyzäöé0123456789", min_size=1, max_size=8), min_size=1, max_size=6), ANY_TEXT)
def test_what_was_written_is_found_by_its_words(words: list[str], other: str) -> None:
    store = Store(None)
    conversation = store.create_conversation(title="-")
    message = store.add_message(conversation.id, None, "user", " ".join(words))
    store.add_message(conversation.id, None, "user", other)
    for word in words:
        assert message.id in [hit.message_id for hit in store.search(word)]
        assert message.id in [hit.message_id for hit in store.search(word[:-1] or word)]
    assert message.id in [hit.message_id for hit in store.search(storable(" ".join(words)))]
    store.close()
