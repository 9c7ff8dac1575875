"""Conversations and messages go into the history and come back."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chat.rig import Clock, assert_sound
from tui.chat.errors import StoreError
from tui.chat.store import Store
from tui.chat.values import Message


def test_a_conversation_survives_closing(open_store: Callable[[], Store], clock: Clock) -> None:
    store = open_store()
    conversation = store.create_conversation(system="Be brief.")
    question = store.add_message(conversation.id, None, "user", "Name three rivers.")
    clock.now += 5
    answer = store.begin_answer(question.id, "smollm2-demo")
    store.append(answer.id, "hm, rivers", "thinking")
    store.append(answer.id, "Inn, ")
    store.append(answer.id, "Po, Rhine")
    store.finish(answer.id, "eog", {"decode_tok_s": 40.5, "ttft_s": None, "rate": float("inf")}, rest=[("answer", ".")])
    store.close()

    again = open_store()
    (found,) = again.conversations()
    assert (found.title, found.system, found.model) == ("Name three rivers.", "Be brief.", "smollm2-demo")
    assert (found.created, found.updated, found.message_count) == (1_000_000.0, 1_000_005.0, 2)
    asked, answered = again.thread(found.id)
    assert (asked.role, asked.content, asked.state, asked.parent_id) == ("user", "Name three rivers.", "done", None)
    assert (answered.content, answered.thinking) == ("Inn, Po, Rhine.", "hm, rivers")
    assert (answered.state, answered.reason, answered.model) == ("done", "eog", "smollm2-demo")
    assert answered.timings == {"decode_tok_s": 40.5, "ttft_s": None, "rate": None}
    assert answered.created == 1_000_005.0
    assert found.leaf_id == answered.id


def ids(messages: tuple[Message, ...]) -> tuple[int, ...]:
    return tuple(message.id for message in messages)


def test_an_edit_and_a_second_answer_are_new_versions(store: Store) -> None:
    conversation = store.create_conversation()
    first = store.add_message(conversation.id, None, "user", "Hello")
    answer = store.add_message(conversation.id, first.id, "assistant", "Hi")
    other = store.add_message(conversation.id, first.id, "assistant", "Good day")
    edited = store.add_message(conversation.id, None, "user", "Hello again")
    assert [m.content for m in store.children(conversation.id, None)] == ["Hello", "Hello again"]
    assert [m.content for m in store.children(conversation.id, first.id)] == ["Hi", "Good day"]
    assert ids(store.thread(conversation.id)) == (edited.id,)
    assert store.tree(conversation.id).siblings(answer.id) == (answer.id, other.id)

    assert store.select(first.id).leaf_id == other.id
    assert ids(store.thread(conversation.id)) == (first.id, other.id)
    assert store.select(answer.id).leaf_id == answer.id
    assert ids(store.thread(conversation.id)) == (first.id, answer.id)
    assert ids(store.thread(conversation.id, edited.id)) == (edited.id,)
    assert [(one.version, one.versions) for one in store.thread(conversation.id)] == [(1, 2), (1, 2)]


def test_the_list_has_the_latest_change_first(store: Store, clock: Clock) -> None:
    ids = []
    for name in ("one", "two", "three"):
        clock.now += 1
        ids.append(store.create_conversation(title=name).id)
    clock.now += 1
    store.add_message(ids[0], None, "user", "again")
    assert [c.title for c in store.conversations()] == ["one", "three", "two"]
    assert [c.title for c in store.conversations(limit=2)] == ["one", "three"]


def test_a_title_given_by_hand_stays_and_an_empty_one_brings_back_the_first_words(store: Store) -> None:
    conversation = store.create_conversation()
    store.add_message(conversation.id, None, "user", "What is a llama?")
    assert store.rename(conversation.id, " Animals\n ").title == "Animals"
    store.add_message(conversation.id, None, "user", "And a vicuña?")
    assert store.conversation(conversation.id).title == "Animals"
    assert store.rename(conversation.id, "").title == "What is a llama?"


def test_deleting_can_be_undone_until_it_is_purged(store: Store, clock: Clock, history: Path) -> None:
    kept, dropped = store.create_conversation(title="kept"), store.create_conversation(title="dropped")
    question = store.add_message(dropped.id, None, "user", "A question about alpacas")
    store.begin_answer(question.id)
    store.append(question.id + 1, "an answer that streams")
    store.delete(dropped.id)
    assert [c.title for c in store.conversations()] == ["kept"]
    assert [c.title for c in store.deleted()] == ["dropped"]
    assert store.search("alpacas") == ()

    assert store.restore(dropped.id).deleted is None
    assert {c.title for c in store.conversations()} == {"kept", "dropped"}
    assert [hit.message_id for hit in store.search("alpacas")] == [question.id]

    store.delete(dropped.id)
    clock.now += 60
    store.delete(dropped.id)
    assert store.deleted()[0].deleted == clock.now - 60, "deleting twice does not start the time anew"
    assert store.purge(older_than_s=61) == 0
    assert store.purge(older_than_s=60) == 1
    assert store.deleted() == ()
    with pytest.raises(StoreError, match="no conversation"):
        store.restore(dropped.id)
    assert [c.id for c in store.conversations()] == [kept.id]
    assert_sound(history)


def test_a_purged_number_is_not_given_again(store: Store) -> None:
    conversation = store.create_conversation()
    message = store.add_message(conversation.id, None, "user", "gone")
    store.delete(conversation.id)
    store.purge()
    fresh = store.create_conversation()
    assert fresh.id != conversation.id
    assert store.add_message(fresh.id, None, "user", "new").id != message.id


def test_a_long_chain_can_be_read_and_purged(store: Store, history: Path) -> None:
    conversation = store.create_conversation()
    last: int | None = None
    with store.transaction():
        for number in range(1500):
            last = store.add_message(conversation.id, last, "user", f"message {number}").id
    assert len(store.thread(conversation.id)) == 1500
    store.delete(conversation.id)
    assert store.purge() == 1
    assert_sound(history)


def test_a_message_behind_one_of_another_conversation_is_refused(store: Store, history: Path) -> None:
    one, two = store.create_conversation(), store.create_conversation()
    foreign = store.add_message(one.id, None, "user", "in one")
    with pytest.raises(StoreError) as caught:
        store.add_message(two.id, foreign.id, "user", "in two")
    assert caught.value.kind == "missing"
    assert store.thread(two.id) == ()
    assert store.conversation(two.id).title == ""
    with pytest.raises(StoreError, match="no message"):
        store.thread(two.id, foreign.id)
    assert_sound(history)


@pytest.mark.parametrize("number", [0, -1, 99, 1 << 70])
def test_numbers_that_are_not_there_are_told(store: Store, number: int) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.conversation(number),
        lambda: store.thread(number),
        lambda: store.rename(number, "x"),
        lambda: store.set_system(number, "x"),
        lambda: store.delete(number),
        lambda: store.restore(number),
        lambda: store.message(number),
        lambda: store.select(number),
        lambda: store.begin_answer(number),
        lambda: store.resume_answer(number),
        lambda: store.append(number, "text"),
        lambda: store.finish(number, "eog"),
        lambda: store.add_message(number, None, "user", "text"),
    ]
    for call in calls:
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.kind == "missing"


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(StoreError, match="no conversation 99"), store.transaction():
        store.rename(store.create_conversation(title="half done").id + 98, "x")
    assert store.conversations() == ()


@pytest.mark.parametrize(
    "text",
    ["a\0b", "a\udcffb", "\x1b[31m", "🦙" * 1000, "x" * 1_000_000],
    ids=["nul", "surrogate", "escape", "llamas", "1 MB"],
)
def test_odd_text_is_kept(store: Store, text: str) -> None:
    conversation = store.create_conversation(title=text, system=text)
    message = store.add_message(conversation.id, None, "user", text, model=text)
    expected = text.replace("\udcff", "\ufffd")
    assert store.message(message.id).content == expected
    assert store.conversation(conversation.id).system == expected


def test_other_people_cannot_read_the_history(store: Store, history: Path) -> None:
    store.create_conversation()
    for file in (history, *history.parent.glob("history.db-*")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.parent.stat().st_mode) == 0o700


def test_a_history_in_memory_works_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(None)
    conversation = store.create_conversation()
    question = store.add_message(conversation.id, None, "user", "Is this kept?")
    answer = store.begin_answer(question.id)
    store.append(answer.id, "No.")
    store.finish(answer.id, "eog")
    assert [m.content for m in store.thread(conversation.id)] == ["Is this kept?", "No."]
    assert len(store.search("kept")) == 2
    store.close()
    assert list(tmp_path.iterdir()) == []
