"""The context bar: what is written is counted, and a turn that would not fit is asked about before it is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from tests.app.rig import KILLED, LLAMA, Bench, Scripted, World, home_paths, workbench
from tests.chat import scripted
from tests.chat.scripted import Gate
from tui.app.flows import context
from tui.app.flows.pricing import Pricing
from tui.app.panels.chat.state import Ready
from tui.app.screens.choose import ChooseScreen
from tui.chat.errors import StoreError
from tui.chat.prompt import SUMMARISE
from tui.chat.session import ChatSession
from tui.engine.errors import EngineError
from tui.library import Model
from tui.llama.settings import LoadSettings
from tui.models.fitting import Priced

WORDS = "word " * 3000
"""In an engine that counts words, with a context of 8192."""


def ready(bench: Bench) -> Ready:
    status = bench.status()
    assert isinstance(status, Ready), status
    return status


async def talk(bench: Bench, *texts: str) -> None:
    for text in texts:
        await bench.write(text)
        await bench.until(lambda: not bench.app.desk.chatting.busy)


async def asks(bench: Bench) -> None:
    """Wait until what to do is asked."""
    await bench.until(lambda: isinstance(bench.app.screen, ChooseScreen))


@pytest.fixture(autouse=True)
def each_turn_takes_3000(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the engine would say after each answer."""
    monkeypatch.setattr(scripted, "TIMINGS", msgspec.structs.replace(scripted.TIMINGS, n_ctx_used=3000))


