"""Every bad file ends in words, whether llama.cpp refuses it or dies of it; the engine beside it never notices, and a
new one can be started at once.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.rigs.asking import ask, running, start
from tests.rigs.broken_gguf import broken_files, flipped, killer
from tui.engine import registry
from tui.engine.client import Engine, EngineDied, EngineError


async def load_error(path: Path, engines_dir: Path) -> EngineError | None:
    """Why a file does not load, or None when it does."""
    try:
        engine = await start(path, engines_dir)
    except EngineError as error:
        return error
    await engine.close()
    return None


def damage(good: Path, path: Path, seed: int) -> None:
    path.write_bytes(flipped(good.read_bytes(), seed))


async def still_answers(engine: Engine) -> bool:
    return (await ask(engine, "ab", max_tokens=1)).done.reason == "length"


async def test_files_that_are_no_models(tiny_llama: Path, tmp_path: Path, engines_dir: Path) -> None:
    wrong: list[tuple[str, ...]] = []
    async with running(tiny_llama, engines_dir) as healthy:
        for broken in broken_files(tmp_path):
            error = await load_error(broken.path, engines_dir)
            if error is None or isinstance(error, EngineDied) or error.kind != "load":
                wrong.append((broken.name, repr(error), str(error)))
            elif broken.word not in error.message or len(error.message.split()) < 3:
                wrong.append((broken.name, broken.word, error.message))
            assert await still_answers(healthy), broken.name
        assert [row.pid for row in registry.running(engines_dir)] == [healthy.pid]
    assert wrong == []
    async with running(tiny_llama, engines_dir) as engine:
        assert await still_answers(engine)


async def test_llama_cpps_own_reason_is_part_of_the_message(tmp_path: Path, engines_dir: Path) -> None:
    reasons = {
        "version 99": "version",
        "an unknown architecture": "unknown model architecture",
        "cut in the data": "corrupted or incomplete",
        "an unknown tensor type": "type",
    }
    for broken in broken_files(tmp_path):
        if broken.name in reasons:
            error = await load_error(broken.path, engines_dir)
            assert error is not None
            assert reasons.pop(broken.name) in error.message
            assert error.log
    assert reasons == {}


@pytest.mark.parametrize("n_layer", [4000, 0])
async def test_a_file_that_kills_llama_cpp(tiny_llama: Path, tmp_path: Path, engines_dir: Path, n_layer: int) -> None:
    async with running(tiny_llama, engines_dir) as healthy:
        with pytest.raises(EngineDied) as caught:
            await start(killer(tmp_path, n_layer), engines_dir)
        died = caught.value
        assert died.kind == "died"
        assert died.signal == signal.SIGABRT
        assert died.message.startswith("the engine stopped while loading the model: ")
        assert "gave up (SIGABRT)" in died.message
        assert any("GGML_ASSERT" in line for line in died.log), died.log
        assert died.hint
        assert await still_answers(healthy)
    async with running(tiny_llama, engines_dir) as engine:
        assert await still_answers(engine)


async def test_bytes_flipped_at_random(tiny_llama: Path, tmp_path: Path, engines_dir: Path) -> None:
    """Some of these load and say nonsense, some are refused, some kill: all are told, and nothing hangs."""
    path = tmp_path / "flipped.gguf"
    told = set()
    for seed in range(25):
        damage(tiny_llama, path, seed)
        error = await load_error(path, engines_dir)
        told.add(error.kind if error else "loads")
        if error is not None:
            assert error.message, seed
            error.message.encode()
    assert "load" in told
    assert told <= {"loads", "load", "died", "memory", "template"}
    async with running(tiny_llama, engines_dir) as engine:
        assert await still_answers(engine)
