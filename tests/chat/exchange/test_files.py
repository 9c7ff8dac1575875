"""Files of conversations, ours and those of other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.chat.exchange import document
from tui.chat.exchange.files import read_file, read_text
from tui.chat.exchange.values import ExchangeError, Portable, Said
from tui.engine.text import THINKING_TAGS

ASKED: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Which is smallest?"},
    {"role": "assistant", "content": "The vicuña."},
]
EXPECTED = [("user", "Which is smallest?"), ("assistant", "The vicuña.")]
SHARED = [
    {"from": "system", "value": "Be brief."},
    {"from": "human", "value": "Which is smallest?"},
    {"from": "gpt", "value": "The vicuña."},
]
TREE = {
    "title": "Camelids",
    "create_time": 10.0,
    "update_time": 30.0,
    "current_node": "b",
    "mapping": {
        "c": {
            "parent": "q",
            "message": {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["Another."]}},
        },
        "root": {"parent": None, "message": None, "children": ["s"]},
        "s": {"parent": "root", "message": {"author": {"role": "system"}, "content": {"parts": ["Be brief."]}}},
        "q": {
            "parent": "s",
            "message": {"author": {"role": "user"}, "create_time": 11, "content": {"parts": ["Which is smallest?"]}},
        },
        "tool": {"parent": "q", "message": {"author": {"role": "tool"}, "content": {"parts": ["searched"]}}},
        "b": {
            "parent": "tool",
            "message": {
                "author": {"role": "assistant"},
                "content": {"parts": [{"image": 1}, "The vicuña."]},
                "metadata": {"model_slug": "m-1"},
            },
        },
    },
}


def rows(one: Portable) -> list[tuple[str, str]]:
    return [(said.role, said.content) for said in one.branch()]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ASKED),
        json.dumps({"messages": ASKED, "model": "m"}),
        json.dumps([{"messages": ASKED}]),
        json.dumps({"conversations": SHARED}),
        json.dumps([{"id": "x", "conversations": SHARED}]),
        json.dumps(TREE),
        json.dumps([TREE]),
        json.dumps({"messages": [{**one, "content": [{"type": "text", "text": one["content"]}]} for one in ASKED]}),
        "\ufeff" + json.dumps({"messages": ASKED}),
    ],
)
def test_one_conversation_of_each_kind(text: str, tmp_path: Path) -> None:
    file = tmp_path / "export"
    file.write_text(text, encoding="utf-8")
    (one,) = read_file(file)
    assert rows(one) == EXPECTED
    assert one.system == "Be brief."


def test_one_conversation_a_line() -> None:
    text = "\n".join([json.dumps({"messages": ASKED}), "", json.dumps({"conversations": SHARED}), ""])
    assert [rows(one) for one in read_text(text)] == [EXPECTED, EXPECTED]


def test_a_tree_keeps_its_branches_times_and_models() -> None:
    (one,) = read_text(json.dumps(TREE))
    assert (one.title, one.created, one.updated) == ("Camelids", 10.0, 30.0)
    assert {(said.content, said.parent is not None) for said in one.messages} == {
        ("Which is smallest?", False),
        ("Another.", True),
        ("The vicuña.", True),
    }
    assert one.branch()[0].created == 11
    assert one.branch()[1].model == "m-1"


def test_thinking_at_the_beginning_of_an_answer_is_no_part_of_it() -> None:
    for opening, closing in THINKING_TAGS:
        asked, told = f"{opening}x{closing}", f"\n{opening}\nwell\n{closing}\n\nyes {opening}"
        rows = [{"role": "user", "content": asked}, {"role": "assistant", "content": told}]
        (one,) = read_text(json.dumps(rows))
        question, answer = one.messages
        assert question.content == asked
        assert (answer.thinking, answer.content) == ("well", f"yes {opening}")


def test_tools_are_left_out() -> None:
    calls = [
        *ASKED[:2],
        {"role": "assistant", "content": None, "tool_calls": [{"id": 1}]},
        {"role": "tool", "content": "4 kg"},
        ASKED[2],
    ]
    assert rows(read_text(json.dumps({"messages": calls}))[0]) == EXPECTED


@st.composite
def trees(draw: st.DrawFn) -> Portable:
    """Any tree of messages."""
    text = st.text(max_size=20)
    messages = tuple(
        Said(
            role=draw(st.sampled_from(["user", "assistant"])),
            content=draw(text),
            parent=draw(st.none() | st.integers(0, at - 1)) if at else None,
            thinking=draw(text),
            model=draw(text),
            created=draw(st.none() | st.floats(0, 4e9)),
            cut=draw(st.booleans()),
        )
        for at in range(draw(st.integers(0, 5)))
    )
    leaf = draw(st.none() | st.integers(0, len(messages) - 1)) if messages else None
    return Portable(messages=messages, title=draw(text), system=draw(text), tags=tuple(draw(st.lists(text))), leaf=leaf)


@given(st.lists(trees(), max_size=3))
def test_our_own_document_comes_back_as_it_was(conversations: list[Portable]) -> None:
    assert list(read_text(document.write(conversations))) == conversations


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("hello", "no conversation that is known"),
        ("{}", "it is no conversation that is known"),
        ("[1]", "document.0. is not an object"),
        ('{"messages": [{"role": "wizard", "content": "x"}]}', "messages.0..role is not a role"),
        ('{"messages": [{"role": "user", "content": 3}]}', "messages.0..content is not a text"),
        ('{"a": 1}\n{"messages": []}', "line 1: it is no conversation"),
        ('{"messages": [{"role": "user", "content": "x"}]}\n{"messages"', "line 2"),
        ('{"puna_conversations": 9, "conversations": []}', "newer puna"),
        ('{"puna_conversations": 1}', "conversations is not a list"),
        (
            '{"puna_conversations": 1, "conversations": [{"messages": [{"role": "user", "parent": 0}]}]}',
            r"conversations.0..messages.0..parent is not a place before 0",
        ),
        ('{"mapping": {"a": 1}}', "mapping.a. is not an object"),
        ("[" * 200_000, "nested too deeply|no conversation"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ExchangeError, match=told):
        read_text(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match=r"missing.json cannot be read: no such file"):
        read_file(tmp_path / "missing.json")
    (tmp_path / "binary").write_bytes(b"{\xff\xfe")
    with pytest.raises(ExchangeError, match="binary is not text in UTF-8"):
        read_file(tmp_path / "binary")


def test_a_ring_of_nodes_ends() -> None:
    ring = {"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}}
    assert read_text(json.dumps(ring))[0].messages == ()
