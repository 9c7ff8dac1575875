"""Two panes: opened and closed, one prompt for both, engines shared, side by side or in turn."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from textual.widgets import Input

from tests.app.rig import KILLED, QWEN, Bench, World, workbench
from tests.chat import scripted
from tests.chat.scripted import Gate
from tui.app.flows.pricing import Pricing
from tui.app.pane import Pane
from tui.app.panels.chat.state import NoModel
from tui.models.prepare import Prepared


async def split(bench: Bench, name: str = "") -> tuple[Pane, Pane]:
    """Open a second pane by keys, for the model called `name` or for the same."""
    await bench.press("alt+s")
    await bench.shows("What answers in the second pane?")
    await bench.press(*name, "enter")
    await bench.shows("opens it")
    await bench.press("enter")
    await bench.until(lambda: bench.app.desk.panes.split and not bench.app.desk.loading.loading)
    first, second = bench.app.desk.panes
    await bench.until(lambda: second.ready)
    return first, second


async def idle(bench: Bench) -> None:
    await bench.until(lambda: not any(pane.turns.busy or pane.turns.waiting for pane in bench.app.desk.panes))


def said(pane: Pane) -> list[str]:
    """What is said in a pane's conversation."""
    assert pane.turns.talk is not None
    return [message.content for message in pane.turns.talk.session.messages]


async def test_one_prompt_is_answered_in_both_panes_by_one_engine(tmp_path: Path) -> None:
    world = World(["One answer."], ["Another one."])
    async with workbench(tmp_path, world) as bench:
        first, second = await split(bench)
        await bench.write("Say something.")
        await bench.shows("One answer.", "Another one.", "both panes")
        await idle(bench)
        assert [engine.settings.panes for engine in world.engines] == [2]
        assert sorted(world.engine.panes) == [0, 1]
        assert {tuple(said(first)), tuple(said(second))} == {
            ("Say something.", "One answer."), ("Say something.", "Another one."),
        }  # fmt: skip
        await bench.shows("1.5 GiB shared, first word 0.2 s")


async def test_the_conversation_goes_on_in_both_panes_and_stays_in_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "TIMINGS", msgspec.structs.replace(scripted.TIMINGS, n_ctx_used=700))
    world = World(["Hello."], ["one"], ["two"])
    async with workbench(tmp_path, world) as bench:
        await bench.write("Hi.")
        await idle(bench)
        first, second = await split(bench)
        assert said(first) == said(second) == ["Hi.", "Hello."]
        one, both = world.engines
        assert one.closed
        moved = [line.removeprefix("tiny-llama ") for line in world.log if "saved" in line or "restored" in line]
        assert moved[1:] == ["saved c1", "restored c1", "restored c2", "restored c1"], "nothing of the copy is kept"
        await bench.write("And now?")
        await idle(bench)
        assert [len(messages) for messages in both.asked] == [3, 3]
        assert {said(first)[-1], said(second)[-1]} == {"one", "two"}


async def test_two_models_answer_at_once(tmp_path: Path) -> None:
    gates = Gate(), Gate()
    world = World([gates[0], "Llama's."], [gates[1], "Qwen's."])
    async with workbench(tmp_path, world, size=(160, 45)) as bench:
        first, second = await split(bench, "qwen")
        await bench.write("Who are you?")
        await bench.until(lambda: first.turns.busy and second.turns.busy and not world.scripts)
        for gate in gates:
            gate.set()
        await bench.shows("Llama's.", "Qwen's.", "▸ tiny-llama Q4_K_M", "qwen-coder Q8_0")
        await idle(bench)
        assert sorted(engine.name for engine in world.engines) == ["qwen-coder", "tiny-llama"]
        assert all(engine.alive and engine.panes == [0] for engine in world.engines)


async def test_a_prompt_for_one_pane_only(tmp_path: Path) -> None:
    world = World(["first"], ["second"], ["third"])
    async with workbench(tmp_path, world) as bench:
        first, second = await split(bench)
        await bench.press("alt+a")
        await bench.shows("left only")
        await bench.write("For the left one.")
        await idle(bench)
        assert (said(first), said(second)) == (["For the left one.", "first"], [])
        await bench.press("alt+x")
        await bench.shows("right only")
        await bench.write("For the right one.")
        await idle(bench)
        assert (len(said(first)), said(second)) == (2, ["For the right one.", "second"])
        await bench.press("up")
        assert bench.app.bench.chat.editor.text == "For the right one."


