"""Text from outside: nothing that a terminal would obey is left, whichever form of it is asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.config.plain import blanked, clean, escaped, lines, one_line, piece

ANY_TEXT = st.text(st.characters(exclude_categories=()))
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
EVIL = "evil\x1b]0;pwned\x07\x1b[31m\x9b2J\u202e name"


@settings(deadline=None)
@given(ANY_TEXT)
def test_no_form_of_any_text_holds_what_a_terminal_obeys(text: str) -> None:
    for made in (clean(text), one_line(text), lines(text), blanked(text)):
        assert not OBEYED.search(made)
        made.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", piece(text))
    assert not re.search(r"[\r\n\t]", one_line(text))
    assert len(blanked(text)) == len(text)


@settings(deadline=None)
@given(ANY_TEXT)
def test_escaped_json_is_the_same_value_and_safe(text: str) -> None:
    made = escaped(json.dumps(text, ensure_ascii=False))
    assert not OBEYED.search(made)
    assert json.loads(made) == text


@pytest.mark.parametrize(
    ("made", "safe"),
    [
        (clean(EVIL), "evil name"),
        (one_line(" a\r\nb\tc\x0bd  e\u2028f "), "a b c d e f"),
        (lines("a\r\n\x1b[1mb\x1b[0m\n\tc"), "a\nb\n\tc"),
        (piece("half a sequence \x1b["), "half a sequence ["),
        (blanked("a\nb\x9bc"), "a b c"),
        (escaped('"\x9b\x7f\x85"'), '"\\u009b\\u007f\\u0085"'),
    ],
)
def test_forms(made: str, safe: str) -> None:
    assert made == safe


def test_many_openings_without_an_end_are_no_trap() -> None:
    assert clean("\x90" * 300_000 + "x") == "x"


def test_it_brings_nothing_but_the_regular_expressions() -> None:
    before = "import __future__, re, sys; had = set(sys.modules)"
    code = f"{before}; import tui.config.plain; print(*set(sys.modules) - had)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= {"tui", "tui.config", "tui.config.plain"}
