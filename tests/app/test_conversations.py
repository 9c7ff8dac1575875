"""The list of conversations: searched as one types, opened at a message, kept in order, moved out and in."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from textual.events import Key

from tests.app.rig import Bench, World, home_paths, workbench
from tui.app.screens.conversations.screen import ConversationsScreen
from tui.chat import search
from tui.chat.finding import look
from tui.chat.store import Store
from tui.chat.titles import title_of


def fill(home: Path) -> list[int]:
    """A history of three conversations; their numbers."""
    path = home_paths(home).history_file
    store = Store(path)
    numbers = []
    for question, answer in (
        ("About rivers", "Rivers carry silt to the sea."),
        ("About hills", "Hills stand, and water runs off them."),
        ("Recipes", "Bread wants flour."),
    ):
        one = store.create_conversation(model="tiny-llama")
        asked = store.add_message(one.id, None, "user", question)
        store.add_message(one.id, asked.id, "assistant", answer, model="m", timings={"n_ctx_used": 3100})
        numbers.append(one.id)
    store.close()
    return numbers


async def listed(bench: Bench, *keys: str) -> ConversationsScreen:
    """The list, opened."""
    await bench.press("f6")
    await bench.until(lambda: isinstance(bench.app.screen, ConversationsScreen) and bench.app.screen.rows.rows)
    screen = bench.app.screen
    assert isinstance(screen, ConversationsScreen)
    await bench.press(*keys)
    return screen


def titles(screen: ConversationsScreen) -> list[str]:
    return [row.conversation.title for row in screen.rows.rows if row.hit is None]


async def test_letters_search_and_enter_goes_to_the_message(tmp_path: Path) -> None:
    fill(tmp_path)
    async with workbench(tmp_path, size=(80, 24)) as bench:
        screen = await listed(bench)
        assert titles(screen) == ["Recipes", "About hills", "About rivers"]
        await bench.press(*"water")
        await bench.until(lambda: titles(screen) == ["About hills"])
        assert "and water runs off" in bench.text()
        await bench.press("enter")
        await bench.shows("Hills stand, and water runs off them.")
        transcript, talk = bench.app.bench.chat.transcript, bench.app.desk.chatting.talk
        assert talk is not None
        assert transcript.has_focus
        await bench.until(lambda: transcript.selected == str(talk.session.messages[1].id))


async def test_a_hit_on_another_branch_is_shown(tmp_path: Path) -> None:
    number = fill(tmp_path)[0]
    store = Store(home_paths(tmp_path).history_file)
    asked = store.thread(number)[0]
    store.add_message(number, asked.id, "assistant", "Another answer about deltas.")
    store.close()
    async with workbench(tmp_path) as bench:
        screen = await listed(bench, *"silt")
        await bench.until(lambda: titles(screen) == ["About rivers"])
        await bench.press("enter")
        await bench.shows("Rivers carry silt to the sea.", "1/2")
        assert "deltas" not in bench.text()


async def test_nothing_found_says_so_and_a_deleted_letter_brings_all_back(tmp_path: Path) -> None:
    fill(tmp_path)
    async with workbench(tmp_path) as bench:
        screen = await listed(bench, *"riversx")
        await bench.shows("Nothing is found.")
        await bench.press("enter")
        assert bench.app.screen is screen
        await bench.press("backspace")
        await bench.until(lambda: titles(screen) == ["About rivers"])


async def test_pinned_ones_come_first_and_archived_ones_have_a_view_of_their_own(tmp_path: Path) -> None:
    fill(tmp_path)
    async with workbench(tmp_path) as bench:
        screen = await listed(bench, "tab", "end", "p")
        await bench.until(lambda: titles(screen) == ["About rivers", "Recipes", "About hills"])
        assert screen.rows.selected is not None
        assert screen.rows.selected.conversation.title == "About rivers"
        await bench.press("p")
        await bench.until(lambda: titles(screen) == ["Recipes", "About hills", "About rivers"])
        await bench.press("home", "a")
        await bench.until(lambda: titles(screen) == ["About hills", "About rivers"])
        assert any("“Recipes” is put away" in words for words in bench.notices)
        await bench.press("A")
        await bench.until(lambda: titles(screen) == ["Recipes"])
        assert "Archived conversations" in bench.text()
        await bench.press("a", "A")
        await bench.until(lambda: len(titles(screen)) == 3)


async def test_the_cursor_stays_on_its_row_while_more_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rivers, hills, _ = fill(tmp_path)
    monkeypatch.setattr(search, "SLICE", 2)
    with closing(Store(home_paths(tmp_path).history_file)) as store:
        store.pin(rivers, pinned=True)
        parts = [look(store, ".")]
        while not parts[-1].complete:
            parts.append(look(store, ".", so_far=parts[-1]))
    assert [len(part.listed) for part in parts[:3]] == [1, 2, 3]
    async with workbench(tmp_path) as bench:
        screen = await listed(bench)
        for part in parts[:2]:
            screen.show(".", part)
        await bench.press("tab", "end")
        for part in (parts[1], parts[2]):
            assert screen.rows.selected is not None
            assert screen.rows.selected.conversation.id == hills
            screen.show(".", part)
        assert screen.rows.selected is not None
        assert screen.rows.selected.conversation.id == hills, "what is pinned came before it"


async def test_keys_with_alt_work_while_one_searches(tmp_path: Path) -> None:
    fill(tmp_path)
    async with workbench(tmp_path) as bench:
        screen = await listed(bench, *"hills")
        await bench.until(lambda: titles(screen) == ["About hills"])
        bench.app.post_message(Key("alt+t", "t"))  # as a terminal sends it
        await bench.shows("Tags, parted by commas")
        await bench.press(*"work, idea", "enter")
        await bench.shows("#idea", "#work")
        assert screen.text == "hills"
        for _ in range(5):
            await bench.press("backspace")
        await bench.press(*"#wo")
        await bench.until(lambda: titles(screen) == ["About hills"])


async def test_what_was_deleted_long_ago_is_removed_at_the_start(tmp_path: Path) -> None:
    home = home_paths(tmp_path)
    home.data.mkdir(parents=True)
    for days, title in ((31, "old"), (29, "young")):
        store = Store(home.history_file, clock=partial(days_ago, days))
        store.delete(store.create_conversation(title=title).id)
        store.close()
    async with workbench(tmp_path) as bench:
        seen: list[list[str]] = []
        while seen[-1:] != [["young"]] and len(seen) < 1000:
            titles = await bench.app.desk.history.call(lambda store: [one.title for one in store.deleted()])
            seen.append(titles or [])
            await bench.pilot.pause()
        assert seen[-1] == ["young"]


def days_ago(days: int) -> float:
    return time.time() - days * 86400


async def test_a_title_is_written_by_hand_or_by_the_model(tmp_path: Path) -> None:
    fill(tmp_path)
    world = World(["Hello."], [("thinking", "hm"), "Title: **Baking Bread**\n"])
    async with workbench(tmp_path, world) as bench:
        screen = await listed(bench, "tab", "home", "r", "end")
        await bench.press(*" of bread", "enter")
        await bench.until(lambda: "Recipes of bread" in titles(screen))
        await bench.press("m")
        await bench.until(lambda: any("No model is loaded" in words for words in bench.notices))
        await bench.press("escape")
        await bench.write("Hi")
        await bench.until(lambda: not bench.app.desk.chatting.busy and bench.app.desk.loading.ready)
        screen = await listed(bench, *"bread")
        await bench.until(lambda: titles(screen) == ["Recipes of bread"])
        await bench.press("alt+m")
        await bench.until(lambda: titles(screen) == ["Baking Bread"])
        assert "Bread wants flour." in world.engine.asked[-1][0].content
        assert world.engine.thought[-1] is False


async def test_a_deleted_conversation_comes_back_and_leaves_the_chat(tmp_path: Path) -> None:
    number = fill(tmp_path)[2]
    async with workbench(tmp_path) as bench:
        await bench.app.desk.history.open(number)
        await bench.shows("Bread wants flour.")
        screen = await listed(bench, "tab")
        assert screen.rows.selected is not None
        assert screen.rows.selected.conversation.id == number, "the cursor begins at what is open"
        await bench.press("d")
        await bench.until(lambda: titles(screen) == ["About hills", "About rivers"])
        assert any("brings it back" in words for words in bench.notices)
        await bench.press("u")
        await bench.until(lambda: len(titles(screen)) == 3)
        await bench.press("u")
        await bench.until(lambda: any("Nothing was deleted here" in words for words in bench.notices))
        await bench.press("escape")
        assert "Bread wants flour." not in bench.text()


async def test_a_conversation_goes_to_a_file_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    async with workbench(tmp_path, size=(160, 45)) as bench:
        screen = await listed(bench, "tab", "home", "x")
        await bench.shows("Write to a file", "Recipes.md")
        await bench.press("enter")
        await bench.until(lambda: any("The conversation is in" in words for words in bench.notices))
        written = tmp_path / "work" / "Recipes.md"
        assert "Bread wants flour." in written.read_text("utf-8")
        await bench.press("x", "enter")
        await bench.until(lambda: any("is there already" in words for words in bench.notices))
        await bench.press("i", *"Recipes.md", "enter")
        await bench.until(lambda: titles(screen).count("Recipes") == 2)
        await bench.press("i", *"nothing.md", "enter")
        await bench.until(lambda: any("cannot be read" in words for words in bench.notices))


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Rivers of Silt", "Rivers of Silt"),
        ('"Rivers of Silt."', "Rivers of Silt"),
        ("\n\n**Title:** Rivers\nand more", "Rivers"),
        ("one two three four five six seven", "one two three four five six"),
        ("Title", ""),
        ("", ""),
        ("\x1b[31mRed\u202e", "Red"),
    ],
)
def test_a_title_is_what_an_answer_says_without_its_wrapping(answer: str, title: str) -> None:
    assert title_of(answer) == title
