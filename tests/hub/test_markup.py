"""Markdown from strangers made plain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tui.config.plain import clean
from tui.hub.markup import plain_markdown

RENDERER = MarkdownIt("gfm-like")
"""What the screen reads Markdown with."""
CASES = {
    "emphasis and tables stay": ("**a** _b_\n\n| x | y |\n|---|---|\n| 1 | 2 |", None),
    "tags": ("a <b>bold</b> <a href='http://x'>link</a><br>next", "a bold link  \nnext"),
    "blocks": ('<div align="center">\n    <p>text</p>\n</div>', "text"),
    "headings": ("<h2 id=x>Title</h2>", "## Title"),
    "lists": ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
    "a break in a table": ("| a<br/>b | c |", "| a b | c |"),
    "code tags": ("<code>x</code> <kbd>y</kbd>", "x y"),
    "comments": ("a <!-- b --> c <!-- d\n\ne --> f", "a  c \n\n f"),
    "a comment that goes on": ("a\n<!-- b\nc", "a"),
    "scripts": ("a <SCRIPT>alert('<!--')</script> b <style>p {}</style>c", "a  b c"),
    "pictures": ("![a cat](http://x/c.png) ![](http://x/d.png) ![e][f]", "a cat  e"),
    "pictures in HTML": ('<img src="http://x/c.png" alt="a cat"> <img src=x>', "a cat"),
    "badges": ("[![build](http://x/b.svg)](https://x.org/ci)[![](b)](c)", "[build](https://x.org/ci)"),
    "links to the web": ("[a](https://x.org/b_(c) 'title')", "[a](https://x.org/b_(c))"),
    "other links": ("[a](./b.md) [c](file:///etc/passwd) [d](javascript:alert(1)) [e](#f)", "a c d e"),
    "disguised links": ("[a](&#106;avascript:x) [b](<javascript:x>) [c](\thttps://x.org)", "a b [c](https://x.org)"),
    "references": ("[a][r] [b][s]\n\n[r]: https://x.org\n[s]: file:///x", "[a][r] [b][s]\n\n[r]: https://x.org"),
    "addresses": ("<https://x.org> <mailto:a@b.c>", "https://x.org &lt;mailto:a@b.c>"),
    "no HTML": ("vector<int> \\<think> a < b", "vector&lt;int> &lt;think> a < b"),
    "entities": ("&lt;b&gt; &amp;lt; &eacute;&nbsp;&copy; &nonsense; a&b", "&lt;b\\> &amp;lt; é © &nonsense; a&b"),
    "entities that would steer": ("&#27;[31m &#x202e;x &#10;y &amp;#8238;", " [31m  x  y &amp;#8238;"),
    "code is left": ("`<b>&lt;![x](y)` and ``<!-- `x` -->``", "`<b>&lt;![x](y)` and ``<!-- `x` -->``"),
    "blocks of code are left": ("```x\n<!-- a -->\n![x](y)\n```\n<b>c</b>", "```x\n<!-- a -->\n![x](y)\n```\nc"),
    "code with bars": ("`a | b` `c`", "\\`a | b\\` `c`"),
    "ticks without a match": ("a ` b `` c\n`d`", "a \\` b \\`\\` c\n`d`"),
    "fences in quotes": ("> ```\n> <b>\n> a\nb", "```\n<b>\na\n```\nb"),
    "longer fences": ("````\n```\n<b>\n````\n<b>a</b>", "````\n```\n<b>\n````\na"),
    "fences in lists": ("- a\n  ~~~\n  <b>\n  ~~~\n  <i>c</i>", "- a\n~~~\n  <b>\n~~~\nc"),
    "a fence that goes on": ("```\n<b>", "```\n<b>\n```"),
    "escapes": ("a\x1b[2J\x1b]0;t\x07b\x9b31m c\u202ed\u200b\x00", "ab cd"),
    "escapes in code": ("```\n\x1b[2Ja\x08\n```", "```\na\n```"),
    "line ends": ("a\r\nb\rc\n\n\n\n\nd", "a\nb\nc\n\nd"),
    "stand-ins of ours": ("\ue0000\ue001 `a`", "0 `a`"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "plain"), CASES.values(), ids=CASES.keys())
def test_what_is_left(text: str, plain: str | None) -> None:
    assert plain_markdown(text) == (plain if plain is not None else text)


parts = st.sampled_from(
    [
        *("<", ">", "<!--", "-->", "<b>", "</b>", "<script>", "</script>", "![", "[", "]", "](", ")", "(", "`", "```"),
        *("~~~", "\n", "\n\n", " ", "    ", "- ", "> ", "|", "&", "&#27;", "&#8238;", "&amp;", "\x1b[31m", "\u202e"),
        *("https://x.org", "file:///x", "javascript:", "word", "<img alt='", "'", '"', "\\", "[x]: ", "\t", "\x00"),
        *("\ue000", "1", "é", "<x:y>", "a:b", "#8238;", "<img src=x>", "\n|-|-|\n", "# ", "www.x.org"),
    ]
)


texts = st.lists(parts, max_size=24).map("".join) | st.text(max_size=100)


@settings(max_examples=200)
@given(texts)
def test_nothing_of_it_speaks_to_the_terminal(text: str) -> None:
    assert all(clean(line) == line for line in plain_markdown(text).split("\n"))


def tokens(found: Iterable[Token]) -> Iterator[Token]:
    for token in found:
        yield token
        yield from tokens(token.children or ())


@settings(max_examples=300)
@given(texts)
def test_a_renderer_finds_only_text_and_links_to_the_web(text: str) -> None:
    for token in tokens(RENDERER.parse(plain_markdown(text))):
        assert not token.type.startswith("html")
        assert token.type != "image"
        assert token.type != "link_open" or re.match("https?://|mailto:", str(token.attrs["href"]))
        assert token.type.startswith(("code", "fence")) or not re.search("[\u202e\x1b]", token.content)


@pytest.mark.parametrize(
    "part",
    [
        "<!--",
        "![",
        "[a](",
        "<a ",
        "[",
        "&a",
        "((",
        "` ",
        "``a`",
        "a\n\n",
        "```\n",
        "<br>",
        "<img alt=",
        "[a]:",
        "<!---->",
    ],
)
def test_a_long_text_of_nothing_but_beginnings_ends(part: str) -> None:
    """With a step in it that looks ahead from each beginning, this takes minutes."""
    plain_markdown(part * (200_000 // len(part)))
