"""How much of a context a conversation takes, and what goes when it is too much."""

from __future__ import annotations

from tui.chat.budget import (
    Oldest,
    answer_room,
    forecast,
    last_left_out,
    sent_part,
    turn_sizes,
    turns_to_drop,
    will_fit,
)
from tui.chat.values import Message


def branch(*used: int | None) -> list[Message]:
    """Turns after which so much of the context was used; None where nothing was measured."""
    path: list[Message] = []
    for tokens in used:
        asked = len(path) + 1
        path.append(Message(asked, 1, None, "user", "q" * 40, "", "", 0.0, "done", None))
        timings = {} if tokens is None else {"n_ctx_used": tokens}
        path.append(Message(asked + 1, 1, asked, "assistant", "a" * 360, "", "m", 0.0, "done", "eog", timings))
    return path


def test_turns_take_what_was_measured() -> None:
    sizes = turn_sizes(branch(150, 250, 400))
    assert [(turn.first_id, turn.tokens) for turn in sizes] == [(1, 150), (3, 100), (5, 150)]
    assert all(turn.measured for turn in sizes)


def test_what_was_not_measured_is_reckoned_from_letters() -> None:
    sizes = turn_sizes(branch(150, None, 300))
    assert [(turn.tokens, turn.measured) for turn in sizes] == [(150, True), (100, False), (50, True)]
    assert [turn.tokens for turn in turn_sizes(branch(500, 200))] == [500, 100], "a smaller context after a new start"


def test_the_forecast_goes_by_the_last_turns_and_not_by_the_first() -> None:
    assert forecast([], 0, 4096) is None
    assert forecast(branch(1000), 1000, 4000) == 3
    assert forecast(branch(1000, 1100, 1200), 1200, 2200) == 10
    assert forecast(branch(1000, 1100), 2300, 2200) == 0


def test_an_answer_needs_room() -> None:
    assert (answer_room(512), answer_room(8192)) == (64, 256)
    assert will_fit(256, 512)
    assert will_fit(448, 512)
    assert not will_fit(449, 512)


def test_so_many_of_the_oldest_turns_go_that_a_quarter_is_free() -> None:
    path = branch(300, 600, 900, 1000)
    assert turns_to_drop(path, 700, 0, 1024).turns == 0
    assert turns_to_drop(path, 1000, 0, 1024).turns == 1
    assert turns_to_drop(path, 1200, 200, 1024).turns == 2
    assert turns_to_drop(path, 1024, 896, 1024).turns == 4, "a quarter cannot be made free"


def test_what_was_reckoned_is_corrected_by_what_was_counted() -> None:
    path = branch(None, None, None, None)  # 100 tokens each, as far as letters tell
    assert turns_to_drop(path, 400, 0, 400).turns == 1
    assert turns_to_drop(path, 4000, 0, 3400).turns == 2
    assert turns_to_drop(path, 4000, 400, 1400) == Oldest(4, 3600)


def test_nothing_is_dropped_where_the_prompt_alone_is_too_long() -> None:
    assert turns_to_drop(branch(300, 600), 5000, 4400, 1024).turns == 0
    assert turns_to_drop([], 5000, 10, 1024).turns == 0


def test_what_is_sent_follows_a_message_of_this_branch() -> None:
    path = branch(1, 2, 3)
    assert [message.id for message in sent_part(path, 2)] == [3, 4, 5, 6]
    assert list(sent_part(path, None)) == list(sent_part(path, 99)) == path
    assert list(sent_part(path, 6)) == []


def test_a_question_without_an_answer_is_never_left_out() -> None:
    path = branch(300, 600)
    assert [last_left_out(path, turns) for turns in (0, 1, 2, 3)] == [None, 2, 4, 4]
    asked = [*path, Message(5, 1, 4, "user", "more?", "", "", 0.0, "done", None)]
    assert [last_left_out(asked, turns) for turns in (1, 2, 3)] == [2, 4, 4]
    assert last_left_out([], 3) is None
    failed = [*asked, Message(6, 1, 5, "assistant", "", "", "m", 0.0, "cut", "failed")]
    assert last_left_out(failed, 3) == 4
    assert len(turn_sizes(failed)) == 2
