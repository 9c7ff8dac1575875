"""A conversation goes on in another engine where it stopped, without being read again, and as if it had never stopped.

The measure: an engine that was never interrupted, with the same calls, gives the same tokens.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.asking import GREEDY, Answer, ask, assistant, collect, running, user
from tests.rigs.gguf_maker import Architecture, tiny_model
from tui.engine.client import Engine, EngineError

STORY = " ".join(f"word{number} and {number * 7} more" for number in range(60))
TURNS = [user(STORY), assistant("White, and very cold."), user("And of the cats?")]


@pytest.fixture(params=["llama", "gemma3", "mamba", "jamba"])
def model(request: pytest.FixtureRequest, models_dir: Path) -> Path:
    """Dense, sliding window (of 64 tokens: much shorter than the story), recurrent, hybrid."""
    architecture: Architecture = request.param
    path = models_dir / f"state-{architecture}.gguf"
    return path if path.exists() else tiny_model(path, architecture)


@asynccontextmanager
async def engine_of(path: Path, engines_dir: Path, **settings: Any) -> AsyncIterator[Engine]:
    """With room for the story."""
    async with running(path, engines_dir, **{"n_ctx": 2048, **settings}) as engine:
        yield engine


@pytest.fixture
def states(tmp_path: Path) -> Path:
    """Where states are kept."""
    return tmp_path / "states"


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def fresh(answer: Answer) -> int:
    return answer.done.timings.prefilled_tokens


async def test_a_conversation_goes_on_in_another_process(model: Path, engines_dir: Path, states: Path) -> None:
    async with engine_of(model, engines_dir) as engine:
        held = (await ask(engine, TURNS[:1], max_tokens=0)).done.timings.n_ctx_used
        assert await engine.save_state(states, "c1") > 0
        uninterrupted = await ask(engine, TURNS, max_tokens=20)
    async with engine_of(model, engines_dir) as engine:
        assert await engine.restore_state(states, "c1") == held
        answer = await ask(engine, TURNS, max_tokens=20)
        assert fresh(answer) == answer.done.timings.prompt_tokens - held
        assert answer.text == uninterrupted.text
        assert await engine.restore_state(states, "c1") == held, "reading it does not use it up"
        assert (await ask(engine, TURNS, max_tokens=20)).text == uninterrupted.text


async def test_what_would_be_computed_wrongly_is_read_again(models_dir: Path, engines_dir: Path, states: Path) -> None:
    """A window that has moved on holds nothing of what was before it: going back there is not going on."""
    path = models_dir / "state-gemma3.gguf"
    model = path if path.exists() else tiny_model(path, "gemma3")
    edited = [user(STORY[: len(STORY) // 2] + " but otherwise"), *TURNS[1:]]
    async with engine_of(model, engines_dir) as engine:
        expected = await ask(engine, edited, max_tokens=8)
        await ask(engine, TURNS, max_tokens=0)
        await engine.save_state(states, "c1")
    async with engine_of(model, engines_dir) as engine:
        assert await engine.restore_state(states, "c1") > 0
        answer = await ask(engine, edited, max_tokens=8)
        assert fresh(answer) == answer.done.timings.prompt_tokens
        assert answer.text == expected.text


@pytest.mark.live
async def test_the_demo_model_goes_on(demo_model: Path, engines_dir: Path, states: Path) -> None:
    question = [user("Name three rivers of Europe, and one sentence on each.")]
    async with engine_of(demo_model, engines_dir, n_ctx=512) as engine:
        first = await ask(engine, question, max_tokens=24)
        more = [*question, assistant(first.text), user("Which is the longest?")]
        await engine.save_state(states, "c1")
        expected = await ask(engine, more, max_tokens=16)
    async with engine_of(demo_model, engines_dir, n_ctx=512) as engine:
        assert await engine.restore_state(states, "c1") == first.done.timings.n_ctx_used
        answer = await ask(engine, more, max_tokens=16)
        assert fresh(answer) == fresh(expected)
        assert answer.text == expected.text


async def test_panes_keep_their_own(tiny_llama: Path, engines_dir: Path, states: Path) -> None:
    async with engine_of(tiny_llama, engines_dir, n_ctx=512, panes=2) as engine:
        texts = ["the snow is white", "cats and dogs"]
        alone = [(await ask(engine, text, max_tokens=6, pane=pane)).text for pane, text in enumerate(texts)]
        for pane in (0, 1):
            await engine.save_state(states, f"c{pane}", pane=pane)
    async with engine_of(tiny_llama, engines_dir, n_ctx=512, panes=2) as engine:
        for pane in (0, 1):
            assert await engine.restore_state(states, f"c{1 - pane}", pane=pane) > 0
        for pane in (0, 1):
            answer = await ask(engine, texts[1 - pane], max_tokens=6, pane=pane)
            assert fresh(answer) == 1
            assert answer.text == alone[1 - pane]


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)], ids=["widened", "narrowed"])
async def test_a_conversation_stays_when_there_are_more_panes_or_fewer(
    model: Path, engines_dir: Path, states: Path, before: int, after: int
) -> None:
    async with engine_of(model, engines_dir, panes=before) as engine:
        held = (await ask(engine, TURNS[:1], max_tokens=0, pane=before - 1)).done.timings.n_ctx_used
        assert await engine.save_state(states, "c1", pane=before - 1) > 0
    async with engine_of(model, engines_dir, panes=after) as engine:
        for pane in range(after):
            assert await engine.restore_state(states, "c1", pane=pane) == held
        answer = await ask(engine, TURNS, max_tokens=2, pane=after - 1)
        assert fresh(answer) == answer.done.timings.prompt_tokens - held


def test_logits_are_the_same_in_a_context_of_more_or_fewer_sequences(model: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rigs.moved_logits", str(model)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout)
    bound = max(2 * found["noise"], 1e-3)
    assert max(found["moved"].values()) <= bound, found
    assert found["different"] > 10 * bound, "the bound could not tell one text from another"


@pytest.mark.parametrize("settings", [{"type_k": "bf16"}, {"swa_full": True}, {"rope_freq_scale": 0.5}], ids=str)
async def test_other_settings_find_nothing(
    tiny_llama: Path, engines_dir: Path, states: Path, settings: dict[str, Any]
) -> None:
    async with engine_of(tiny_llama, engines_dir) as engine:
        await ask(engine, "the snow is white", max_tokens=1)
        await engine.save_state(states, "c1")
    async with engine_of(tiny_llama, engines_dir, **settings) as engine:
        assert await engine.restore_state(states, "c1") == 0


async def test_another_model_finds_nothing(
    tiny_llama: Path, engines_dir: Path, states: Path, speaking_model: Path
) -> None:
    async with engine_of(tiny_llama, engines_dir) as engine:
        await ask(engine, "the snow is white", max_tokens=1)
        await engine.save_state(states, "c1")
    async with engine_of(speaking_model, engines_dir) as engine:
        assert await engine.restore_state(states, "c1") == 0


async def test_a_context_that_is_too_small_says_so_and_reads_it_again(
    tiny_llama: Path, engines_dir: Path, states: Path
) -> None:
    async with engine_of(tiny_llama, engines_dir) as engine:
        await ask(engine, TURNS, max_tokens=1)
        await engine.save_state(states, "c1")
    async with engine_of(tiny_llama, engines_dir, n_ctx=256) as engine:
        with pytest.raises(EngineError, match="cannot be used") as caught:
            await engine.restore_state(states, "c1")
        assert caught.value.kind == "state"
        assert (await ask(engine, "ab", max_tokens=2)).done.reason == "length"
        assert await engine.restore_state(states, "c1") == 0
    assert files(states) == []


@pytest.mark.parametrize("damage", [b"", b"not a state at all" * 100], ids=["empty", "garbage"])
async def test_a_damaged_file_is_told_and_gone(
    tiny_llama: Path, engines_dir: Path, states: Path, damage: bytes
) -> None:
    async with engine_of(tiny_llama, engines_dir) as engine:
        answer = await ask(engine, "the snow is white", max_tokens=4)
        await engine.save_state(states, "c1")
        (file,) = files(states)
        file.write_bytes(damage)
        with pytest.raises(EngineError, match="cannot be used"):
            await engine.restore_state(states, "c1")
        assert files(states) == []
        again = await ask(engine, "the snow is white", max_tokens=4)
        assert (again.text, fresh(again)) == (answer.text, again.done.timings.prompt_tokens)


async def test_it_waits_for_the_answer_that_is_written(tiny_llama: Path, engines_dir: Path, states: Path) -> None:
    async with engine_of(tiny_llama, engines_dir) as engine:
        assert await engine.save_state(states, "nothing yet") == 0
        generation = engine.generate(prompt="ab", sampling=GREEDY, max_tokens=30)
        written = await engine.save_state(states, "c1")
        done = (await collect(generation)).done.timings
        assert written > 0
        assert await engine.restore_state(states, "c1") == done.n_ctx_used
    assert [file.suffix for file in files(states)] == [".state"]


@pytest.fixture
def in_the_way(tmp_path: Path) -> Path:
    """A file where a folder is wanted."""
    (tmp_path / "file").write_text("in the way")
    return tmp_path / "file"


async def test_a_folder_that_cannot_be_written(
    tiny_llama: Path, engines_dir: Path, states: Path, in_the_way: Path
) -> None:
    async with engine_of(tiny_llama, engines_dir) as engine:
        await ask(engine, "ab", max_tokens=1)
        with pytest.raises(EngineError, match="could not be kept") as caught:
            await engine.save_state(in_the_way, "c1")
        assert caught.value.kind == "state"
        with pytest.raises(EngineError, match="pane 7 does not exist"):
            await engine.save_state(states, "c1", pane=7)
