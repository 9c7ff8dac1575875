"""Messages edited, versions shown in turn, branches deleted and brought back, answers gone on with."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tests.app.rig import Bench, World, workbench


async def talk(bench: Bench, *texts: str) -> None:
    """Ask these, one after the other, and leave the prompt."""
    for text in texts:
        await bench.write(text)
        await bench.until(lambda: not bench.app.desk.chatting.busy)
    await bench.press("escape")
    assert bench.app.bench.chat.transcript.has_focus


async def idle(bench: Bench) -> None:
    await bench.until(lambda: not bench.app.desk.chatting.busy)


async def test_messages_are_chosen_by_keys(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"])) as bench:
        await talk(bench, "first", "second")
        shown = bench.app.bench.chat.transcript
        ids = [str(one.id) for one in bench.app.desk.chatting.talk.session.messages]  # type: ignore[union-attr]
        seen = []
        for key in ("[", "[", "[", "[", "[", "]"):
            await bench.press(key)
            seen.append(shown.selected)
        assert seen == [ids[3], ids[2], ids[1], ids[0], ids[0], ids[1]]
        assert sum("▎" in line for line in bench.text().splitlines()) == 1


async def test_an_edited_message_is_sent_as_a_new_version(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["other"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, "first", "second")
        await bench.press("[", "[", "E")
        editor = bench.app.bench.chat.editor
        assert editor.text == "second"
        assert editor.has_focus
        assert "new version" in bench.text()
        editor.text = "second, but better"
        await bench.press("enter")
        await bench.shows("other", "2/2")
        await idle(bench)
        assert "two" not in bench.text()
        assert "new version" not in bench.text()
        assert [one.content for one in world.engine.asked[-1]] == ["first", "one", "second, but better"]


async def test_escape_leaves_an_edited_message_as_it_is(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"])) as bench:
        await talk(bench, "first")
        await bench.press("E")
        assert bench.app.bench.chat.editor.text == "first"
        await bench.press("escape")
        assert bench.app.bench.chat.editor.text == ""
        await bench.write("second")
        await idle(bench)
        assert len(bench.world.engine.asked[-1]) == 3, "it was a message of its own"


async def test_left_and_right_show_versions(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["old answer"], ["new answer"])) as bench:
        await talk(bench, "first")
        await bench.press("r")
        await bench.shows("new answer", "2/2")
        await idle(bench)
        await bench.press("[", "left")
        await bench.shows("old answer", "1/2")
        assert "new answer" not in bench.text()
        await bench.press("left")
        await bench.shows("new answer")
        await bench.press("right")
        await bench.shows("old answer")


async def test_a_deleted_message_comes_back(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"])) as bench:
        await talk(bench, "first", "second")
        await bench.press("D")
        assert "Choose a message first" in bench.notices[-1]
        await bench.press("[", "[", "D")
        await bench.until(lambda: "second" not in bench.text())
        assert "one" in bench.text()
        assert "brings it back" in bench.notices[-1]
        await bench.press("U")
        await bench.shows("second", "two")
        await bench.until(lambda: "is back" in bench.notices[-1])


async def test_an_answer_goes_on(tmp_path: Path) -> None:
    world = World(["One, two"], [", three."], reason="length")
    async with workbench(tmp_path, world) as bench:
        await talk(bench, "Count.")
        await bench.press("X")
        await bench.shows("One, two, three.")
        await idle(bench)
        assert world.engine.went_on_from == ["", "One, two"]
        assert bench.text().count("One, two") == 1


async def test_that_a_model_has_nothing_to_add_is_told(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["All of it."], [""])) as bench:
        await talk(bench, "Count.")
        await bench.press("X")
        await bench.until(lambda: any("nothing to add" in words for words in bench.notices))
        await bench.shows("All of it.")


async def test_alt_and_a_letter_is_no_letter_of_the_prompt(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One, two"], [", three."], reason="length")) as bench:
        await talk(bench, "Count.")
        bench.app.bench.chat.editor.focus()
        await bench.pilot.pause()
        bench.app.post_message(events.Key("alt+c", "c"))  # as terminals send it: with its letter
        await bench.shows("One, two, three.")
        assert bench.app.bench.chat.editor.text == ""


async def test_an_answer_begins_as_one_writes(tmp_path: Path) -> None:
    world = World(["a poem"], [" a llama."])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, "Write.")
        await bench.press("B", *"Once", "enter")
        await bench.shows("Once a llama.")
        assert world.engine.went_on_from == ["", "Once"]


async def test_thinking_is_switched_where_the_model_can(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["three"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, "first")
        await bench.press("V")
        assert bench.notices == [], "this model has no switch"
        world.engine.thinking_switch = True
        for text in ("without thinking", "after thinking"):
            await bench.press("V")
            assert text in bench.notices[-1]
            await bench.press("r")
            await idle(bench)
        assert world.engine.thought == [None, False, True]
