"""Settings that only the model can judge, adapters, and the odd numbers that must make no difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.asking import ask, running, start
from tests.rigs.lora_maker import tiny_lora
from tui.engine.client import EngineDied, EngineError
from tui.llama.settings import LoraAdapter


async def test_settings_are_refused_where_only_the_model_knows(tiny_llama: Path, engines_dir: Path) -> None:
    for settings, words in (
        ({"type_k": "q8_0", "type_v": "q8_0"}, "head"),
        ({"devices": ("CUDA9",)}, "CUDA9"),
        ({"draft_model": "other.gguf"}, "draft_model"),
        ({"n_gpu_layers": "auto"}, "n_gpu_layers"),
        ({"chat_template": "{% if %}"}, "not valid"),
    ):
        with pytest.raises(EngineError) as caught:
            await start(tiny_llama, engines_dir, **settings)
        assert words in caught.value.message, settings
        assert not isinstance(caught.value, EngineDied)
    async with running(tiny_llama, engines_dir) as engine:
        assert (await ask(engine, "ab", max_tokens=2)).done.reason == "length"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "missing.gguf"), (b"", "lora"), (b"GGUF", "lora"), (b"no adapter at all", "lora")],
)
async def test_an_adapter_that_cannot_be_applied_is_told(
    tiny_llama: Path, tmp_path: Path, engines_dir: Path, content: bytes | None, words: str
) -> None:
    adapter = tmp_path / "missing.gguf"
    if content is not None:
        adapter.write_bytes(content)
    with pytest.raises(EngineError) as caught:
        await start(tiny_llama, engines_dir, lora=(LoraAdapter(str(adapter)),))
    assert caught.value.kind == "settings"
    assert words in caught.value.message
    with pytest.raises(EngineError):  # a whole model is no adapter
        await start(tiny_llama, engines_dir, lora=(LoraAdapter(str(tiny_llama)),))


async def test_adapters_change_what_is_said(tiny_llama: Path, tmp_path: Path, engines_dir: Path) -> None:
    one, other = tiny_lora(tmp_path / "größe 1.gguf"), tiny_lora(tmp_path / "2.gguf", rank=8)

    async def text_with(*lora: LoraAdapter) -> str:
        async with running(tiny_llama, engines_dir, lora=lora) as engine:
            return (await ask(engine, "the snow is white", max_tokens=12)).text

    plain = await text_with()
    assert await text_with(LoraAdapter(str(one), 0.0)) == plain
    applied = await text_with(LoraAdapter(str(one)))
    assert applied != plain
    assert await text_with(LoraAdapter(str(one), 0.5), LoraAdapter(str(other), 2.0)) not in (plain, applied)
    with pytest.raises(EngineError) as caught:
        await start(tiny_llama, engines_dir, lora=(LoraAdapter(str(tiny_lora(tmp_path / "3.gguf", n_embd=96))),))
    assert caught.value.kind == "settings"
    assert "3.gguf" in caught.value.message


async def test_small_batches_and_odd_numbers(tiny_llama: Path, engines_dir: Path) -> None:
    texts = set()
    for settings in (
        {"n_batch": 1, "n_ubatch": 1},
        {"n_batch": 7, "n_ubatch": 3},
        {"n_ctx": 1},
        {"threads": 8},
        {"mlock": True},
        {"load_mode": "mmap", "mlock": True},
        {"flash_attn": "on"},
        {"flash_attn": "off"},
        {"type_k": "bf16", "type_v": "f32"},
        {"tensor_split": (1.0, 2.0)},
        {"n_gpu_layers": "all"},
        {"n_cpu_moe": 3},
        {"swa_full": True},
    ):
        async with running(tiny_llama, engines_dir, **settings) as engine:
            texts.add((await ask(engine, "the snow is white", max_tokens=6)).text)
    assert len(texts) == 1
