"""Conversations as Markdown: what is written reads well and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.chat.exchange import markdown
from tui.chat.exchange.files import read_text
from tui.chat.exchange.values import ExchangeError, Portable, Said

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=60)
NASTY = st.sampled_from(
    [
        "",
        "## You",
        "---",
        '<!-- puna: user "" 1.0 -->',
        '\\<!-- puna: user "" 1.0 -->',
        "```\n<!-- puna: answer -->\n```",
        "\n\n</details>\n<!-- puna: answer -->\n\n",
        "<details><summary>Thinking</summary>\n<!-- puna: thinking -->\n\n",
        "line\n",
        "\nline",
        "a -- b --> c",
    ]
)
TIMES = st.none() | st.floats(0, 4e9)


@st.composite
def conversations(draw: st.DrawFn) -> Portable:
    """One branch, with texts that look like what stands between messages."""
    words = TEXT | NASTY
    messages = tuple(
        Said(
            role=draw(st.sampled_from(["user", "assistant", "system"])),
            content=draw(words),
            parent=at - 1 if at else None,
            thinking=draw(words),
            model=draw(words),
            created=draw(TIMES),
            cut=draw(st.booleans()),
        )
        for at in range(draw(st.integers(0, 4)))
    )
    return Portable(
        messages=messages,
        title=draw(words),
        system=draw(words),
        model=draw(words),
        created=draw(TIMES),
        updated=draw(TIMES),
        tags=tuple(draw(st.lists(TEXT.filter(bool), max_size=3))),
    )


def test_it_reads_well() -> None:
    one = Portable(
        messages=(
            Said(role="user", content="Which is smallest?", parent=None, created=1.5),
            Said(
                role="assistant", content="The vicuña.", parent=0, model="m:Q4", created=2.5, thinking="hm", cut=True
            ),
        ),
        title='Camelids: "which"',
        system="Be brief.",
        tags=("zoo",),
    )  # fmt: skip
    assert markdown.write(one) == (
        '---\npuna: conversation\ntitle: "Camelids: \\"which\\""\ntags: ["zoo"]\nsystem: "Be brief."\n---\n'
        '\n<!-- puna: user "" 1.5 -->\n## You\n\nWhich is smallest?\n'
        '\n<!-- puna: assistant "m:Q4" 2.5 cut -->\n## m:Q4\n\n'
        "<details><summary>Thinking</summary>\n<!-- puna: thinking -->\n\nhm\n\n</details>\n<!-- puna: answer -->\n\n"
        "The vicuña.\n"
    )


@given(conversations())
@example(Portable(messages=(Said(role="assistant", content="x", parent=None, thinking="\n\n</details>\n"),)))
def test_it_comes_back_as_it_was(one: Portable) -> None:
    text = markdown.write(one)
    back = markdown.read(text)
    assert back.messages == one.messages
    assert (back.title, back.system, back.model, back.tags) == (one.title, one.system, one.model, one.tags)
    assert (back.created or None, back.updated or None) == (one.created or None, one.updated or None)


def test_only_the_branch_that_is_shown_is_written() -> None:
    one = Portable(
        messages=(
            Said(role="user", content="question", parent=None),
            Said(role="assistant", content="first", parent=0),
            Said(role="assistant", content="second", parent=0),
        ),
        leaf=1,
    )
    assert [said.content for said in markdown.read(markdown.write(one)).messages] == ["question", "first"]


def test_edited_by_hand_it_is_still_read() -> None:
    text = '---\npuna: conversation\ntitle: Camelids\n---\n<!-- puna: user "" unknown -->\nWhich?\nReally.\n'
    (one,) = read_text(text.replace("\n", "\r\n"))
    assert one.title == "Camelids"
    assert [(said.role, said.content) for said in one.messages] == [("user", "Which?\nReally.")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("---\npuna: conversation\n", "not closed"),
        ("---\npuna: conversation\n---\nwords\n", "no message is marked"),
        ("---\npuna: conversation\ntags: one\n---\n", "line 3: tags"),
        ('---\npuna: conversation\n---\n<!-- puna: user "" 1-2 -->\n## You\n\nhi\n', "not a time"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str) -> None:
    with pytest.raises(ExchangeError, match=told):
        read_text(text)