async def test_what_is_written_is_counted_when_one_rests(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"])) as bench:
        await talk(bench, "first")
        bench.app.bench.chat.editor.text = "five words are written here"
        await bench.until(lambda: ready(bench).writing == 5)
        assert "+ 5 of 8 k" in bench.text()
        assert "about 1 more turn" in bench.text()
        bench.app.bench.chat.editor.clear()
        await bench.until(lambda: ready(bench).writing == 0)


async def test_a_turn_that_would_not_fit_is_not_sent_and_its_words_stay(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"])) as bench:
        await talk(bench, WORDS, WORDS)
        await bench.write(WORDS)
        await asks(bench)
        assert "no room for an answer" in bench.text()
        for way in ("Leave out the oldest", "Put a summary", "more context"):
            assert way in bench.text()
        await bench.press("escape")
        assert bench.app.bench.chat.editor.text == WORDS
        assert len(bench.world.engine.asked) == 2, "nothing was sent"
        assert len(bench.app.desk.chatting.talk.session.messages) == 4  # type: ignore[union-attr]


async def test_the_oldest_turns_are_left_out(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["three"], ["four"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, f"oldest {WORDS}", f"second {WORDS}")
        await bench.write(f"third {WORDS}")
        await asks(bench)
        assert "oldest word" in bench.text()
        editor = bench.app.bench.chat.editor
        editor.text += "\nwritten while it was counted"
        await bench.press("enter")
        await bench.shows("three")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        assert editor.text == "written while it was counted"
        assert [message.content.split()[0] for message in world.engine.asked[-1]] == ["second", "two", "third"]
        await bench.press("home")
        assert len(bench.app.desk.chatting.talk.session.messages) == 6, "all of it stays"  # type: ignore[union-attr]


async def test_a_summary_takes_their_place(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["They spoke of words."], ["three"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, f"oldest {WORDS}", f"second {WORDS}")
        await bench.write(f"third {WORDS}")
        await asks(bench)
        await bench.press("down", "enter")
        await bench.shows("three")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        asked_for_summary, sent = world.engine.asked[-2:]
        assert asked_for_summary[-1].content == SUMMARISE
        assert sent[0].role == "system"
        assert "They spoke of words." in sent[0].content
        assert [message.content.split()[0] for message in sent[1:]] == ["second", "two", "third"]


async def test_a_summary_that_is_stopped_leaves_nothing_out_and_the_words_come_back(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"], [Gate()])) as bench:
        await talk(bench, f"oldest {WORDS}", f"second {WORDS}")
        await bench.write(f"third {WORDS}")
        await asks(bench)
        await bench.press("down", "enter")
        await bench.until(lambda: len(bench.world.engine.asked) == 3)
        assert bench.app.desk.chatting.busy
        await bench.press("escape")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        await bench.until(lambda: bench.app.bench.chat.editor.text == f"third {WORDS}")
        session = bench.app.desk.chatting.talk.session  # type: ignore[union-attr]
        assert session.conversation is not None
        assert session.conversation.left_out_to is None
        assert len(session.messages) == 4


async def test_a_prompt_that_is_too_long_by_itself_is_not_met_by_leaving_others_out(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"])) as bench:
        await talk(bench, WORDS)
        await bench.write("word " * 9000)
        await asks(bench)
        assert "this prompt alone leaves no room" in bench.text()
        assert "Leave out" not in bench.text()


async def test_the_model_is_loaded_with_more_context_at_its_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def quote(_self: Pricing, _model: Model, wished: LoadSettings, *_more: object) -> Priced:
        assessment = SimpleNamespace(need_bytes=3 << 30, verdict="ram")
        return cast("Priced", SimpleNamespace(settings=wished, assessment=assessment))

    monkeypatch.setattr(Pricing, "quote", quote)
    world = World(["one"], ["two"], ["three"])
    trained = replace(LLAMA, n_ctx_train=65536)
    async with workbench(tmp_path, world, models=(trained,)) as bench:
        await talk(bench, WORDS, WORDS)
        await bench.write(WORDS)
        await asks(bench)
        assert "Load the model with n_ctx 11 264" in bench.text()
        assert "3.0 GiB, fits" in bench.text()
        await bench.press("down", "down", "enter")
        await bench.shows("three")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        assert len(world.engines) == 2
        assert world.engine.settings.n_ctx == 11264


async def test_what_a_model_that_was_on_its_way_had_no_room_for_is_counted_then(tmp_path: Path) -> None:
    full = EngineError("context", "the prompt has 9005 tokens", "shorten it")
    async with workbench(tmp_path, World(["one"], ["two"], [full], ["three"])) as bench:
        await talk(bench, WORDS, WORDS)
        bench.app.desk.loading.unload()
        await bench.until(lambda: "tiny-llama closed" in bench.world.log)
        await bench.write(WORDS)
        await asks(bench)
        assert "9.0 k of 8 k tokens" in bench.text()
        assert "Leave out the oldest turn" in bench.text()
        await bench.press("enter")
        await bench.shows("three")
        assert len(bench.world.engine.asked[-1]) == 3


async def test_words_come_back_where_they_could_not_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def died(*_self: object, **_more: object) -> int:
        raise KILLED

    async with workbench(tmp_path, World(["one"])) as bench:
        await talk(bench, WORDS)
        monkeypatch.setattr(Scripted, "count_tokens", died)
        await bench.write(f"second {WORDS}{WORDS}")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        await bench.until(lambda: bench.app.bench.chat.editor.text == f"second {WORDS}{WORDS}")


async def test_a_new_version_that_cannot_be_stored_is_edited_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_args: object) -> None:
        raise StoreError("full", "the disk is full")

    async with workbench(tmp_path, World(["one"])) as bench:
        await talk(bench, "first")
        await bench.press("escape", "[", "[", "E")
        monkeypatch.setattr(ChatSession, "_add_user", refuse)
        bench.app.bench.chat.editor.text = "better"
        await bench.press("enter")
        await bench.until(lambda: bench.app.bench.chat.editor.text == "better")
        edited = bench.app.desk.branches.editing
        assert edited is not None
        assert edited.content == "first"


async def test_a_large_prompt_is_counted_again_only_when_much_of_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "LARGE_CHARS", 100)
    monkeypatch.setattr(context, "REST_S", 0.0)
    engine, counted = Scripted(World(), "m", LoadSettings()), context.Counted()
    asked: list[str] = []
    count = engine.count_tokens

    async def counting(*, text: str) -> int:
        asked.append(text)
        return await count(text=text)

    monkeypatch.setattr(engine, "count_tokens", counting)
    large = "word " * 80
    assert [await counted.of(engine, text) for text in ("few words", large, large + "word ", large, large * 2)] == [
        2, 80, 81, 80, 160,
    ]  # fmt: skip
    assert [len(text) for text in asked] == [9, 400, 800]


async def test_it_is_sent_as_it_is_where_one_wants_that(tmp_path: Path) -> None:
    world = World(["one"])
    async with workbench(tmp_path, world) as bench:
        bench.app.desk.loading.load(bench.app.bench.library.rows[0])
        await bench.until(lambda: bench.app.desk.loading.ready)
        await bench.write("word " * 8000)
        await asks(bench)
        await bench.press("down", "enter")
        await bench.shows("one")
        assert bench.app.bench.chat.editor.text == ""


async def test_what_the_context_holds_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["three"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, "first")
        await bench.press("ctrl+n")
        await bench.until(lambda: "tiny-llama saved c1" in world.log)
        await talk(bench, "other")
        await bench.app.desk.history.open(1)
        await bench.until(lambda: "tiny-llama restored c1" in world.log)
        assert "tiny-llama saved c2" in world.log
        assert any("nothing is read twice" in words for words in bench.notices)
        await talk(bench, "more")
        await bench.press("escape", "u")
        await bench.until(lambda: "tiny-llama closed" in world.log)
        assert world.log.index("tiny-llama closing") > len(world.log) - 1 - world.log[::-1].index("tiny-llama saved c1")


async def test_a_model_that_nobody_talks_to_leaves_memory(tmp_path: Path) -> None:
    from tests.app.rig import write_config

    write_config(tmp_path, "[engine]\nunload_after_min = 0.002\n")
    world = World(["one"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, "first")
        await bench.until(lambda: "tiny-llama closed" in world.log)
        assert any("nobody has talked with it" in words for words in bench.notices)


async def test_one_that_is_to_stay_warm_stays(tmp_path: Path) -> None:
    from tests.app.rig import write_config

    write_config(tmp_path, '[engine]\nunload_after_min = 0.001\nkeep_warm = ["tiny-llama"]\n')
    async with workbench(tmp_path, World(["one"])) as bench:
        await talk(bench, "first")
        due = bench.app.desk.idle
        await bench.until(lambda: due._timer is not None and due._timer._task is not None and due._timer._task.done())
        assert bench.app.desk.loading.ready


async def test_a_message_that_is_edited_is_not_counted_beside_its_new_version(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["other"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, WORDS, f"second {WORDS}")
        await bench.press("escape", "[", "[", "E")
        bench.app.bench.chat.editor.text = f"better {WORDS}"
        await bench.press("enter")
        await bench.shows("other")
        assert [message.content.split()[0] for message in world.engine.asked[-1]] == ["word", "one", "better"]


async def test_a_new_version_that_would_not_fit_stays_one(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["other"])
    async with workbench(tmp_path, world) as bench:
        await talk(bench, WORDS, "second")
        await bench.press("escape", "[", "[", "E")
        editor = bench.app.bench.chat.editor
        editor.text = f"better {WORDS}{WORDS}"
        await bench.press("enter")
        await asks(bench)
        await bench.press("escape")
        assert "new version" in bench.text()
        assert editor.text == f"better {WORDS}{WORDS}"
        await bench.press("enter")
        await asks(bench)
        await bench.press("enter")
        await bench.shows("other")
        assert [message.content.split()[0] for message in world.engine.asked[-1]] == ["better"]
        assert "new version" not in bench.text()


async def test_the_bar_counts_the_version_that_is_shown(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["of three words"])) as bench:
        await talk(bench, "first")
        await bench.press("escape", "r")
        await bench.shows("of three words", "2/2")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        await bench.press("[", "left")
        await bench.until(lambda: ready(bench).used == 2)
        await bench.press("left")
        await bench.until(lambda: ready(bench).used == 4)


async def test_a_preset_changes_what_the_bar_counts(tmp_path: Path) -> None:
    folder = home_paths(tmp_path).presets_dir
    folder.mkdir(parents=True)
    (folder / "terse.toml").write_text('[preset]\nsystem = "Be terse."\n')
    async with workbench(tmp_path, World(["one"])) as bench:
        await talk(bench, "first")
        await bench.press("alt+p")
        await bench.shows("How the next answers are made", "terse")
        await bench.press(*"terse", "enter")
        await bench.until(lambda: ready(bench).used == 4)
