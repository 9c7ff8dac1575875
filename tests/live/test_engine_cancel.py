"""A stop is heard at any moment: while the prompt is read, while the answer is written, while a request waits. No clock
is asked here; that a thing ended before it could have been done is proof enough (benchmarks/engine_cancel.py measures).
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.rigs.asking import GREEDY, Answer, ask, collect, running, start, user
from tui.engine import registry
from tui.engine.client import Engine, EngineError, Generation
from tui.engine.protocol import Delta, Done, PromptProgress

ENDLESS = 100_000
PROMPT = " ".join(f"word{number}" for number in range(400))
"""About 3 000 tokens of the tiny models."""


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def cancel_at(generation: Generation, moment: type[PromptProgress] | type[Delta]) -> Answer:
    """Cancel as soon as the first event of a kind is there."""
    answer = Answer()
    async for event in generation:
        if isinstance(event, moment) and not (answer.progress if moment is PromptProgress else answer.deltas):
            generation.cancel()
        answer.take(event)
    return answer


async def test_while_the_prompt_is_read(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=4096, n_ubatch=32) as engine:
        fresh = await ask(engine, PROMPT, max_tokens=5)
        await ask(engine, "something else", max_tokens=1)
        for _ in range(3):
            answer = await cancel_at(engine.generate(prompt=PROMPT, sampling=GREEDY), PromptProgress)
            assert answer.done.reason == "cancelled"
            assert answer.deltas == []
            assert answer.progress[-1].done < answer.progress[-1].total
            assert answer.done.timings.completion_tokens == 0
            assert answer.done.timings.ttft_s is None
        again = await ask(engine, PROMPT, max_tokens=5)
        assert again.text == fresh.text
        assert again.done.timings.prompt_tokens == fresh.done.timings.prompt_tokens


@pytest.mark.live
async def test_inside_one_batch(demo_model: Path, engines_dir: Path) -> None:
    """The whole prompt is one call of llama.cpp, which takes seconds: it is stopped in the middle."""
    async with running(demo_model, engines_dir, n_ctx=2048, n_ubatch=2048) as engine:
        answer = await cancel_at(engine.generate(prompt=PROMPT[:4000], sampling=GREEDY), PromptProgress)
        assert answer.done.reason == "cancelled"
        assert [progress.done for progress in answer.progress] == [0]
        assert answer.progress[0].total > 500
        assert answer.done.timings.n_ctx_used == 0
        assert (await ask(engine, "One, two,", max_tokens=2)).done.reason == "length"


async def test_while_the_answer_is_written(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=4096) as engine:
        for _ in range(3):
            answer = await cancel_at(engine.generate(prompt="ab", sampling=GREEDY, max_tokens=4000), Delta)
            assert answer.done.reason == "cancelled"
            assert answer.text
            assert 0 < answer.done.timings.completion_tokens < 4000
            # All that was drawn is told: what came after the stop is only what was on its way.
            assert answer.done.timings.n_ctx_used <= answer.done.timings.completion_tokens + 2
        assert (await ask(engine, "ab", max_tokens=3)).done.reason == "length"


@pytest.mark.live
async def test_while_the_demo_model_writes(demo_model: Path, engines_dir: Path) -> None:
    async with running(demo_model, engines_dir, n_ctx=2048) as engine:
        story = [user("Tell a very long story.")]
        generation = engine.generate(messages=story, sampling=GREEDY, max_tokens=1500)
        answer = await cancel_at(generation, Delta)
        assert answer.done.reason == "cancelled"
        assert answer.done.timings.completion_tokens < 200


async def test_a_request_that_waits(tiny_llama: Path, engines_dir: Path) -> None:
    """Also when others before it in the line are carried out in between."""
    async with running(tiny_llama, engines_dir) as engine:
        generations = [engine.generate(prompt="ab", sampling=GREEDY, max_tokens=60) for _ in range(6)]
        for number in (2, 4, 5):
            generations[number].cancel()
        answers = [await collect(generation) for generation in generations]
        reasons = [answer.done.reason for answer in answers]
        assert reasons == ["length", "length", "cancelled", "length", "cancelled", "cancelled"]
        for number in (2, 4, 5):
            assert answers[number].progress == []
            assert answers[number].deltas == []


async def test_before_between_and_after(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        first = engine.generate(prompt="ab", sampling=GREEDY, max_tokens=400)
        first.cancel()
        first.cancel()
        assert (await collect(first)).done.reason == "cancelled"
        second = engine.generate(prompt="ab", sampling=GREEDY, max_tokens=3)
        first.cancel()  # over long ago: the one that runs now is not meant
        assert (await collect(second)).done.reason == "length"
        second.cancel()
        assert (await ask(engine, "ab", max_tokens=3)).done.reason == "length"


async def test_leaving_the_loop_early_stops_the_computing(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=4096) as engine:
        generation = engine.generate(prompt="ab", sampling=GREEDY, max_tokens=ENDLESS)
        async for event in generation:
            if isinstance(event, Delta):
                break
        assert await engine.count_tokens(text="zq") == 2  # carried out after that answer's end, however that came
        (row,) = registry.running(engines_dir)
        assert 0 < row.n_ctx_used < 4096


async def test_a_task_that_is_cancelled_stops_its_answer(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, n_ctx=4096) as engine:
        writing = asyncio.Event()

        async def read() -> None:
            async for event in engine.generate(prompt="ab", sampling=GREEDY, max_tokens=ENDLESS):
                if isinstance(event, Delta):
                    writing.set()

        task = asyncio.create_task(read())
        await writing.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not engine._waiting
        assert (await ask(engine, "ab", max_tokens=1)).done.reason == "length"


async def test_counting_that_nobody_waits_for_any_more(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(engine.count_tokens(text="a"), 0)
        assert await engine.count_tokens(text="zq") == 2
        assert not engine._waiting


async def test_closing_while_it_writes_and_others_wait(tiny_llama: Path, engines_dir: Path) -> None:
    engine = await start(tiny_llama, engines_dir, n_ctx=4096)
    writing = asyncio.Event()

    async def read(generation: Generation) -> str:
        try:
            async for event in generation:
                if isinstance(event, Delta):
                    writing.set()
                elif isinstance(event, Done):
                    return event.reason
        except EngineError as error:
            return error.message
        return "no end"

    generations = [engine.generate(prompt="ab", sampling=GREEDY, max_tokens=ENDLESS) for _ in range(5)]
    waiting = [asyncio.create_task(read(generation)) for generation in generations]
    await writing.wait()
    await engine.close()
    for told in await asyncio.gather(*waiting):
        assert told in ("cancelled", "the model was unloaded")
    assert engine.died is None
    assert files(engines_dir) == [], "it freed its model in order, and took itself off the list"


async def test_closing_twice_and_by_two(tiny_llama: Path, engines_dir: Path) -> None:
    engine = await start(tiny_llama, engines_dir)
    await asyncio.gather(engine.close(), engine.close())
    await engine.close()
    assert isinstance(engine, Engine)
    assert not engine.alive
