"""Presets chosen in the workbench: what the model is then asked, and that a conversation keeps its own."""

from __future__ import annotations

from pathlib import Path

from tests.app.rig import Bench, World, home_paths, workbench, write_config


async def ask(bench: Bench, text: str) -> None:
    await bench.write(text)
    await bench.until(lambda: not bench.app.desk.chatting.busy)


async def choose(bench: Bench, name: str) -> None:
    await bench.press("alt+p")
    await bench.shows("How the next answers are made", "reasoning")
    await bench.press(*name, "enter")
    await bench.until(lambda: any(name in words for words in bench.notices))


async def test_a_preset_sets_prompt_and_sampling_and_stays_with_its_conversation(tmp_path: Path) -> None:
    write_config(tmp_path, '[chat]\nsystem = "Be kind."\ntop_k = 7\n')
    folder = home_paths(tmp_path).presets_dir
    folder.mkdir(parents=True)
    (folder / "terse.toml").write_text('[preset]\nsystem = "Be terse."\n[sampling]\ntemperature = 0.1\n')
    world = World(["One."], ["Two."], ["Three."], ["Four."])
    async with workbench(tmp_path, world) as bench:
        await choose(bench, "terse")
        await ask(bench, "first")
        engine = world.engine
        assert [(one.role, one.content) for one in engine.asked[0]] == [("system", "Be terse."), ("user", "first")]
        assert (engine.drawn[0].temperature, engine.drawn[0].top_k) == (0.1, 7)
        assert "terse" in bench.text()
        await bench.press("ctrl+n")
        await ask(bench, "second")
        assert engine.asked[1][0].content == "Be kind."
        assert engine.drawn[1].temperature == 0.8
        assert "terse" not in bench.text()
        await bench.app.desk.history.open(1)
        await bench.shows("terse")
        await ask(bench, "third")
        assert engine.asked[2][0].content == "Be terse."
        assert engine.drawn[2].temperature == 0.1
        await choose(bench, "as usual")
        await ask(bench, "fourth")
        assert engine.asked[3][0].content == "Be kind."
        assert engine.drawn[3].temperature == 0.8


async def test_a_broken_preset_is_told_and_the_others_are_offered(tmp_path: Path) -> None:
    folder = home_paths(tmp_path).presets_dir
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text("[sampling]\ntemperatura = 1\n")
    async with workbench(tmp_path) as bench:
        await bench.press("alt+p")
        await bench.shows("How the next answers are made", "code", "as usual")
        await bench.until(lambda: any("mine.toml, line 2" in words for words in bench.notices))
        assert "mine" not in bench.text()
        await bench.press("escape")
        assert bench.app.desk.presets.name == ""
