"""Models come into memory and leave it again: the load panel, what it writes, what goes wrong, and an engine that
dies."""

from __future__ import annotations

from pathlib import Path

from tests.app.rig import KILLED, LLAMA, QWEN, World, home_paths, workbench, write_config
from tests.chat.scripted import Gate
from tui.app.panels.chat.state import Loading, NoModel, Ready
from tui.config.model_file import read_models, update_model
from tui.engine.errors import EngineDied, EngineError


async def test_the_panel_sets_loads_and_remembers(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("f2", "down", "enter")
        await bench.shows("Load qwen-coder Q8_0", "of 49; 0 keeps all in RAM", "nothing of its own")
        await bench.press("down", "right", "right", "down", "right")
        await bench.shows("n_ctx = 5120", 'type_k = "bf16"')
        await bench.press("enter")
        await bench.until(lambda: bench.app.desk.loading.ready)
        engine = bench.world.engine
        assert (engine.settings.n_ctx, engine.settings.type_k) == (5120, "bf16")
        assert isinstance(bench.status(), Ready)
        assert bench.app.bench.load is None
        assert bench.app.bench.library.loaded == QWEN.identity
        await bench.until(lambda: read_models(home_paths(tmp_path))[0])
        assert read_models(home_paths(tmp_path))[0] == {QWEN.identity: {"n_ctx": 5120, "type_k": "bf16"}}
        await bench.press("f4")
        await bench.shows("5 120", "bf16")


async def test_typing_a_number_auto_and_rubbing_out(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("f4")
        await bench.shows("Load tiny-llama")
        await bench.press("1", "2")
        await bench.shows("n_gpu_layers = 12")
        await bench.press("9")
        await bench.shows('n_gpu_layers = "all"', "31; more is all, too")
        await bench.press("backspace", "backspace")
        await bench.shows("n_gpu_layers = 1")
        await bench.press("a")
        await bench.shows("nothing of its own")


async def test_a_combination_that_cannot_be_is_said_in_words(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("f4")
        await bench.shows("Load tiny-llama")
        await bench.press("down", "down", "down", *["right"] * 2, "down", "left")
        await bench.shows("type_v: q8_0 needs flash attention")
        await bench.press("enter")
        assert not bench.app.desk.loading.loading, "settings that cannot be are not loaded"


async def test_stored_settings_that_cannot_be_are_told_and_left_alone(tmp_path: Path) -> None:
    folder = home_paths(tmp_path).config
    folder.mkdir(parents=True)
    (folder / "models.toml").write_text(f'["{LLAMA.identity}"]\nn_ctx = -5\n')
    async with workbench(tmp_path) as bench:
        await bench.press("f4")
        await bench.shows("models.toml: n_ctx: -5 is outside 1 to")
        assert (folder / "models.toml").read_text() == f'["{LLAMA.identity}"]\nn_ctx = -5\n'


async def test_loading_from_the_panel_keeps_what_it_does_not_show(tmp_path: Path) -> None:
    write_config(tmp_path, "[load]\nthreads = 2\n")
    file = home_paths(tmp_path).models_file
    kept = {"n_cpu_moe": 4, "swa_full": True, "n_ubatch": 256, "chat_template": "chatml", "devices": ["CUDA0"]}
    update_model(home_paths(tmp_path), LLAMA.identity, kept)
    async with workbench(tmp_path) as bench:
        await bench.press("f4")
        await bench.shows("Load tiny-llama")
        await bench.press("down", "right", "enter")
        await bench.until(lambda: bench.app.desk.loading.ready)
        settings = bench.world.engine.settings
        assert (settings.n_ctx, settings.threads, settings.n_cpu_moe) == (4096, 2, 4)
        assert (settings.swa_full, settings.n_ubatch, settings.chat_template) == (True, 256, "chatml")
        assert settings.devices == ("CUDA0",)
        await bench.until(lambda: "n_ctx" in file.read_text())
        assert read_models(home_paths(tmp_path))[0] == {LLAMA.identity: {**kept, "n_ctx": 4096}}


async def test_defaults_of_the_person_are_what_the_panel_starts_from(tmp_path: Path) -> None:
    write_config(tmp_path, "[load]\nn_ctx = 2048\n")
    async with workbench(tmp_path, World(["Hi."])) as bench:
        await bench.press("f4")
        await bench.shows("2 048", "nothing of its own")
        await bench.press("escape")
        await bench.until(lambda: bench.app.bench.load is None)
        await bench.write("Hello")
        await bench.shows("Hi.", "of 2 k")


async def test_escape_closes_the_panel_and_goes_back(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.press("f2", "enter")
        await bench.shows("Load tiny-llama")
        await bench.press("escape")
        await bench.until(lambda: bench.app.bench.load is None)
        assert bench.app.bench.view == "library"
        assert bench.app.bench.library.has_focus


async def test_a_model_with_a_problem_says_so_instead_of_loading(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.shows("! half-a-file  ends too early; get it again")
        await bench.press("f2", "end", "f4")
        await bench.until(lambda: any("half-a-file cannot be loaded: ends too early" in n for n in bench.notices))
        assert bench.app.bench.load is None


async def test_a_load_that_fails_is_told_with_what_to_do(tmp_path: Path) -> None:
    world = World()
    world.load_error = EngineError("memory", "the context does not fit into memory", "use a smaller n_ctx", ("a line",))
    async with workbench(tmp_path, world) as bench:
        await bench.press("f4", "enter")
        await bench.until(lambda: any("does not fit into memory. Use a smaller n_ctx." in n for n in bench.notices))
        assert isinstance(bench.status(), NoModel)
        await bench.press("escape", "L")
        await bench.shows("What the engine wrote last", "a line")


async def test_another_load_takes_the_place_of_a_model(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."], ["Two."])) as bench:
        await bench.write("first")
        await bench.shows("One.")
        first = bench.world.engine
        bench.app.desk.loading.load(QWEN)
        await bench.until(lambda: bench.app.desk.loading.ready and bench.world.engine is not first)
        assert first.closed
        await bench.shows("qwen-coder Q8_0")


async def test_unloading_gives_the_memory_back(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."])) as bench:
        await bench.write("first")
        await bench.shows("One.", "3 tokens")
        await bench.press("escape", "u")
        await bench.until(lambda: isinstance(bench.status(), NoModel))
        assert bench.world.engine.closed
        assert bench.app.bench.library.loaded == ""
        await bench.shows("One.", "writing loads tiny-llama")


async def test_an_engine_that_dies_leaves_the_answer_and_offers_safer_settings(tmp_path: Path) -> None:
    gate = Gate()
    async with workbench(tmp_path, World(["The first words", gate, KILLED], ["Whole."])) as bench:
        await bench.write("Tell me.")
        await bench.shows("The first words")
        bench.world.engine.die()
        gate.set()
        await bench.shows("the engine stopped", "something killed it (SIGKILL)", "Your words", "are kept.")
        await bench.shows("r reload with KV cache q8_0 (needs about 240 MiB less)", "a as before", "l the log")
        assert bench.app.bench.chat.transcript.has_focus
        await bench.press("l")
        await bench.shows("a last line")
        await bench.press("escape", "r")
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert (bench.world.engine.settings.type_k, bench.world.engine.settings.type_v) == ("q8_0", "q8_0")
        assert "the engine stopped while" not in bench.text()
        assert not home_paths(tmp_path).models_file.exists()
        bench.app.desk.loading.unload()
        await bench.until(lambda: not bench.app.desk.loading.ready)
        bench.app.desk.loading.load(LLAMA)
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert bench.world.engine.settings.type_k == "f16"


async def test_an_engine_that_was_stopped_is_reloaded_as_it_was(tmp_path: Path) -> None:
    stopped = EngineDied("waiting", -15, "it was asked to stop (SIGTERM)", ())
    async with workbench(tmp_path, World(["One."])) as bench:
        await bench.write("first")
        await bench.shows("One.", "3 tokens")
        bench.world.engine.die(stopped)
        await bench.shows("it was asked to stop (SIGTERM)", "r reload   l the log")
        await bench.press("r")
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert bench.world.engine.settings.type_k == "f16"


async def test_the_card_counts_the_answer_that_ended_before_the_death_was_told(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["The first words", KILLED])) as bench:
        await bench.write("Tell me.")
        await bench.shows("the engine stopped")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        bench.world.engine.die()
        await bench.shows("and the first 4 tokens or so of the answer are kept.")


async def test_an_engine_that_dies_can_be_loaded_as_before(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."], ["Two."])) as bench:
        await bench.write("first")
        await bench.shows("One.", "3 tokens")
        bench.world.engine.die()
        await bench.shows("the engine stopped")
        await bench.press("a")
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert bench.world.engine.settings.type_k == "f16"
        await bench.press("r")
        await bench.shows("Two.")


async def test_a_person_who_is_writing_is_not_interrupted_by_a_death(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["One."])) as bench:
        await bench.write("first")
        await bench.shows("One.", "3 tokens")
        await bench.press("a", "l", "s", "o")
        bench.world.engine.die()
        await bench.shows("the engine stopped")
        await bench.press("r")
        assert bench.app.bench.chat.editor.text == "alsor"


async def test_progress_of_a_load_is_shown_and_escape_stops_it(tmp_path: Path) -> None:
    world = World()
    world.load_gate = Gate()
    async with workbench(tmp_path, world) as bench:
        bench.app.desk.loading.load(LLAMA)
        await bench.until(lambda: bench.status() == Loading("tiny-llama", 0.5))
        bench.app.bench.go("chat")
        await bench.shows("loading tiny-llama", "50 %")
        await bench.press("escape")
        await bench.until(lambda: isinstance(bench.status(), NoModel))
        assert world.engines == []


async def test_a_model_without_a_template_is_told_of(tmp_path: Path) -> None:
    import msgspec

    async with workbench(tmp_path, World(["and so on."])) as bench:
        real = bench.world.start

        async def without(*arguments: object) -> object:
            engine = await real(*arguments)  # type: ignore[arg-type]
            engine.receipt = msgspec.structs.replace(engine.receipt, template=None)
            return engine

        bench.app.desk.loading.places._start = without  # type: ignore[assignment]
        await bench.write("Once upon a time")
        await bench.until(lambda: any("has no chat template" in words for words in bench.notices))
