"""What can go wrong in the middle of a conversation, in the whole workbench: each time the text stays, words say what
happened, and the conversation goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.app.rig import KILLED, LLAMA, Bench, World, home_paths, workbench
from tests.chat.rig import assert_sound
from tests.chat.scripted import Gate
from tests.rigs.pictures import noise_png
from tui.chat import schema
from tui.chat.store import Store
from tui.engine.errors import EngineError


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


def stored(home: Path) -> list[str]:
    """The texts of the newest conversation."""
    with closing(Store(home_paths(home).history_file)) as store:
        return [message.content for message in store.thread(store.conversations()[0].id)]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("ended", [False, True], ids=["streaming", "ended"])
async def test_a_disk_that_is_full_is_told_once_and_all_is_stored_when_there_is_room(
    tmp_path: Path, ended: bool
) -> None:
    first, second = Gate(), Gate()
    long = "word " * 20_000
    async with workbench(tmp_path, World(["Begun. ", first, long, *([] if ended else [second]), "The end."])) as bench:
        await bench.write("Tell me.")
        await bench.shows("Begun.")
        talk = bench.app.desk.chatting.talk
        assert talk is not None
        await talk._store.call(no_more_pages)
        first.set()
        await bench.until(lambda: any("the disk is full" in words for words in bench.notices))
        await bench.shows("word word word")
        if ended:
            await bench.shows("The end.")
        await talk._store.call(room_again)
        await bench.until(lambda: any("has been now" in words for words in bench.notices))
        assert sum("the disk is full" in words for words in bench.notices) == 1
        second.set()
        await bench.shows("The end.")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        assert talk.session.messages[-1].state == "done"
    assert stored(tmp_path) == ["Tell me.", f"Begun. {long}The end."]
    assert_sound(home_paths(tmp_path).history_file)


async def test_a_history_of_a_newer_puna_is_left_alone_and_one_can_talk(tmp_path: Path) -> None:
    file = home_paths(tmp_path).history_file
    Store(file).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.FORMAT + 1}")
    before = file.read_bytes()
    async with workbench(tmp_path, World(["Still here."])) as bench:
        await bench.until(lambda: bench.notices)
        (words,) = bench.notices
        assert "was written by a newer puna" in words
        assert "Update puna" in words
        assert "conversations are kept in memory only" in words
        await bench.write("Are you?")
        await bench.shows("Still here.")
        image = noise_png(tmp_path / "cat.png", 30, 20)
        await bench.write(f"What is @{image}?")
        await bench.until(lambda: any("Images cannot go along" in said for said in bench.notices))
    assert file.read_bytes() == before
    assert not file.with_name("images").exists()


async def test_a_model_file_that_goes_away_leaves_the_conversation(tmp_path: Path) -> None:
    world = World(["Half an answer", KILLED], ["The other half."])
    async with workbench(tmp_path, world) as bench:
        await bench.write("Tell me.")
        await bench.shows("the engine stopped")
        world.engine.die()
        world.load_error = EngineError("load", f"{LLAMA.path} is not there any more", "R looks for models again")
        await bench.until(lambda: not bench.app.desk.loading.ready)
        await bench.write("And then?")
        await bench.shows("Half an answer", "is not there any more", "And then?")
        assert not bench.app.desk.chatting.busy
        world.load_error = None
        bench.app.desk.chatting.again()
        await bench.shows("The other half.")
    assert stored(tmp_path) == ["Tell me.", "Half an answer", "And then?", "The other half."]


async def test_two_copies_in_one_conversation_lose_nothing(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["First half", gate, ", second half."])) as one:
        await one.write("Tell me.")
        await one.shows("First half")
        async with workbench(tmp_path, World(["Another answer."], ["A later one."])) as two:
            await two.press("f6")
            await two.shows("Tell me.")
            await two.press("enter")
            await two.shows("First half", "being written in another window")
            await two.press("escape", "X")
            await two.until(lambda: any("written by another puna" in words for words in two.notices))
            await two.press("r")
            await two.shows("Another answer.")
            await two.write("Go on.")
            await two.shows("A later one.")
            gate.set()
            await one.shows("First half, second half.")
            await one.until(lambda: not one.app.desk.chatting.busy)
    with closing(Store(home_paths(tmp_path).history_file)) as store:
        (conversation,) = store.conversations()
        (question,) = store.children(conversation.id, None)
        answers = store.children(conversation.id, question.id)
        assert [(one.content, one.state) for one in answers] == [
            ("First half, second half.", "done"),
            ("Another answer.", "done"),
        ]
        (later,) = store.children(conversation.id, answers[1].id)
        assert later.content == "Go on."
    assert_sound(home_paths(tmp_path).history_file)


async def said(bench: Bench, text: str) -> None:
    """Wait until an answer says this, on screen or above it."""
    await bench.until(lambda: text in bench.app.bench.chat.transcript.plain_text())


async def resized(bench: Bench, width: int, height: int) -> None:
    await bench.pilot.resize_terminal(width, height)
    await bench.pilot.pause()


async def test_a_resize_in_the_middle_of_an_answer_loses_nothing(tmp_path: Path) -> None:
    gates = [Gate() for _ in range(6)]
    script = [step for at, gate in enumerate(gates) for step in (f"Part {at} of it, long enough to be wrapped. ", gate)]
    async with workbench(tmp_path, World([*script, "The end."])) as bench:
        await bench.write("Tell me.")
        for at, (width, height) in enumerate([(40, 10), (200, 50), (20, 5), (80, 24), (59, 15), (100, 30)]):
            await said(bench, f"Part {at}")
            await resized(bench, width, height)
            gates[at].set()
        await bench.shows("Part 0", "Part 5", "The end.")
        for line in bench.text().split("\n")[1:-1]:
            assert len(line) == 100
            assert line[0] + line[-1] in ("╭╮", "││", "╰╯")


@pytest.mark.parametrize(
    "error",
    [
        EngineError(
            "template", "the chat template failed: it took longer than 2 seconds", "set chat_template for this"
        ),
        EngineError("settings", "llama.cpp refuses the grammar", "correct it"),
        RuntimeError("unforeseen"),
    ],
)
async def test_an_answer_that_cannot_begin_is_told_and_the_next_one_comes(tmp_path: Path, error: Exception) -> None:
    async with workbench(tmp_path, World([error], ["Now."])) as bench:
        await bench.write("Tell me.")
        await bench.shows("Tell me.", str(error)[:30])
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        await bench.press("escape", "r")
        await bench.shows("Now.")
