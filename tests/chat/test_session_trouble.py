"""What a session does when the engine fails, or the store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chat.rig import assert_sound, values
from tests.chat.scripted import GREEDY, Ears, Gate, ScriptedEngine, Step
from tui.chat.errors import StoreError, TurnError
from tui.chat.events import AnswerEnded, SessionEvent, StoreHealed, StoreTrouble, UserStored
from tui.chat.session import ChatSession
from tui.chat.store import Store
from tui.chat.thread import AsyncStore
from tui.engine.errors import EngineDied, EngineError
from tui.engine.protocol import Delta

DIED = EngineDied("writing the answer", -9, "killed (SIGKILL)", ())
FAILED = EngineError("context", "the prompt has 900 tokens, but the context holds 512", "shorten it")


@pytest.mark.parametrize("failure", [DIED, FAILED, ValueError(), RuntimeError("a bug")], ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("said", ["", "so far"])
async def test_a_failing_engine_leaves_its_words_and_why(threaded: AsyncStore, failure: Exception, said: str) -> None:
    heard = Ears()
    session = ChatSession(threaded, on_event=heard)
    with pytest.raises(type(failure)) as caught:
        await session.send("Why?", ScriptedEngine([[said, failure]]), GREEDY)
    assert caught.value is failure
    ended = heard[-1]
    assert isinstance(ended, AnswerEnded)
    assert ended.failure is failure
    answer = await threaded.call(lambda store: store.message(session.messages[-1].id))
    assert (answer.content, answer.state, answer.reason) == (said, "cut", "failed")
    assert (str(failure) or "ValueError") in answer.error
    if isinstance(failure, EngineError):
        assert failure.hint in answer.error
    assert ended.message == answer

    engine = ScriptedEngine([["again"]])
    assert (await session.regenerate(engine, GREEDY)).content == "again"
    assert [m.content for m in session.messages] == ["Why?", "again"]


async def test_an_engine_that_ends_without_a_word_is_a_failure(threaded: AsyncStore) -> None:
    session = ChatSession(threaded)
    with pytest.raises(TurnError, match="without saying why"):
        await session.send("Why?", ScriptedEngine([["half"]], reason=None), GREEDY)
    assert (session.messages[-1].content, session.messages[-1].reason) == ("half", "failed")


async def test_a_listener_that_fails_loses_no_text(threaded: AsyncStore) -> None:
    def listener(event: SessionEvent) -> None:
        if isinstance(event, Delta) and event.text == "two":
            raise LookupError("a bug on the screen")

    session = ChatSession(threaded, on_event=listener)
    with pytest.raises(LookupError):
        await session.send("Count", ScriptedEngine([["one ", "two", "three"]]), GREEDY)
    answer = await threaded.call(lambda store: store.message(session.messages[-1].id))
    assert (answer.content, answer.state, answer.error) == ("one two", "cut", "a bug on the screen")


def no_more_pages(store: Store) -> None:
    (pages,) = store._database.rows("PRAGMA page_count")
    store._database.execute(f"PRAGMA max_page_count = {pages[0]}")


def room_again(store: Store) -> None:
    store._database.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, so that a test sees many of them."""
    monkeypatch.setattr("tui.chat.writer.FLUSH_S", 0.001)
    monkeypatch.setattr("tui.chat.writer.RETRY_S", 0.001)
    monkeypatch.setattr("tui.chat.thread.RETRY_S", 0.001)


@pytest.mark.usefixtures("quick")
async def test_text_is_stored_while_the_engine_is_silent(threaded: AsyncStore, history: Path) -> None:
    heard, gate = Ears(), Gate()
    session = ChatSession(threaded, on_event=heard)
    sending = asyncio.create_task(session.send("Why?", ScriptedEngine([["Because", gate]]), GREEDY))
    await heard.until(Delta)
    while values(history, "SELECT text FROM chunks") != [("Because",)]:
        await threaded.call(lambda _store: None)
    gate.set()
    await sending


