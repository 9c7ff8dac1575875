"""A conversation in a pane: sending, answering again, editing, stopping."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.chat.rig import values
from tests.chat.scripted import GREEDY, TIMINGS, Ears, Gate, ScriptedEngine, ScriptedGeneration
from tui.chat.errors import StoreError, TurnError
from tui.chat.events import AnswerBegun, AnswerEnded, UserStored
from tui.chat.session import ChatSession
from tui.chat.thread import AsyncStore
from tui.chat.turn import AnswerEngine, TurnOptions
from tui.chat.values import Message
from tui.engine.client import Engine
from tui.engine.protocol import ChatMessage, Delta, Done, PromptProgress


def roles_and_texts(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in messages]


def a_real_engine_will_do(engine: Engine) -> AnswerEngine:
    """Checked by the type checker: what sessions ask for is what engines are."""
    return engine


async def test_a_turn_is_told_step_by_step_and_kept(threaded: AsyncStore, history: Path) -> None:
    heard = Ears()
    session = ChatSession(threaded, system="Be brief.", on_event=heard)
    engine = ScriptedEngine([[PromptProgress(1, 12, 12), ("thinking", "hm"), "Inn, ", "Po."]])
    options = TurnOptions(max_tokens=20, stop=("\n",), pane=1)
    answer = await session.send("Name two rivers.", engine, GREEDY, options)

    assert (answer.content, answer.thinking, answer.state, answer.reason) == ("Inn, Po.", "hm", "done", "eog")
    assert answer.timings["decode_tok_s"] == 40.0
    assert [type(event) for event in heard] == [
        UserStored, AnswerBegun, PromptProgress, Delta, Delta, Delta, Done, AnswerEnded,
    ]  # fmt: skip
    ended = heard[-1]
    assert isinstance(ended, AnswerEnded)
    assert (ended.message, ended.failure, ended.stored) == (answer, None, True)
    (asked,) = engine.asked
    assert asked.messages == (ChatMessage("system", "Be brief."), ChatMessage("user", "Name two rivers."))
    assert (asked.sampling, asked.options) == (GREEDY, options)
    assert session.messages[-1] == answer
    assert session.conversation is not None
    assert session.conversation.title == "Name two rivers."

    stored = await threaded.call(lambda store: store.thread(answer.conversation_id))
    assert stored == session.messages
    assert stored[-1].timings == {name: getattr(TIMINGS, name) for name in TIMINGS.__struct_fields__}
    assert values(history, "SELECT model FROM conversations") == [("scripted",)]


async def test_the_persons_message_is_stored_before_the_engine_is_asked(threaded: AsyncStore, history: Path) -> None:
    class Looking(ScriptedEngine):
        def generate(self, **_asked: object) -> ScriptedGeneration:
            rows.extend(values(history, "SELECT role, content, state FROM messages"))
            raise RuntimeError("looked")

    rows: list[object] = []
    with pytest.raises(RuntimeError):
        await ChatSession(threaded).send("First things first", Looking([]), GREEDY)
    assert rows == [("user", "First things first", "done"), ("assistant", "", "streaming")]


async def test_the_conversation_goes_on_after_a_restart(threaded: AsyncStore, history: Path) -> None:
    first = ChatSession(threaded, system="Be brief.")
    await first.send("One", ScriptedEngine([["1"]]), GREEDY)
    await threaded.close()

    again = await AsyncStore.open(history)
    heard = Ears()
    assert first.conversation is not None
    session = ChatSession(again, first.conversation.id, on_event=heard)
    assert roles_and_texts(await session.load()) == [("user", "One"), ("assistant", "1")]
    engine = ScriptedEngine([["2"]])
    await session.send("Two", engine, GREEDY)
    assert [m.content for m in engine.asked[0].messages] == ["Be brief.", "One", "1", "Two"]
    assert roles_and_texts(session.messages)[2:] == [("user", "Two"), ("assistant", "2")]
    await again.close()


async def test_an_existing_conversation_is_read_by_whatever_is_asked_first(threaded: AsyncStore) -> None:
    first = ChatSession(threaded, system="Be brief.")
    await first.send("One", ScriptedEngine([["1"]]), GREEDY)
    conversation_id = first.messages[0].conversation_id
    engine = ScriptedEngine([["2"], ["3"]])
    await ChatSession(threaded, conversation_id).send("Two", engine, GREEDY)
    await ChatSession(threaded, conversation_id).regenerate(engine, GREEDY)
    for asked in engine.asked:
        assert [m.content for m in asked.messages] == ["Be brief.", "One", "1", "Two"]
    assert (await ChatSession(threaded, conversation_id).tree()).children(None) == (first.messages[0].id,)
    assert roles_and_texts(await first.load())[2:] == [("user", "Two"), ("assistant", "3")]


async def test_answering_again_makes_a_new_version_and_keeps_the_old(threaded: AsyncStore) -> None:
    session = ChatSession(threaded)
    engine = ScriptedEngine([["first"], ["second"], ["third"]])
    first = await session.send("Question", engine, GREEDY)
    second = await session.regenerate(engine, GREEDY)
    assert engine.asked[0].messages == engine.asked[1].messages
    assert roles_and_texts(session.messages) == [("user", "Question"), ("assistant", "second")]
    third = await session.regenerate(engine, GREEDY, message_id=first.id)
    assert (await session.tree()).siblings(third.id) == (first.id, second.id, third.id)
    assert roles_and_texts(await session.select(first.id)) == [("user", "Question"), ("assistant", "first")]


async def test_an_edited_message_is_a_new_branch(threaded: AsyncStore) -> None:
    session = ChatSession(threaded)
    engine = ScriptedEngine([["1"], ["2"], ["2b"], ["1b"]])
    await session.send("One", engine, GREEDY)
    await session.send("Two", engine, GREEDY)
    opening, _, second, _ = session.messages
    await session.edit_and_resend(second.id, "Two, please", engine, GREEDY)
    assert [m.content for m in engine.asked[2].messages] == ["One", "1", "Two, please"]
    await session.edit_and_resend(opening.id, "Uno", engine, GREEDY)
    assert roles_and_texts(session.messages) == [("user", "Uno"), ("assistant", "1b")]
    assert [m.content for m in await session.select(opening.id)] == ["One", "1", "Two, please", "2b"]
    assert [m.content for m in await session.select(second.id)] == ["One", "1", "Two", "2"]


async def test_a_changed_system_prompt_is_kept_and_sent(threaded: AsyncStore) -> None:
    session = ChatSession(threaded, system="Old.")
    await session.set_system("New.")
    engine = ScriptedEngine([["a"], ["b"]])
    await session.send("One", engine, GREEDY)
    await session.set_system("Newer.")
    await session.send("Two", engine, GREEDY)
    assert [asked.messages[0].content for asked in engine.asked] == ["New.", "Newer."]
    assert session.system == "Newer."


async def test_stop_ends_the_answer_and_keeps_what_there_is(threaded: AsyncStore) -> None:
    heard = Ears()
    session = ChatSession(threaded, on_event=heard)
    sending = asyncio.create_task(session.send("Count", ScriptedEngine([["1 2 3", Gate(), " 4"]]), GREEDY))
    await heard.until(Delta)
    was_busy = session.busy
    session.stop()
    answer = await sending
    assert (answer.content, answer.state, answer.reason) == ("1 2 3", "cut", "cancelled")
    assert answer.timings["completion_tokens"] == 3
    assert (was_busy, session.busy) == (True, False)
    session.stop()
    assert await threaded.call(lambda store: store.message(answer.id)) == answer


async def test_a_stop_before_the_first_event_is_heard_too(threaded: AsyncStore) -> None:
    heard = Ears()
    session = ChatSession(threaded, on_event=heard)
    engine = ScriptedEngine([["never"]])
    sending = asyncio.create_task(session.send("Count", engine, GREEDY))
    await heard.until(UserStored)
    session.stop()
    answer = await sending
    assert (answer.content, answer.state, answer.reason) == ("", "cut", "cancelled")
    assert engine.asked == []


async def test_a_cancelled_task_leaves_its_words_in_the_store(threaded: AsyncStore) -> None:
    heard = Ears()
    session = ChatSession(threaded, on_event=heard)
    sending = asyncio.create_task(session.send("Count", ScriptedEngine([["1 2 3", Gate()]]), GREEDY))
    await heard.until(Delta)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert isinstance(heard[-1], AnswerEnded)
    answer = await threaded.call(lambda store: store.message(session.messages[-1].id))
    assert (answer.content, answer.state, answer.reason) == ("1 2 3", "cut", "cancelled")
    assert session.messages[-1] == answer
    assert not session.busy


async def test_a_task_cancelled_while_its_message_is_stored_leaves_nothing_streaming(threaded: AsyncStore) -> None:
    for patience in range(12):
        session = ChatSession(threaded)
        sending = asyncio.create_task(session.send("Count", ScriptedEngine([["1", Gate()]]), GREEDY))
        for _ in range(patience):
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    rows = await threaded.call(lambda store: [m.state for c in store.conversations() for m in store.thread(c.id)])
    assert "streaming" not in rows


async def test_one_turn_at_a_time(threaded: AsyncStore) -> None:
    heard = Ears()
    session = ChatSession(threaded, on_event=heard)
    gate = Gate()
    engine = ScriptedEngine([["a", gate], ["b"]])
    sending = asyncio.create_task(session.send("One", engine, GREEDY))
    await heard.until(Delta)
    for refused in (session.send("Two", engine, GREEDY), session.regenerate(engine, GREEDY), session.select(1)):
        with pytest.raises(TurnError, match="being written"):
            await refused
    gate.set()
    await sending
    await session.send("Two", engine, GREEDY)
    assert [m.content for m in session.messages] == ["One", "a", "Two", "b"]


async def test_two_sessions_stream_side_by_side(threaded: AsyncStore) -> None:
    left, right = ChatSession(threaded), ChatSession(threaded)
    answers = await asyncio.gather(
        left.send("Same question", ScriptedEngine([["left ", "answer"]], name="l"), GREEDY),
        right.send("Same question", ScriptedEngine([["right ", "answer"]], name="r"), GREEDY),
    )
    assert [answer.content for answer in answers] == ["left answer", "right answer"]
    assert {c.model for c in await threaded.call(lambda store: store.conversations())} == {"l", "r"}


async def test_turns_that_make_no_sense_are_refused_in_words(threaded: AsyncStore) -> None:
    session, other = ChatSession(threaded), ChatSession(threaded)
    engine = ScriptedEngine([["answer"], ["elsewhere"]])
    assert await session.load() == ()
    assert (await session.tree()).leaf_id is None
    with pytest.raises(TurnError, match="no answer"):
        await session.regenerate(engine, GREEDY)
    for nothing in ("", "  \n"):
        with pytest.raises(TurnError, match="nothing to send"):
            await session.send(nothing, engine, GREEDY)
    answer = await session.send("Question", engine, GREEDY)
    with pytest.raises(TurnError, match="nothing to send"):
        await session.edit_and_resend(session.messages[0].id, " ", engine, GREEDY)
    with pytest.raises(TurnError, match="message of yours"):
        await session.edit_and_resend(answer.id, "x", engine, GREEDY)
    foreign = await other.send("Elsewhere", engine, GREEDY)
    for refused in (session.regenerate(engine, GREEDY, message_id=foreign.id), session.select(foreign.id)):
        with pytest.raises(StoreError, match="no message"):
            await refused
    assert not session.busy
    with pytest.raises(StoreError, match="no conversation"):
        await ChatSession(threaded, 99).load()


async def test_an_answer_that_was_stopped_goes_on_as_the_same_message(threaded: AsyncStore) -> None:
    session = ChatSession(threaded)
    engine = ScriptedEngine([[("thinking", "hm"), "One, two"], [", three.", ""]])
    first = await session.send("Count.", engine, GREEDY)
    answer = await session.go_on(engine, GREEDY, TurnOptions(think=False))
    assert (answer.id, answer.content, answer.thinking) == (first.id, "One, two, three.", "hm")
    asked = engine.asked[-1]
    assert asked.messages == (ChatMessage("user", "Count."),)
    assert (asked.answer, asked.thinking, asked.options.think) == ("One, two", "hm", False)
    assert first.timings["completion_tokens"] == 3
    assert answer.timings["completion_tokens"] == 6, "of both parts"
    assert answer.timings["decode_tok_s"] == first.timings["decode_tok_s"]
    assert await threaded.call(lambda store: store.thread(answer.conversation_id)) == session.messages


async def test_an_answer_begins_as_the_person_wrote(threaded: AsyncStore) -> None:
    session = ChatSession(threaded)
    engine = ScriptedEngine([["a poem."], [" a llama."]])
    await session.send("Write.", engine, GREEDY)
    answer = await session.regenerate(engine, GREEDY, TurnOptions(begin="Once upon a time,"))
    assert engine.asked[-1].answer == "Once upon a time,"
    assert answer.content == "Once upon a time, a llama."
    assert (answer.version, answer.versions) == (2, 2)
    assert (await threaded.call(lambda store: store.message(answer.id))).content == answer.content


async def test_versions_are_shown_in_turn_and_a_deleted_one_comes_back(threaded: AsyncStore) -> None:
    session = ChatSession(threaded)
    engine = ScriptedEngine([["first"], ["second"], ["deeper"]])
    first = await session.send("Question.", engine, GREEDY)
    second = await session.regenerate(engine, GREEDY)
    await session.send("More.", engine, GREEDY)
    assert await session.versions(first.id) == (first.id, second.id)
    assert [one.content for one in await session.select(first.id)] == ["Question.", "first"]
    shown = await session.select(second.id)
    assert [(one.content, one.version, one.versions) for one in shown] == [
        ("Question.", 1, 1), ("second", 2, 2), ("More.", 1, 1), ("deeper", 1, 1),
    ]  # fmt: skip
    assert [one.content for one in await session.delete(second.id)] == ["Question.", "first"]
    assert session.messages[-1].versions == 1
    assert [one.content for one in await session.restore(second.id)] == [one.content for one in shown]


async def test_there_must_be_something_to_go_on_with(threaded: AsyncStore) -> None:
    session = ChatSession(threaded)
    with pytest.raises(TurnError, match="no answer to go on with"):
        await session.go_on(ScriptedEngine([]), GREEDY)
    await session.send("Question.", ScriptedEngine([[""]]), GREEDY)
    with pytest.raises(TurnError, match="nothing of this answer yet"):
        await session.go_on(ScriptedEngine([]), GREEDY)


async def test_what_was_dropped_is_not_sent_and_a_summary_stands_for_it(threaded: AsyncStore) -> None:
    session = ChatSession(threaded, system="Be brief.")
    engine = ScriptedEngine([["one"], ["two"], ["three"], ["four"]])
    for text in ("first", "second"):
        await session.send(text, engine, GREEDY)
    await session.leave_out(session.messages[1].id, "They greeted each other.")
    await session.send("third", engine, GREEDY)
    assert [message.content for message in engine.asked[-1].messages] == [
        "Be brief.\n\nSummary of the conversation so far:\n\nThey greeted each other.", "second", "two", "third",
    ]  # fmt: skip
    assert session.conversation is not None
    assert session.prompt(session.messages, "fourth")[-1] == ChatMessage("user", "fourth")
    again = ChatSession(threaded, session.conversation.id)
    await again.load()
    await again.leave_out(None)
    await again.send("fourth", engine, GREEDY)
    assert len(engine.asked[-1].messages) == 8
