"""What stands over and under a stored answer, and on the line that tells how full the context is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.app.panels.chat.state import Ready
from tui.app.panels.chat.status import forecasts
from tui.app.panels.chat.stored import answer_note, transcribed
from tui.app.text import named
from tui.chat.values import Message

TOOK = {"completion_tokens": 3, "decode_tok_s": 20.0}
ANSWER = Message(2, 1, 1, "assistant", "hi", "", "m", 0.0, "done", "eog", TOOK)


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (ANSWER, "3 tokens, 20 tok/s"),
        (replace(ANSWER, state="cut", reason="cancelled"), "stopped, 3 tokens, 20 tok/s"),
        (replace(ANSWER, state="cut", reason=None, timings={}), "cut off when puna ended"),
        (replace(ANSWER, reason=None, timings={}), ""),
        (replace(ANSWER, state="streaming", reason="cancelled"), "being written in another window"),
    ],
)
def test_why_an_answer_ended_is_said_where_it_is_known(answer: Message, note: str) -> None:
    assert answer_note(answer) == note


def test_an_answer_of_an_unknown_model_has_a_name_all_the_same() -> None:
    assert transcribed(replace(ANSWER, model="")).label == "assistant"


def test_how_long_the_context_lasts_has_words_for_narrow_panes_too() -> None:
    assert forecasts(Ready(300, 8192, more_turns=74), "·") == (" · about 74 more turns", " · 74 more turns")
    assert forecasts(Ready(8000, 8192, more_turns=0), "·")[0] == " · full at the next turn"
    assert forecasts(Ready(300, 8192, writing=9000, more_turns=74), "·")[0] == " · too much to be sent"
    assert forecasts(Ready(0, 8192, more_turns=74), "·") == ()


def test_a_quantization_stands_once_in_a_name() -> None:
    assert [named("m", None), named("m", "Q4_K_M"), named("m.q4_k_m", "Q4_K_M")] == ["m", "m Q4_K_M", "m.q4_k_m"]
