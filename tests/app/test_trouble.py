"""What can go wrong around a session: full and foreign disks, prompts that do not fit, a second puna, lost files. The
screen lives each time, nothing is lost, and the words say what to do.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.app.rig import LLAMA, QWEN, World, a_model, home_paths, workbench, write_config
from tests.chat.scripted import Gate
from tui.app import remember
from tui.app.app import Opening
from tui.app.failures import LOG_LIMIT_BYTES, keep
from tui.app.messages import ModelsFound
from tui.chat.store import Store
from tui.engine.errors import EngineError
from tui.llama.settings import SettingsError


async def test_a_prompt_longer_than_the_context_is_told_with_both_numbers(tmp_path: Path) -> None:
    too_long = EngineError(
        "context",
        "the prompt has 9000 tokens, but the context holds 8192, and the answer needs room, too",
        "shorten it, or reload the model with n_ctx above 9000",
    )
    async with workbench(tmp_path, World([too_long], ["Fits."])) as bench:
        await bench.write("A whole book")
        await bench.until(lambda: any("n_ctx above 9000" in words for words in bench.notices))
        await bench.shows("9000 tokens", "8192", "A whole book")
        await bench.write("A page")
        await bench.shows("Fits.")


async def test_a_history_of_another_program_leaves_conversations_in_memory(tmp_path: Path) -> None:
    file = home_paths(tmp_path).history_file
    file.parent.mkdir(parents=True)
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE recipes (name)")
    database.commit()
    database.close()
    before = file.read_bytes()
    async with workbench(tmp_path, World(["Still here."])) as bench:
        await bench.until(lambda: any(". Until then conversations are kept in memory" in n for n in bench.notices))
        await bench.write("Are you?")
        await bench.shows("Still here.")
    assert file.read_bytes() == before


async def test_a_question_that_cannot_be_stored_is_not_asked_and_comes_back(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["Never."])) as bench:
        talk = bench.app.desk.chatting.talk
        assert talk is not None

        async def refuse(job: object) -> None:
            from tui.chat.errors import StoreError

            raise StoreError("full", "the disk is full", "free some space, then send it again")

        talk._store.call = refuse  # type: ignore[method-assign, assignment]
        await bench.write("Remember me")
        await bench.until(lambda: any("the disk is full" in words for words in bench.notices))
        assert bench.app.bench.chat.editor.text == "Remember me"


async def test_settings_that_cannot_be_written_are_told_and_the_load_goes_on(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        folder = home_paths(tmp_path).config
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.write_text("a file where the folder should be")
        await bench.press("f4")
        await bench.shows("Load tiny-llama")
        await bench.press("down", "right", "enter")
        await bench.until(lambda: bench.app.desk.loading.ready)
        await bench.until(lambda: any("models.toml" in words for words in bench.notices))
        assert bench.world.engine.settings.n_ctx == 4096


async def test_a_broken_config_is_told_with_file_and_line_and_defaults_count(tmp_path: Path) -> None:
    write_config(tmp_path, '[ui]\ntheem = "laguna"\n\n[chat]\ntemperature = "hot"\n')
    async with workbench(tmp_path, World(["Hi."])) as bench:
        await bench.until(lambda: bench.notices)
        told = bench.notices[0]
        assert "line 2: ui.theem" in told
        assert "did you mean ui.theme?" in told
        assert "line 5: chat.temperature" in told
        await bench.write("Hello")
        await bench.shows("Hi.")


async def test_sampling_that_llama_cpp_cannot_take_is_told_and_the_default_counts(tmp_path: Path) -> None:
    write_config(tmp_path, "[chat]\ntop_p = 7.0\n")
    async with workbench(tmp_path, World(["Hi."])) as bench:
        await bench.write("Hello")
        await bench.shows("Hi.")
        assert any("top_p: 7.0 is outside 0.0 to 1.0" in words for words in bench.notices)


async def test_a_model_that_went_away_is_told_in_words(tmp_path: Path) -> None:
    world = World()
    world.load_error = EngineError("load", "/models/tiny-llama.gguf is not there any more", "R looks for models again")
    async with workbench(tmp_path, world) as bench:
        await bench.write("Hello")
        await bench.shows("Hello", "is not there any more; R looks for models again")
        assert not bench.app.desk.chatting.busy


@pytest.mark.parametrize(
    "error", [RuntimeError("unforeseen"), SettingsError("n_ctx", "9 is too small"), OSError(5, "I/O")]
)
async def test_whatever_a_load_raises_the_panel_does_not_wait_for_ever(tmp_path: Path, error: Exception) -> None:
    async with workbench(tmp_path) as bench:

        def fail(*_arguments: object) -> None:
            raise error

        bench.app.desk.loading.engines._prepare = fail  # type: ignore[assignment]
        await bench.write("Hello")
        await bench.shows(str(error))
        assert not bench.app.desk.loading.loading
        assert not bench.app.desk.chatting.busy


async def test_a_worker_that_fails_is_told_in_words_and_its_traceback_kept(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:

        def fail() -> None:
            raise ValueError("the moon is in the wrong place")

        bench.app.desk.background.thread(fail, "moon", "look at the moon")
        await bench.until(lambda: bench.notices)
        assert bench.notices[0].startswith("Could not look at the moon: the moon is in the wrong place.")
        log = home_paths(tmp_path).log_file
        assert str(log) in bench.notices[0]
        assert "Traceback" in log.read_text()


def test_the_log_does_not_grow_for_ever(tmp_path: Path) -> None:
    log = tmp_path / "puna.log"
    log.write_text("x" * (LOG_LIMIT_BYTES + 1))
    keep(ValueError("next"), log)
    assert log.stat().st_size < 1000
    assert (tmp_path / "puna.log.1").stat().st_size > LOG_LIMIT_BYTES


async def test_two_copies_share_history_and_settings(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["First half", gate, "."])) as one:
        await one.write("From the first")
        await one.shows("First half")
        async with workbench(tmp_path, World(["Second."])) as two:
            await two.write("From the second")
            await two.shows("Second.", "3 tokens")
            await two.press("f6")
            await two.shows("From the first", "From the second")
            await two.press("f", "i", "r", "s", "t", "enter")
            await two.shows("From the first", "being written in another window")
            await two.press("f4")
            await two.shows("Load tiny-llama")
            await two.press("down", "right", "enter")
            await two.until(lambda: home_paths(tmp_path).models_file.exists())
        gate.set()
        await one.shows("First half.", "3 tokens")
        await one.press("f4")
        await one.shows("4 096")


async def test_the_model_used_last_is_selected_next_time_and_else_the_smallest(tmp_path: Path) -> None:
    huge = a_model("a-huge-one", gib=400)
    async with workbench(tmp_path, models=(huge, LLAMA, QWEN)) as bench:
        assert bench.app.bench.library.selected == LLAMA
        bench.app.desk.loading.load(QWEN)
        await bench.until(lambda: remember.read(home_paths(tmp_path)).get("model") == QWEN.identity)
    used = remember.read(home_paths(tmp_path))["model"]
    async with workbench(tmp_path, models=(huge, LLAMA, QWEN), opening=Opening(prefer=used)) as bench:
        assert bench.app.bench.library.selected == QWEN
        bench.app.desk.on_models_found(ModelsFound((huge, LLAMA)))
        assert bench.app.bench.library.selected == LLAMA


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"model": 7, "cut_off": "x"}'])
async def test_what_is_remembered_may_be_broken(tmp_path: Path, content: bytes) -> None:
    file = home_paths(tmp_path).state / "screen.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    async with workbench(tmp_path) as bench:
        assert bench.notices == []


async def test_an_answer_cut_off_by_a_signal_is_kept_and_offered_next_time(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["The first words", gate])) as bench:
        await bench.write("Tell me.")
        await bench.shows("The first words")
        bench.app.leave_soon(129)
        await bench.until(lambda: not bench.app.is_running)
        assert bench.app.return_code == 129
    store = Store(home_paths(tmp_path).history_file)
    (conversation,) = store.conversations()
    assert store.thread(conversation.id)[-1].content == "The first words"
    store.close()
    async with workbench(tmp_path) as bench:
        await bench.until(lambda: any("cut off when puna ended: ^o continues it" in words for words in bench.notices))
        await bench.shows("^o cut off")
        await bench.press("f3")
        await bench.shows("The last answer was cut off:", "^o continues it")
        await bench.press("ctrl+o")
        await bench.shows("Tell me.", "The first words", "stopped")
        assert "^o cut off" not in bench.text()
        remember.keep(home_paths(tmp_path), cut_off=conversation.id)
    async with workbench(tmp_path) as bench:
        history = bench.app.desk.history
        await bench.until(lambda: history.cut_off == conversation.id)
        await history.open(conversation.id)
        assert history.cut_off is None, "whatever way leads back to it"
    async with workbench(tmp_path) as bench:
        assert bench.notices == [], "it is offered once"


async def test_an_answer_that_a_kill_left_behind_is_told_of(tmp_path: Path) -> None:
    store = Store(home_paths(tmp_path).history_file)
    conversation = store.create_conversation()
    question = store.add_message(conversation.id, None, "user", "Tell me.")
    answer = store.begin_answer(question.id, "tiny-llama")
    store.append(answer.id, "Some words")
    store._database.close()  # as a kill leaves it: nothing is cut
    store._owner.release()
    async with workbench(tmp_path) as bench:
        await bench.until(lambda: any("1 unfinished answer of last time is kept" in words for words in bench.notices))
        await bench.press("escape", "C")
        await bench.shows("Some words", "cut off when puna ended")


async def test_the_named_model_is_loaded_wherever_it_lies(tmp_path: Path, tiny_llama: Path) -> None:
    opening = Opening(view="chat", model=str(tiny_llama))
    async with workbench(tmp_path, World(["Hi."]), opening=opening) as bench:
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert bench.world.engine.name == "tiny-llama"
        selected = bench.app.bench.library.selected
        assert selected is not None
        assert selected.path == tiny_llama
        await bench.write("Hello")
        await bench.shows("Hi.")


async def test_a_name_that_means_nothing_is_told(tmp_path: Path) -> None:
    async with workbench(tmp_path, opening=Opening(view="chat", model="no-such-model")) as bench:
        await bench.until(lambda: any("no-such-model" in words for words in bench.notices))
        assert bench.world.engines == []


async def test_leaving_while_a_model_loads_ends_everything(tmp_path: Path) -> None:
    world = World()
    world.load_gate = asyncio.Event()
    async with workbench(tmp_path, world) as bench:
        await bench.write("Hello")
        await bench.shows("loading tiny-llama")
        await bench.press("ctrl+q")
        await bench.until(lambda: not bench.app.is_running)
        assert bench.app.return_code == 0
