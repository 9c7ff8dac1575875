"""A person asks, stops, asks again and goes back to what was said: sessions with an engine that answers by a script."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.app.rig import BROKEN, KILLED, LLAMA, QWEN, World, workbench, write_config
from tests.chat import scripted
from tests.chat.scripted import Gate
from tui.app.messages import ModelsFound
from tui.app.panels.chat.state import Answering, Loading, NoModel, Reading, Ready
from tui.engine.protocol import PromptProgress


async def test_a_question_loads_the_selected_model_and_is_answered(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["Two ", "llamas."])) as bench:
        assert isinstance(bench.status(), NoModel)
        await bench.write("How many?")
        await bench.shows("How many?", "Two llamas.", "Chat · tiny-llama Q4_K_M", "40 tok/s")
        engine = bench.world.engine
        assert engine.name == "tiny-llama"
        assert [message.content for message in engine.asked[0]] == ["How many?"]
        status = bench.status()
        assert isinstance(status, Ready)
        assert (status.used, status.n_ctx) == (0, engine.receipt.n_ctx)
        assert bench.app.bench.chat.editor.text == ""


async def test_the_question_is_stored_before_the_model_is_there(tmp_path: Path) -> None:
    world = World(["Yes."])
    world.load_gate = Gate()
    async with workbench(tmp_path, world) as bench:
        await bench.write("Are you there?")
        await bench.shows("Are you there?", "loading tiny-llama")
        assert isinstance(bench.status(), Loading)
        talk = bench.app.desk.chatting.talk
        assert talk is not None
        assert talk.session.messages[0].content == "Are you there?"
        world.load_gate.set()
        await bench.shows("Yes.")


async def test_escape_stops_the_answer_and_keeps_what_there_is(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["The first half", gate, " and the second"])) as bench:
        await bench.write("Tell me.")
        await bench.shows("The first half", "esc stop")
        assert isinstance(bench.status(), Answering)
        await bench.press("escape")
        await bench.shows("stopped")
        assert "and the second" not in bench.text()
        talk = bench.app.desk.chatting.talk
        assert talk is not None
        answer = talk.session.messages[-1]
        assert (answer.content, answer.reason, answer.state) == ("The first half", "cancelled", "cut")


async def test_escape_while_a_model_loads_stops_both_the_load_and_the_turn(tmp_path: Path) -> None:
    world = World(["never"])
    world.load_gate = Gate()
    async with workbench(tmp_path, world) as bench:
        await bench.write("Hello?")
        await bench.shows("loading tiny-llama")
        await bench.press("escape")
        await bench.until(lambda: not bench.app.desk.chatting.busy and not bench.app.desk.loading.loading)
        await bench.shows("stopped", "writing loads tiny-llama")
        assert world.engines == []


async def test_a_long_prompt_shows_how_far_it_was_read(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World([PromptProgress(1, 1200, 4000), gate, "Done."])) as bench:
        await bench.write("A long prompt")
        await bench.shows("reading your prompt", "1 200 of 4 000")
        assert isinstance(bench.status(), Reading)
        gate.set()
        await bench.shows("Done.", "of 8 k")


async def test_r_answers_again_and_shows_only_the_new_answer(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["First."], ["Second."])) as bench:
        await bench.write("Say something.")
        await bench.shows("First.", "3 tokens")
        await bench.press("escape", "r")
        await bench.shows("Second.", "3 tokens")
        assert "First." not in bench.text()
        assert bench.world.engine.asked[0] == bench.world.engine.asked[1]


async def test_a_second_question_carries_the_first_turn_and_a_new_conversation_does_not(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["A."], ["B."], ["C."])) as bench:
        for question, answer in (("one", "A."), ("two", "B.")):
            await bench.write(question)
            await bench.shows(answer)
            await bench.until(lambda: not bench.app.desk.chatting.busy)
        assert [message.content for message in bench.world.engine.asked[1]] == ["one", "A.", "two"]
        await bench.press("ctrl+n")
        await bench.shows("tiny-llama is ready")
        await bench.write("three")
        await bench.shows("C.")
        assert [message.content for message in bench.world.engine.asked[2]] == ["three"]


async def test_history_goes_back_to_an_older_conversation(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["Rivers flow."], ["Hills stand."])) as bench:
        await bench.write("About rivers")
        await bench.shows("Rivers flow.", "3 tokens")
        await bench.press("ctrl+n")
        await bench.write("About hills")
        await bench.shows("Hills stand.", "3 tokens")
        await bench.press("f6")
        await bench.shows("Conversations", "About rivers", "About hills")
        await bench.press("r", "i", "v")
        await bench.until(lambda: "About hills" not in bench.text())
        await bench.press("enter")
        await bench.shows("Rivers flow.")
        assert "Hills stand." not in bench.text()


async def test_what_was_not_drawn_yet_stays_out_of_another_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workbench(tmp_path, World(["First."], ["Late."], ["Later."])) as bench:
        desk = bench.app.desk
        await bench.write("one")
        await bench.shows("First.")
        await bench.until(lambda: not desk.chatting.busy)
        monkeypatch.setattr(desk.ticker, "wake", lambda: None)  # as late as a tick can be
        await bench.write("two")
        await bench.until(lambda: not desk.chatting.busy)
        desk.chatting.new()
        desk._tick()
        await bench.shows("tiny-llama is ready")
        assert "Late." not in bench.text()
        await bench.write("three")
        await bench.until(lambda: not desk.chatting.busy)
        await desk.history.open(1)
        desk._tick()
        await bench.shows("First.", "Late.")
        assert "Later." not in bench.text()


async def test_what_a_conversation_takes_is_counted_by_the_engine_that_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "TIMINGS", msgspec.structs.replace(scripted.TIMINGS, n_ctx_used=700))

    def used() -> int | None:
        status = bench.status()
        return status.used if isinstance(status, Ready) else None

    async with workbench(tmp_path, World(["First."], ["Second."])) as bench:
        await bench.write("one")
        await bench.until(lambda: used() == 700)
        assert bench.status() == Ready(700, 8192, more_turns=10)
        bench.app.desk.loading.load(QWEN)
        await bench.until(lambda: bench.app.desk.loading.ready and used() == 2)  # "one" and "First."
        await bench.write("two")
        await bench.until(lambda: used() == 700)
        bench.app.desk.chatting.new()
        await bench.until(lambda: bench.status() == Ready(0, 8192))
        await bench.app.desk.history.open(1)
        await bench.shows("First.", "Second.")
        await bench.until(lambda: used() == 4)


async def test_questions_typed_while_one_is_answered_are_sent_in_their_turn(tmp_path: Path) -> None:
    loaded, answered = Gate(), Gate()
    world = World(["One.", answered], ["Two."], ["Three."])
    world.load_gate = loaded
    async with workbench(tmp_path, world) as bench:
        bench.app.bench.go("chat")
        await bench.press("a", "a", "enter", "b", "enter", "c", "enter", "d")
        await bench.shows("loading tiny-llama")
        await bench.press("backspace")
        await bench.shows("2 prompts wait to be sent")
        loaded.set()
        await bench.shows("One.")
        await bench.press("e")
        answered.set()
        await bench.shows("Three.")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        asked = [messages[-1].content for messages in bench.world.engine.asked]
        assert asked == ["aa", "b", "c"]
        assert bench.app.bench.chat.editor.text == "e"
        await bench.press("backspace")
        await bench.shows("Write here")


@pytest.mark.parametrize("how", ["stop", "die"])
async def test_questions_that_wait_come_back_when_the_answer_is_stopped_or_fails(tmp_path: Path, how: str) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["slow", gate, KILLED])) as bench:
        await bench.write("first")
        await bench.shows("slow")
        await bench.write("second")
        await bench.write("third")
        await bench.press("f", "o", "u", "r")
        assert bench.app.bench.chat.editor.text == "four"
        if how == "stop":
            await bench.press("escape")
        else:
            bench.world.engine.die()
            gate.set()
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        assert bench.app.bench.chat.editor.text == "second\nthird\nfour"
        assert len(bench.world.engine.asked) == 1


async def test_without_a_model_a_question_says_what_is_missing(tmp_path: Path) -> None:
    async with workbench(tmp_path, models=()) as bench:
        await bench.shows("Looking for models")
        bench.app.desk.on_models_found(ModelsFound(()))
        await bench.shows("There are no models on this machine yet.", "adds a file or a folder of yours")
        await bench.write("Hello")
        await bench.until(lambda: any("Nothing can answer" in words for words in bench.notices))
        assert bench.app.bench.chat.editor.text == "Hello"
        assert bench.world.engines == []


async def test_a_question_typed_before_the_models_are_known_waits_for_them(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["Here."]), models=()) as bench:
        await bench.write("Anybody?")
        assert bench.app.bench.chat.editor.text == ""
        bench.app.desk.on_models_found(ModelsFound((LLAMA,)))
        await bench.shows("Anybody?", "Here.")


async def test_a_broken_model_is_not_loaded_for_a_question(tmp_path: Path) -> None:
    async with workbench(tmp_path, models=(BROKEN, LLAMA)) as bench:
        await bench.press("f2", "home")
        await bench.write("Hello")
        await bench.until(lambda: any("ends too early" in words for words in bench.notices))
        assert bench.world.engines == []


async def test_the_answer_goes_to_the_clipboard_and_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    world = World(["Look:\n\n```python\nprint(1)\n```\n\nand\n\n```sh\nls\n```\n"])
    async with workbench(tmp_path, world) as bench:
        monkeypatch.setattr(bench.app, "to_terminal", sent.append)
        await bench.write("Show me.")
        await bench.shows("print(1)", "3 tokens")
        await bench.press("escape", "y")
        assert "UHJpbnQ" not in sent[0]
        assert sent[0].startswith("\x1b]52;c;")
        await bench.until(lambda: any("sent to the terminal's clipboard" in words for words in bench.notices))
        await bench.press("2")
        await bench.until(lambda: any("Code block 2 was sent" in words for words in bench.notices))
        await bench.press("9")
        await bench.until(lambda: any("There is no code block 9" in words for words in bench.notices))


async def test_max_tokens_and_system_prompt_come_from_the_settings(tmp_path: Path) -> None:
    write_config(tmp_path, '[chat]\nsystem = "Be brief."\nmax_tokens = 7\n')
    async with workbench(tmp_path, World(["Yes."])) as bench:
        await bench.write("Hello")
        await bench.shows("Yes.")
        assert [(m.role, m.content) for m in bench.world.engine.asked[0]] == [
            ("system", "Be brief."),
            ("user", "Hello"),
        ]
