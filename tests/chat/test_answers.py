"""The life of an answer in the history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chat.rig import assert_sound, values
from tui.chat.errors import StoreError
from tui.chat.store import Store
from tui.chat.values import Message
from tui.engine.protocol import DoneReason


@pytest.fixture
def question(store: Store) -> Message:
    return store.add_message(store.create_conversation().id, None, "user", "Why?")


def test_text_is_readable_while_it_streams(store: Store, question: Message, open_store: Callable[[], Store]) -> None:
    answer = store.begin_answer(question.id, "m")
    assert (answer.state, answer.content, answer.parent_id) == ("streaming", "", question.id)
    store.append_pieces(answer.id, [("thinking", "so "), ("answer", "Because"), ("thinking", "far")])
    store.append(answer.id, " of")
    for reader in (store, open_store()):
        seen = reader.thread(question.conversation_id)[-1]
        assert (seen.state, seen.content, seen.thinking) == ("streaming", "Because of", "so far")


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("eog", "done"),
        ("stop", "done"),
        ("length", "done"),
        ("context", "done"),
        ("cancelled", "cut"),
        ("failed", "cut"),
    ],
)
def test_how_an_answer_ended_is_kept(store: Store, question: Message, reason: DoneReason, state: str) -> None:
    answer = store.begin_answer(question.id)
    store.append(answer.id, "text")
    store.finish(answer.id, reason, error="what happened")
    kept = store.message(answer.id)
    assert (kept.state, kept.reason, kept.error, kept.content) == (state, reason, "what happened", "text")


def test_streaming_adds_rows_and_leaves_message_and_index_alone(store: Store, question: Message, history: Path) -> None:
    answer = store.begin_answer(question.id)
    for number in range(50):
        store.append(answer.id, f"word{number} ")
    assert values(history, f"SELECT content FROM messages WHERE id = {answer.id}") == [("",)]
    assert values(history, "SELECT count(*) FROM chunks") == [(50,)]
    assert store.search("word7") == ()
    store.finish(answer.id, "eog")
    assert values(history, "SELECT count(*) FROM chunks") == [(0,)]
    assert [hit.message_id for hit in store.search("word7")] == [answer.id]
    assert_sound(history)


def test_a_finished_answer_takes_no_more_text(store: Store, question: Message) -> None:
    answer = store.begin_answer(question.id)
    store.finish(answer.id, "eog")
    with pytest.raises(StoreError, match="ended already"):
        store.append(answer.id, "more")


def test_a_cut_answer_can_be_continued(store: Store, question: Message, history: Path) -> None:
    answer = store.begin_answer(question.id)
    store.append_pieces(answer.id, [("thinking", "hm"), ("answer", "The first half")])
    store.finish(answer.id, "failed", error="the engine stopped")
    resumed = store.resume_answer(answer.id)
    assert (resumed.state, resumed.content, resumed.error) == ("streaming", "The first half", "")
    store.append(answer.id, " and the second")
    assert store.message(answer.id).content == "The first half and the second"
    store.finish(answer.id, "eog")
    kept = store.message(answer.id)
    assert (kept.state, kept.content, kept.thinking) == ("done", "The first half and the second", "hm")
    assert [hit.message_id for hit in store.search("second half")] == [answer.id]
    assert_sound(history)


def test_only_answers_can_be_continued(store: Store, question: Message) -> None:
    with pytest.raises(StoreError, match="not an answer"):
        store.resume_answer(question.id)


def test_closing_cuts_what_still_streams(store: Store, question: Message, open_store: Callable[[], Store]) -> None:
    answer = store.begin_answer(question.id)
    store.append(answer.id, "so far")
    store.close()
    again = open_store()
    kept = again.message(answer.id)
    assert (kept.state, kept.content, kept.reason) == ("cut", "so far", None)
    assert again.report.recovered == ()


def test_an_answer_that_another_store_streams_is_left_to_it(
    store: Store, question: Message, open_store: Callable[[], Store]
) -> None:
    answer = store.begin_answer(question.id)
    store.append(answer.id, "mine ")
    other = open_store()
    assert other.report.recovered == ()
    for refused in (lambda: other.append(answer.id, "x"), lambda: other.resume_answer(answer.id)):
        with pytest.raises(StoreError) as caught:
            refused()
        assert caught.value.kind == "busy"
    store.append(answer.id, "alone")
    store.finish(answer.id, "eog")
    assert other.message(answer.id).content == "mine alone"


def test_an_answer_cut_by_mistake_is_taken_back_without_a_gap(
    store: Store, question: Message, open_store: Callable[[], Store], history: Path
) -> None:
    answer = store.begin_answer(question.id)
    store.append(answer.id, "one ")
    for lock in (history.parent / "history.db.owners").iterdir():
        lock.unlink()  # as a tidying person would
    other = open_store()
    assert other.report.recovered == (answer.id,)
    assert other.message(answer.id).state == "cut"
    store.append(answer.id, "two ")
    store.finish(answer.id, "eog", rest=[("answer", "three")])
    assert store.message(answer.id).content == "one two three"
    assert store.message(answer.id).state == "done"


def test_no_lock_files_stay_behind(store: Store, question: Message, history: Path) -> None:
    folder = history.parent / "history.db.owners"
    store.begin_answer(question.id)
    assert len(list(folder.iterdir())) == 1
    store.close()
    assert list(folder.iterdir()) == []