@pytest.mark.usefixtures("quick")
async def test_on_a_full_disk_text_waits_in_memory_and_is_stored_when_there_is_room(
    threaded: AsyncStore, history: Path
) -> None:
    heard, first, second = Ears(), Gate(), Gate()
    session = ChatSession(threaded, on_event=heard)
    script: list[Step] = ["start ", first, "x" * 50_000, second, " end"]
    sending = asyncio.create_task(session.send("Why?", ScriptedEngine([script]), GREEDY))
    await heard.until(Delta)
    await threaded.call(no_more_pages)
    first.set()
    await heard.until(StoreTrouble)
    await threaded.call(room_again)
    await heard.until(StoreHealed)
    second.set()
    answer = await sending
    assert answer.content == "start " + "x" * 50_000 + " end"
    assert await threaded.call(lambda store: store.message(answer.id)) == answer
    assert (heard.count(StoreTrouble), heard.count(StoreHealed)) == (1, 1)
    assert_sound(history)


@pytest.mark.usefixtures("quick")
async def test_an_answer_that_ends_on_a_full_disk_is_stored_later(threaded: AsyncStore, history: Path) -> None:
    heard, gate = Ears(), Gate()
    session = ChatSession(threaded, on_event=heard)
    sending = asyncio.create_task(session.send("Why?", ScriptedEngine([["a", gate, "b" * 50_000]]), GREEDY))
    await heard.until(Delta)
    await threaded.call(no_more_pages)
    gate.set()
    answer = await sending
    ended = [event for event in heard if isinstance(event, AnswerEnded)][-1]
    assert (ended.stored, ended.message.content) == (False, "a" + "b" * 50_000)
    assert threaded.unsaved == {answer.id}
    assert session.messages[-1].content == "a" + "b" * 50_000

    await threaded.call(room_again)
    await heard.until(StoreHealed)
    assert threaded.unsaved == frozenset()
    assert await threaded.call(lambda store: store.message(answer.id)) == answer
    assert_sound(history)


@pytest.mark.usefixtures("quick")
async def test_an_answer_that_ended_on_a_full_disk_is_stored_on_closing(threaded: AsyncStore, history: Path) -> None:
    heard, gate = Ears(), Gate()
    session = ChatSession(threaded, on_event=heard)
    sending = asyncio.create_task(session.send("Why?", ScriptedEngine([["a", gate, "b" * 50_000]]), GREEDY))
    await heard.until(Delta)
    await threaded.call(no_more_pages)
    gate.set()
    answer = await sending
    await threaded.call(room_again)
    await threaded.close()
    assert values(history, f"SELECT state, length(content) FROM messages WHERE id = {answer.id}") == [("done", 50_001)]
    assert_sound(history)


async def test_a_message_that_cannot_be_stored_is_not_sent(threaded: AsyncStore) -> None:
    heard = Ears()
    session = ChatSession(threaded, on_event=heard)
    engine = ScriptedEngine([["answer"]])
    await threaded.call(no_more_pages)
    with pytest.raises(StoreError) as caught:
        await session.send("x" * 100_000, engine, GREEDY)
    assert caught.value.kind == "full"
    assert (engine.asked, list(heard), session.messages, session.conversation) == ([], [], (), None)
    await threaded.call(room_again)
    assert (await session.send("x" * 100_000, engine, GREEDY)).content == "answer"


@pytest.mark.usefixtures("quick")
async def test_a_conversation_purged_while_it_is_answered_is_told_and_not_mourned(threaded: AsyncStore) -> None:
    heard, gate = Ears(), Gate()
    session = ChatSession(threaded, on_event=heard)
    sending = asyncio.create_task(session.send("Why?", ScriptedEngine([["a", gate, "b"]]), GREEDY))
    await heard.until(Delta)

    def purge(store: Store) -> None:
        store.delete(session.messages[0].conversation_id)
        store.purge()

    await threaded.call(purge)
    gate.set()
    answer = await sending
    assert (answer.content, threaded.unsaved) == ("ab", frozenset())
    (trouble,) = [event for event in heard if isinstance(event, StoreTrouble)]
    assert trouble.error.kind == "missing"


async def test_an_unanswered_message_can_be_answered_later(threaded: AsyncStore) -> None:
    def add(store: Store) -> int:
        return store.add_message(store.create_conversation().id, None, "user", "Still there?").conversation_id

    session = ChatSession(threaded, await threaded.call(add))
    await session.load()
    heard_before = UserStored(session.messages[0])
    answer = await session.regenerate(ScriptedEngine([["Yes."]]), GREEDY)
    assert (answer.parent_id, answer.content) == (heard_before.message.id, "Yes.")
