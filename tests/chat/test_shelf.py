"""Conversations kept in order, and messages that are deleted and come back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chat.rig import Clock, assert_sound, values
from tui.chat.errors import StoreError
from tui.chat.shelf import TAG_CHARS
from tui.chat.store import Store
from tui.chat.values import Message


def talk(store: Store, *texts: str) -> list[Message]:
    """A conversation of one branch; its messages."""
    conversation = store.create_conversation()
    messages: list[Message] = []
    for number, text in enumerate(texts):
        parent = messages[-1].id if messages else None
        messages.append(
            store.add_message(conversation.id, parent, "assistant" if number % 2 else "user", text, model="m")
        )
    return messages


def titles(store: Store, **wanted: str) -> list[str]:
    return [conversation.title for conversation in store.conversations(**wanted)]  # type: ignore[arg-type]


def test_pinned_ones_stay_on_top_and_archived_ones_leave_the_list(store: Store, clock: Clock) -> None:
    for text in ("alpaca", "guanaco", "vicuña"):
        clock.now += 1
        talk(store, text)
    alpaca, guanaco = (store.search(text)[0].conversation_id for text in ("alpaca", "guanaco"))
    assert store.pin(alpaca).pinned == clock.now
    assert store.archive(guanaco).archived == clock.now
    assert titles(store) == ["alpaca", "vicuña"]
    assert titles(store, which="archived") == ["guanaco"]
    assert titles(store, which="kept") == ["alpaca", "vicuña", "guanaco"]
    assert store.search("guanaco"), "an archived conversation is still found"
    store.pin(alpaca, pinned=False)
    store.archive(guanaco, archived=False)
    assert titles(store) == ["vicuña", "guanaco", "alpaca"]


def test_tags_are_set_whole_counted_and_ask_for_their_conversations(store: Store) -> None:
    first, second = talk(store, "first")[0].conversation_id, talk(store, "second")[0].conversation_id
    assert store.set_tags(first, ["work", " two\nlines ", "a,b", "", "work"]).tags == ("a b", "two lines", "work")
    store.set_tags(second, ["work", "x" * 100])
    assert titles(store, tag="work") == ["second", "first"]
    assert store.tags() == (("a b", 1), ("two lines", 1), ("work", 2), ("x" * TAG_CHARS, 1))
    store.set_tags(first, ["later"])
    assert titles(store, tag="work") == ["second"]
    store.delete(second)
    assert store.tags() == (("later", 1),)
    with pytest.raises(StoreError, match="no conversation 99"):
        store.set_tags(99, ["work"])


def test_a_draft_is_kept_for_its_conversation(open_store: Callable[[], Store]) -> None:
    store = open_store()
    conversation_id = talk(store, "question")[0].conversation_id
    assert store.draft(conversation_id) == ""
    store.set_draft(conversation_id, "half a\nthought")
    store.close()
    assert open_store().draft(conversation_id) == "half a\nthought"
    with pytest.raises(StoreError, match="no conversation"):
        open_store().draft(99)


def test_a_deleted_message_goes_with_all_that_follows_and_comes_back(store: Store) -> None:
    question, answer, more, last = talk(store, "question", "answer", "more", "last")
    conversation_id = question.conversation_id
    assert store.delete_message(more.id).leaf_id == answer.id
    assert [message.content for message in store.thread(conversation_id)] == ["question", "answer"]
    assert store.children(conversation_id, answer.id) == ()
    assert store.tree(conversation_id).below(question.id) == (question.id, answer.id)
    assert store.conversation(conversation_id).message_count == 2
    assert store.search("last") == ()
    store.restore_message(more.id)
    assert [message.id for message in store.thread(conversation_id)] == [question.id, answer.id, more.id, last.id]
    assert [hit.message_id for hit in store.search("last")] == [last.id]


def test_each_deletion_is_taken_back_by_itself(store: Store) -> None:
    question, answer, more = talk(store, "question", "answer", "more")
    other = store.add_message(question.conversation_id, question.id, "assistant", "another answer")
    store.delete_message(more.id)
    store.delete_message(other.id)  # in the same moment: the clock stands still
    store.restore_message(other.id)
    assert {*store.tree(question.conversation_id).parents} == {question.id, answer.id, other.id}
    store.delete_message(answer.id)
    store.restore_message(more.id)
    assert [message.id for message in store.thread(question.conversation_id)] == [question.id, answer.id, more.id]


def test_a_version_that_is_left_is_shown_in_place_of_a_deleted_one(store: Store) -> None:
    question, _ = talk(store, "question", "answer")
    again = store.add_message(question.conversation_id, question.id, "assistant", "again")
    deeper = store.add_message(question.conversation_id, again.id, "user", "deeper")
    third = store.add_message(question.conversation_id, question.id, "assistant", "third")
    assert store.delete_message(third.id).leaf_id == deeper.id
    assert store.delete_message(question.id).leaf_id is None
    assert store.thread(question.conversation_id) == ()


def test_nothing_follows_a_deleted_message_and_a_streaming_one_is_not_deleted(store: Store) -> None:
    question, answer = talk(store, "question", "answer")
    streaming = store.begin_answer(question.id)
    with pytest.raises(StoreError, match="being written"):
        store.delete_message(question.id)
    store.finish(streaming.id, "eog")
    store.delete_message(answer.id)
    with pytest.raises(StoreError, match="was deleted"):
        store.add_message(question.conversation_id, answer.id, "user", "and then?")


def test_purging_takes_single_messages_too(store: Store, history: Path, clock: Clock) -> None:
    question, answer, more = talk(store, "question", "answer", "more")
    store.set_tags(question.conversation_id, ["kept"])
    store.delete_message(answer.id)
    gone = talk(store, "gone")[0].conversation_id
    store.set_tags(gone, ["gone"])
    store.delete(gone)
    assert store.purge(older_than_s=1.0) == 0
    clock.now += 2
    assert store.purge(older_than_s=1.0) == 1
    assert values(history, "SELECT id FROM messages") == [(question.id,)]
    assert values(history, "SELECT tag FROM tags") == [("kept",)]
    with pytest.raises(StoreError, match=f"no message {more.id}"):
        store.restore_message(more.id)
    store.close()
    assert_sound(history)
