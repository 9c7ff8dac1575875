"""The line of every key, held against texts whose lines are known and against tomllib's own reading."""

from __future__ import annotations

import textwrap
import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tests.config.patience import patient
from tui.config.toml_lines import KeyPath, Span, key_spans, keys_at


def lines(text: str) -> dict[KeyPath, int]:
    return {path: span.first for path, span in key_spans(textwrap.dedent(text).lstrip("\n")).items()}


def test_tables_keys_and_comments() -> None:
    assert lines("""
        # a comment with key = 1 and [table]
        top = 1
        [ui]  # the screen
        theme = "a # no comment"  # a comment

          mouse = true
        [ load . deeper ]
        n_ctx = 8192
    """) == {
        ("top",): 2,
        ("ui",): 3,
        ("ui", "theme"): 4,
        ("ui", "mouse"): 6,
        ("load",): 7,
        ("load", "deeper"): 7,
        ("load", "deeper", "n_ctx"): 8,
    }


def test_dotted_quoted_and_inline_keys() -> None:
    assert lines(r"""
        a . "b.c" . 'd' = 1
        a.e = { f = 2, "g\u0041" = [ 3, { h = 4 } ] }
    """) == {
        ("a",): 1,
        ("a", "b.c"): 1,
        ("a", "b.c", "d"): 1,
        ("a", "e"): 2,
        ("a", "e", "f"): 2,
        ("a", "e", "gA"): 2,
        ("a", "e", "gA", 0): 2,
        ("a", "e", "gA", 1): 2,
        ("a", "e", "gA", 1, "h"): 2,
    }


def test_values_over_several_lines() -> None:
    spans = key_spans(
        'text = """\nnot_a_key = 1\n[not_a_table]\n\\""" still"""""\n'
        "raw = '''\\\n'''\n"
        "list = [\n  'a', # comment ]\n  'b]'\n  ,\n]\nlast = 1979-05-27 07:32:00\n"
    )
    assert spans[("text",)] == Span(1, 4)
    assert spans[("raw",)] == Span(5, 6)
    assert spans[("list",)] == Span(7, 11)
    assert spans[("list", 0)] == Span(8, 8)
    assert spans[("list", 1)] == Span(9, 9)
    assert spans[("last",)] == Span(12, 12)
    assert len(spans) == 6


def test_arrays_of_tables_are_numbered() -> None:
    assert lines("""
        [[a]]
        x = 1
        [a.b]
        y = 1
        [[a]]
        [[a.c]]
        z = 1
    """) == {
        ("a",): 1,
        ("a", 0): 1,
        ("a", 0, "x"): 2,
        ("a", 0, "b"): 3,
        ("a", 0, "b", "y"): 4,
        ("a", 1): 5,
        ("a", 1, "c"): 6,
        ("a", 1, "c", 0): 6,
        ("a", 1, "c", 0, "z"): 7,
    }


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("[ui]\ntheme = nord\n", 2, ("ui", "theme")),
        ("[ui]\ntheme 'nord'\n", 2, ("ui", "theme")),
        ("[ui]\ntheme = 'nord\nmouse = true\n", 2, ("ui", "theme")),
        ("[library]\nfolders = [\n 'a',\n 'b'\n", 4, ("library", "folders", 1)),
        ("[ui\ntheme = 1\n", 1, ("ui",)),
    ],
)
def test_a_broken_text_still_tells_which_key_is_broken(text: str, line: int, key: KeyPath) -> None:
    assert keys_at(text, line)[-1][0] == key


def test_a_line_without_a_key_has_none() -> None:
    assert keys_at("[ui]\ntheme = 'a'\n# comment\n= 3\n", 4) == []
    assert keys_at("", 1) == []


def paths_of(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    """Every path that tomllib finds in a document."""
    found = {path} if path else set()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found |= paths_of(inner, (*path, key))
    return found


SCALARS = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(), st.dates(), st.times())
DOCUMENTS = st.dictionaries(
    st.text(),
    st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12),
)


@patient
@given(DOCUMENTS, st.booleans())
def test_every_key_that_tomllib_finds_is_found_and_no_other(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    assert set(key_spans(text)) == paths_of(tomllib.loads(text))


@patient
@given(DOCUMENTS)
def test_a_keys_lines_hold_its_value(document: dict[str, Any]) -> None:
    """Cut out of the text, the lines of a top-level key are a document that says the same of it."""
    text = tomli_w.dumps(document, multiline_strings=True)
    rows = text.split("\n")
    for path, span in key_spans(text).items():
        if len(path) == 1 and not rows[span.first - 1].startswith("["):
            alone = tomllib.loads("\n".join(rows[span.first - 1 : span.last]))
            assert repr(alone) == repr({path[0]: tomllib.loads(text)[str(path[0])]})


@patient
@given(st.text(alphabet=st.sampled_from(list("ab.=[]{}\"'#,\n\\ 1")), max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    spans = key_spans(text)
    rows = text.count("\n") + 1
    assert all(1 <= span.first <= span.last <= rows for span in spans.values())
    try:
        expected = paths_of(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return
    assert set(spans) == expected