async def test_the_focus_chooses_a_pane_and_keys_are_about_it(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["three"])
    async with workbench(tmp_path, world) as bench:
        first, second = await split(bench)
        await bench.write("Count.")
        await idle(bench)
        await bench.press("escape", "tab")
        await bench.until(lambda: bench.app.desk.panes.chosen is second)
        assert second.view.transcript.has_focus
        await bench.press("r")
        await bench.until(lambda: said(second)[-1] == "three")
        assert said(first)[-1] != "three"


async def test_closing_keeps_the_chosen_pane(tmp_path: Path) -> None:
    world = World(["one"], ["two"], ["three"])
    async with workbench(tmp_path, world) as bench:
        first, second = await split(bench, "qwen")
        await bench.write("Count.")
        await idle(bench)
        await bench.press("alt+x", "alt+s")
        await bench.until(lambda: not bench.app.desk.panes.split)
        assert tuple(bench.app.desk.panes) == (second,)
        await bench.until(lambda: [engine.name for engine in world.engines if engine.alive] == ["qwen-coder"])
        await bench.write("On.")
        await bench.shows("three")
        assert len(said(second)) == 4
        assert len(said(first)) == 2
        assert "both panes" not in bench.text()


async def test_a_second_pane_can_be_opened_again(tmp_path: Path) -> None:
    world = World(["one"], ["two"])
    async with workbench(tmp_path, world) as bench:
        await split(bench)
        await bench.press("alt+s")
        await bench.until(lambda: not bench.app.desk.panes.split)
        first, second = await split(bench)
        assert len(world.engines) == 1, "it has room for two already"
        await bench.write("Count.")
        await idle(bench)
        assert {said(first)[-1], said(second)[-1]} == {"one", "two"}


async def test_an_engine_that_dies_is_told_of_in_both_panes_and_comes_back_for_both(tmp_path: Path) -> None:
    gate, other = Gate(), Gate()
    world = World(["par", gate, KILLED], ["tial", other, KILLED], ["new"], ["newer"])
    async with workbench(tmp_path, world) as bench:
        await split(bench)
        await bench.write("Tell.")
        await bench.shows("par", "tial")
        world.engine.die()
        gate.set()
        other.set()
        await bench.until(lambda: bench.text().count("the engine stopped") >= 2)
        await idle(bench)
        await bench.press("escape", "a")
        await bench.until(lambda: all(pane.ready for pane in bench.app.desk.panes))
        assert world.engine.settings.panes == 2
        await bench.write("Again.")
        await bench.shows("new", "newer")


async def test_each_conversation_goes_on_with_the_other_model(tmp_path: Path) -> None:
    world = World(["a"], ["b"], ["c"])
    async with workbench(tmp_path, world, size=(160, 45)) as bench:
        first, second = await split(bench, "qwen")
        await bench.write("Who?")
        await idle(bench)
        before = said(first)
        await bench.press("escape", "M")
        await bench.shows("▸ qwen-coder Q8_0")
        await bench.press("alt+a")
        await bench.write("And you?")
        await idle(bench)
        assert said(first)[:2] == before
        assert first.turns.talk is not None
        assert [message.model for message in first.turns.talk.session.messages if message.model] == [
            "tiny-llama Q4_K_M", "qwen-coder Q8_0",
        ]  # fmt: skip
        assert second.owns(bench.app.bench.library.rows[0])


async def test_answers_are_drawn_otherwise_in_one_pane(tmp_path: Path) -> None:
    world = World(["a"], ["b"])
    async with workbench(tmp_path, world, size=(160, 45)) as bench:
        await split(bench)
        await bench.press("escape")
        for words in ("seed 7, temperature 0", "seed 7, heat 3"):
            await bench.press("A")
            bench.app.screen.query_one(Input).value = words
            await bench.press("enter")
        await bench.shows("tiny-llama Q4_K_M (seed 7, tempera")
        await bench.until(lambda: any("no such setting" in words for words in bench.notices))
        await bench.write("Draw.")
        await idle(bench)
        drawn = dict(zip(world.engine.panes, world.engine.drawn, strict=True))
        seeds = sorted((one.seed is None, one.seed, one.temperature == 0) for one in drawn.values())
        assert seeds[0] == (False, 7, True)
        assert seeds[1][0] is True


