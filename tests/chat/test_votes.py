"""Votes in the history: kept, counted by model and use case, and independent of what becomes of the answers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat.rig import Clock
from tui.app.flows.votes import table
from tui.chat.store import Store
from tui.chat.values import Message
from tui.chat.votes import LONG_PROMPT, Standing, Vote, use_case_of


def a_vote(left: str, right: str, winner: str, pair: tuple[int, int] = (1, 2), use_case: str = "chat") -> Vote:
    return Vote(use_case, left, right, *pair, winner, False)  # type: ignore[arg-type]


def test_wins_losses_and_ties_are_counted_by_model_and_use_case(store: Store) -> None:
    store.vote(a_vote("a", "b", "left", (1, 2)))
    store.vote(a_vote("b", "a", "right", (3, 4)))
    store.vote(a_vote("a", "c", "tie", (5, 6), "code"))
    assert store.standings() == (
        Standing("a", "chat", 2, 0, 0),
        Standing("a", "code", 0, 0, 1),
        Standing("b", "chat", 0, 2, 0),
        Standing("c", "code", 0, 0, 1),
    )


def test_a_second_vote_about_the_same_answers_takes_the_place_of_the_first(store: Store) -> None:
    store.vote(a_vote("a", "b", "left", (1, 2)))
    store.vote(a_vote("b", "a", "left", (2, 1)))
    assert store.standings() == (Standing("b", "chat", 1, 0, 0), Standing("a", "chat", 0, 1, 0))


def test_a_model_against_itself_says_nothing_about_models(store: Store) -> None:
    store.vote(a_vote("a", "a", "left"))
    assert store.standings() == ()
    assert store.votes_alike() == 1
    assert "1 vote between two answers of one model" in table((), 1).plain
    store.vote(a_vote("a", "b", "left", (3, 4)))
    assert store.votes_alike() == 1


def test_votes_outlive_what_they_were_about(store: Store, clock: Clock) -> None:
    conversation = store.create_conversation()
    question = store.add_message(conversation.id, None, "user", "?")
    answer = store.add_message(conversation.id, question.id, "assistant", "!")
    store.vote(a_vote("a", "b", "left", (answer.id, answer.id + 1)))
    store.delete(conversation.id)
    clock.now += 10
    assert store.purge() == 1
    assert len(store.standings()) == 2


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 2, st.sampled_from(["left", "right", "tie"])), max_size=12))
def test_every_vote_counts_once_on_each_side(votes: list[tuple[str, str, str]]) -> None:
    store = Store(None)
    for number, (left, right, winner) in enumerate(votes):
        store.vote(a_vote(left, right, winner, (2 * number, 2 * number + 1)))
    found, fair = store.standings(), [vote for vote in votes if vote[0] != vote[1]]
    assert sum(one.wins for one in found) == sum(one.losses for one in found) == sum(v[2] != "tie" for v in fair)
    assert sum(one.ties for one in found) == 2 * sum(vote[2] == "tie" for vote in fair)
    store.close()


def said(content: str = "", thinking: str = "") -> Message:
    return Message(1, 1, None, "assistant", content, thinking, "", 0.0, "done", None)


def test_what_a_prompt_was_for_follows_from_it_and_its_answers() -> None:
    assert use_case_of("Hi", (said("Hello"), said("Hi"))) == "chat"
    assert use_case_of("Sort", (said("```\nx\n```"), said("x"))) == "code"
    assert use_case_of("Why", (said("so", "hm"), said("so"))) == "reasoning"
    assert use_case_of("x" * LONG_PROMPT, (said("so"), said("so"))) == "summarising"


def test_a_branch_is_copied_as_it_is_shown(store: Store) -> None:
    conversation = store.create_conversation(system="Be brief.")
    question = store.add_message(conversation.id, None, "user", "One?")
    store.add_message(conversation.id, question.id, "assistant", "old", model="m")
    store.add_message(conversation.id, question.id, "assistant", "new", model="m", thinking="hm", reason="length")
    copy = store.copy_branch(conversation.id)
    assert (copy.title, copy.system) == ("One?", "Be brief.")
    assert [(one.role, one.content, one.thinking, one.model, one.reason) for one in store.thread(copy.id)] == [
        ("user", "One?", "", "", None),
        ("assistant", "new", "hm", "m", "length"),
    ]
    store.add_message(copy.id, store.thread(copy.id)[-1].id, "user", "Two?")
    assert len(store.thread(conversation.id)) == 2
