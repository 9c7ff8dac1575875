"""Where an answer begins, with and without what there is of it already."""

from __future__ import annotations

from tui.engine.beginning import Beginning, beginning

PLAIN = "<|user|>\nHi\n<|assistant|>\n"
OPENED = f"{PLAIN}<think>\n"


def test_nothing_is_there_yet() -> None:
    assert beginning(PLAIN) == Beginning(PLAIN)
    assert beginning(OPENED) == Beginning(OPENED, "<think>")
    assert beginning(f"{PLAIN}[THINK]") == Beginning(f"{PLAIN}[THINK]", "[THINK]")


def test_an_answer_goes_on() -> None:
    assert beginning(PLAIN, answer="Once upon") == Beginning(f"{PLAIN}Once upon", begun=True)
    assert beginning(PLAIN, answer=" \n") == Beginning(f"{PLAIN} \n")


def test_thinking_is_closed_before_the_answer_that_goes_on() -> None:
    expected = Beginning(f"{PLAIN}<think>\nhm\n</think>\n\nOnce", begun=True)
    assert beginning(PLAIN, answer="Once", thinking="hm") == expected
    assert beginning(OPENED, answer="Once", thinking="hm") == expected


def test_thinking_goes_on() -> None:
    assert beginning(PLAIN, thinking="hm") == Beginning(f"{PLAIN}<think>\nhm", "<think>")
    assert beginning(f"{PLAIN}[THINK]", thinking="hm") == Beginning(f"{PLAIN}[THINK]hm", "[THINK]")


def test_an_answer_that_a_person_began_skips_thinking_that_the_template_opened() -> None:
    assert beginning(OPENED, answer="Once") == Beginning(f"{OPENED}\n</think>\n\nOnce", begun=True)
