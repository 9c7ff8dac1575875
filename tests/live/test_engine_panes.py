"""Two conversations in one engine: computed together, and each as if it were alone."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rigs.asking import GREEDY, ask, collect, running, user
from tests.rigs.gguf_maker import Architecture, tiny_model
from tui.engine import registry
from tui.engine.client import EngineError, Generation
from tui.engine.protocol import Delta, Done

LEFT, RIGHT = "The snow is white and cold, " * 12, "Cats and dogs on the roof. " * 4
ARCHITECTURES: tuple[Architecture, ...] = ("llama", "gemma3", "mamba", "jamba")


def _made(folder: Path, architecture: Architecture) -> Path:
    path = folder / f"panes-{architecture}.gguf"
    return path if path.exists() else tiny_model(path, architecture)


@pytest.fixture(params=ARCHITECTURES)
def any_model(request: pytest.FixtureRequest, models_dir: Path) -> Path:
    """Dense, sliding window, recurrent, hybrid."""
    return _made(models_dir, request.param)


@pytest.fixture(params=[name for name in ARCHITECTURES if name != "gemma3"])
def model(request: pytest.FixtureRequest, models_dir: Path) -> Path:
    """Those of which a greedy text stands float noise; of that gemma3 the best two tokens are too near each other."""
    return _made(models_dir, request.param)


async def test_each_pane_answers_as_if_it_were_alone(model: Path, engines_dir: Path) -> None:
    async with running(model, engines_dir, n_ctx=1024) as engine:
        alone = [(await ask(engine, text, max_tokens=40)).text for text in (LEFT, RIGHT)]
    async with running(model, engines_dir, n_ctx=1024, panes=2) as engine:
        assert engine.receipt.n_ctx == 1024
        for _ in range(2):  # the second time out of what is held
            both = await asyncio.gather(
                ask(engine, LEFT, max_tokens=40, pane=0), ask(engine, RIGHT, max_tokens=40, pane=1)
            )
            assert [answer.text for answer in both] == alone
        assert both[1].done.timings.prefilled_tokens in (1, both[1].done.timings.prompt_tokens)


def test_logits_of_two_panes_are_those_of_one(any_model: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rigs.pane_logits", str(any_model)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout)
    bound = max(2 * found["noise"], 1e-3)
    assert found["left"] <= bound, found
    assert found["right"] <= bound, found
    assert found["different"] > 10 * bound, "the bound could not tell one text from another"


async def test_an_answer_goes_on_when_the_other_one_is_stopped(model: Path, engines_dir: Path) -> None:
    async with running(model, engines_dir, n_ctx=4096) as engine:
        alone = (await ask(engine, RIGHT, max_tokens=60)).text
    async with running(model, engines_dir, n_ctx=4096, n_ubatch=512, panes=2) as engine:
        for _ in range(3):
            long = engine.generate(prompt=LEFT, sampling=GREEDY, max_tokens=3000, pane=0)
            short = engine.generate(prompt=RIGHT, sampling=GREEDY, max_tokens=60, pane=1)

            stopped, whole = await asyncio.gather(collect(long), _then(short, long.cancel))
            assert stopped.done.reason == "cancelled"
            assert whole == alone


async def _then(generation: Generation, act: Callable[[], None]) -> str:
    """The text of an answer; `act` is called when its first piece is there."""
    texts: list[str] = []
    async for event in generation:
        if isinstance(event, Delta):
            if not texts:
                act()
            texts.append(event.text)
    return "".join(texts)


async def test_a_pane_answers_while_the_other_reads_a_long_prompt(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=4096, panes=2) as engine:
        writing = engine.generate(prompt="ab", sampling=GREEDY, max_tokens=4000, pane=0)
        begun = asyncio.Event()
        written = asyncio.create_task(_then(writing, begun.set))
        await begun.wait()
        read = await ask(engine, "word " * 380, max_tokens=1, pane=1)
        assert not written.done(), "the answer was there before the prompt was read"
        writing.cancel()
        steps = [event.done for event in read.progress]
        assert len(steps) > 5, "it was read in small pieces, between the other one's tokens"
        assert read.done.reason == "length"
        assert await written


async def test_one_pane_at_a_time_has_one_answer(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, panes=2) as engine:
        answers = await asyncio.gather(*(ask(engine, [user("Hi")], max_tokens=5, pane=n % 2) for n in range(6)))
        assert len({answer.text for answer in answers}) == 1
        with pytest.raises(EngineError, match="pane 2 does not exist"):
            await ask(engine, "x", pane=2)
        (row,) = registry.running(engines_dir)
        held = answers[0].done.timings.n_ctx_used
        assert row.n_ctx == 1024
        assert row.n_ctx_used == 2 * held


async def test_counting_does_not_wait_for_an_answer(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=4096) as engine:
        generation = engine.generate(prompt="ab", sampling=GREEDY, max_tokens=4000)
        counted = asyncio.create_task(engine.count_tokens(text="zq"))
        ended = False
        async for event in generation:
            ended = isinstance(event, Done)
            if counted.done():
                break
        assert not ended
        assert await counted == 2


async def test_a_broken_request_ends_alone(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=512, panes=2) as engine:
        good = engine.generate(prompt="ab", sampling=GREEDY, max_tokens=200, pane=0)
        with pytest.raises(EngineError, match="the context holds"):
            await ask(engine, "word " * 2000, pane=1)
        assert (await collect(good)).done.reason == "length"
