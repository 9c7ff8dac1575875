"""Every sampler runs, a seed decides what is drawn, and penalties see the prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.asking import ask, running
from tests.rigs.gguf_maker import scripted_model
from tui.llama.settings import SamplingSettings


async def test_the_same_seed_says_the_same(tiny_llama: Path, engines_dir: Path) -> None:
    hot = SamplingSettings(temperature=1.5, seed=7)
    async with running(tiny_llama, engines_dir) as engine:
        texts = [(await ask(engine, "one two", sampling=hot, max_tokens=24)).text for _ in range(3)]
        other = await ask(engine, "one two", sampling=SamplingSettings(temperature=1.5, seed=8), max_tokens=24)
        assert texts[0] == texts[1] == texts[2] != other.text
        free = SamplingSettings(temperature=1.5)
        drawn = {(await ask(engine, "one two", sampling=free, max_tokens=24)).text for _ in range(3)}
        assert len(drawn) == 3
    async with running(tiny_llama, engines_dir) as engine:
        again = await ask(engine, "one two", sampling=hot, max_tokens=24)
        assert again.text == texts[0]


@pytest.mark.parametrize(
    "sampling",
    [
        SamplingSettings(repeat_penalty=1.5, repeat_last_n=-1, seed=1),
        SamplingSettings(presence_penalty=0.5, frequency_penalty=0.5, repeat_last_n=0, seed=1),
        SamplingSettings(dry_multiplier=0.8, seed=1),
        SamplingSettings(dry_multiplier=0.8, dry_penalty_last_n=0, dry_allowed_length=0, temperature=0),
        SamplingSettings(xtc_probability=1.0, xtc_threshold=0.0, seed=1),
        SamplingSettings(top_k=0, top_p=1.0, min_p=0.0, temperature=10.0, seed=1),
        SamplingSettings(top_p=0.0, min_p=1.0, seed=1),
        SamplingSettings(top_k=1 << 20, seed=0xFFFFFFFF),
    ],
)
async def test_every_sampler_runs(tiny_llama: Path, engines_dir: Path, sampling: SamplingSettings) -> None:
    async with running(tiny_llama, engines_dir) as engine:
        answer = await ask(engine, "one two one two one two", sampling=sampling, max_tokens=16, ignore_end=True)
        assert answer.done.timings.completion_tokens == 16


async def test_a_penalty_on_repetition_sees_the_prompt(tmp_path: Path, engines_dir: Path) -> None:
    model = scripted_model(tmp_path / "loop.gguf", "ab", ends=False)
    async with running(model, engines_dir) as engine:
        assert (await ask(engine, "!", max_tokens=6)).text == "ababab"
        against = SamplingSettings(temperature=0, presence_penalty=10.0, frequency_penalty=10.0, repeat_last_n=-1)
        text = (await ask(engine, "a" * 20 + "b" * 20 + "!", max_tokens=6, sampling=against)).text
        assert "a" not in text
        assert "b" not in text
