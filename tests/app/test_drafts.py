"""What is written and not sent stays with its conversation, and is there again after a restart."""

from __future__ import annotations

from pathlib import Path

from tests.app.rig import Bench, World, home_paths, workbench
from tests.chat.scripted import Gate
from tui.chat.store import Store


def editor(bench: Bench) -> str:
    return bench.app.bench.chat.editor.text


async def ask(bench: Bench, text: str) -> None:
    await bench.write(text)
    await bench.until(lambda: not bench.app.desk.chatting.busy)


async def test_each_conversation_has_a_draft_of_its_own(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."], ["Two."])) as bench:
        await ask(bench, "first")
        await bench.press(*"half of it", "ctrl+n")
        assert editor(bench) == ""
        await ask(bench, "second")
        await bench.press(*"of the second")
        history = bench.app.desk.history
        await history.open(1)
        assert editor(bench) == "half of it"
        await history.open(2)
        assert editor(bench) == "of the second"
        await history.open(2)
        assert editor(bench) == "of the second"


async def test_a_prompt_that_began_nothing_yet_is_in_the_list(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."])) as bench:
        await bench.press(*"a new idea", "ctrl+n")
        assert editor(bench) == ""
        await bench.press("f6")
        await bench.shows("a new idea", "draft")
        await bench.press("enter")
        await bench.until(lambda: editor(bench) == "a new idea")
        await bench.press("enter")
        await bench.shows("One.")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        talk = bench.app.desk.chatting.talk
        assert talk is not None
        assert talk.session.conversation is not None
        assert talk.session.conversation.title == "a new idea"


async def test_it_is_there_again_after_a_restart_once(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press(*"not yet sent")
    async with workbench(tmp_path, World(["Yes."])) as bench:
        await bench.until(lambda: editor(bench) == "not yet sent")
        await ask(bench, "sent")
    async with workbench(tmp_path) as bench:
        await bench.until(lambda: not any(worker.is_running for worker in bench.app.workers))
        assert editor(bench) == ""
    store = Store(home_paths(tmp_path).history_file)
    assert [one.message_count for one in store.conversations()] == [2]
    assert store.draft(1) == ""
    store.close()


async def test_what_waits_to_be_sent_is_kept_too(tmp_path: Path) -> None:
    world = World(["Slow", Gate(), "."])
    async with workbench(tmp_path, world) as bench:
        await bench.write("first")
        await bench.shows("Slow")
        await bench.write("second")
        await bench.press(*"third")
    async with workbench(tmp_path) as bench:
        await bench.until(lambda: editor(bench) == "second\nthird")


async def test_an_edited_message_is_no_draft(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."])) as bench:
        await ask(bench, "first")
        await bench.press("escape", "E")
        assert editor(bench) == "first"
    store = Store(home_paths(tmp_path).history_file)
    assert store.draft(1) == ""
    store.close()