def crowded(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A machine that holds one model at a time."""

    async def prepare(_fitting: Any, _paths: Any, _model: Any, wished: Any, _settings: Any) -> Prepared:
        full = any(engine.alive for engine in world.engines)
        found = SimpleNamespace(verdict="no" if full else "ram", missing_bytes=1 << 30)
        return Prepared(wished, wished, assessment=cast(Any, found))

    async def quote(_self: Pricing, *_args: object, **_more: object) -> Any:
        return SimpleNamespace(assessment=SimpleNamespace(verdict="ram", missing_bytes=0))

    monkeypatch.setattr("tui.models.prepare.prepare", prepare)
    monkeypatch.setattr(Pricing, "quote", quote)


async def test_models_that_do_not_fit_together_take_turns_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    world = World(["Hello."], [gate, "Qwen's."], ["Llama's."], ["Llama's second."], ["Qwen's second."])
    crowded(monkeypatch, world)
    async with workbench(tmp_path, world) as bench:
        await bench.write("Hi.")
        await idle(bench)
        await bench.app.desk.panes.open(QWEN)
        first, second = bench.app.desk.panes
        await bench.until(lambda: second.ready)
        assert "they answer one after the other" in bench.notices[-1]
        assert [engine.name for engine in world.engines if engine.alive] == ["qwen-coder"]
        await bench.write("Who are you?")
        await bench.until(lambda: second.turns.busy and first.turns.busy)
        assert [engine.name for engine in world.engines if engine.alive] == ["qwen-coder"]
        gate.set()
        await idle(bench)
        assert (said(first)[-1], said(second)[-1]) == ("Llama's.", "Qwen's.")
        await bench.write("Once more.")
        await idle(bench)
        assert (said(first)[-1], said(second)[-1]) == ("Llama's second.", "Qwen's second.")
        assert [line for line in world.log if "loaded" in line] == [
            "tiny-llama loaded", "qwen-coder loaded", "tiny-llama loaded", "qwen-coder loaded",
        ]  # fmt: skip


async def test_what_fits_in_no_way_is_refused_and_the_other_pane_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(["Hello."], ["Still here."])
    crowded(monkeypatch, world)

    async def nothing(_self: Pricing, *_args: object, **_more: object) -> None:
        return None

    monkeypatch.setattr(Pricing, "quote", nothing)
    async with workbench(tmp_path, world) as bench:
        await bench.write("Hi.")
        await idle(bench)
        await bench.app.desk.panes.open(QWEN)
        await bench.until(lambda: any("does not fit" in words for words in bench.notices))
        first, second = bench.app.desk.panes
        assert isinstance(second.view.status, NoModel)
        await bench.press("alt+a")
        await bench.write("And you?")
        await idle(bench)
        assert said(first)[-1] == "Still here."


@pytest.mark.parametrize(("size", "shown"), [((160, 45), 2), ((80, 24), 2), ((60, 13), 1), ((40, 10), 1)])
async def test_panes_stand_beside_each_other_or_on_each_other_or_one_is_shown(
    tmp_path: Path, size: tuple[int, int], shown: int
) -> None:
    async with workbench(tmp_path, World(["one"], ["two"]), size=size) as bench:
        first, second = await split(bench)
        await bench.pilot.pause()
        assert sum(pane.view.display for pane in (first, second)) == shown
        if shown == 2:
            beside = first.view.region.y == second.view.region.y
            assert beside == (size[0] >= 100)
        await bench.press("alt+x")
        assert second.view.display
        assert first.view.display == (shown == 2)


async def test_a_split_while_nothing_is_loaded_loads_once_for_both(tmp_path: Path) -> None:
    async with workbench(tmp_path, World(["one"], ["two"])) as bench:
        await split(bench)
        assert bench.world.log == ["tiny-llama loading", "tiny-llama loaded"]
