"""Images in an engine: the same logits as llama.cpp's own evaluation, reused, saved and counted, in two panes at once,
stopped, and told of in words where they cannot be.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.rigs.asking import GREEDY, ask, assistant, collect, running, user
from tests.rigs.gguf_maker import Architecture, tiny_model
from tests.rigs.pictures import noise_png
from tests.rigs.projector_maker import MLP_TOKENS, SIDE, ProjectorKind, tiny_projector
from tui.engine.client import Engine, EngineDied, EngineError
from tui.engine.protocol import ChatMessage, ImageFile
from tui.llama.picture import digest_of
from tui.llama.settings import LoadSettings

KINDS: dict[Architecture, ProjectorKind] = {"llama": "mlp", "qwen2vl": "qwen2vl_merger", "gemma3": "gemma3"}


@dataclass(frozen=True)
class Sighted:
    """A model with its projector."""

    model: Path
    projector: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[Architecture, Sighted]:
    """Plain positions, positions in a grid (M-RoPE), and cells that see each other both ways."""
    folder = tmp_path_factory.mktemp("sighted")
    return {
        name: Sighted(tiny_model(folder / f"{name}.gguf", name), tiny_projector(folder / f"mmproj-{name}.gguf", kind))
        for name, kind in KINDS.items()
    }


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[ImageFile, ImageFile]:
    folder = tmp_path_factory.mktemp("images")
    files = noise_png(folder / "a.png", 140, 100, seed=1), noise_png(folder / "b.png", 200, 64, seed=2)
    return of(files[0]), of(files[1])


def of(file: Path) -> ImageFile:
    return ImageFile(digest_of(file.read_bytes()), bytes(file))


def bytes_of(image: ImageFile) -> bytes:
    return Path(image.path.decode()).read_bytes()


def with_number(good: Path, bad: Path, key: bytes, number: int) -> Path:
    """Write a projector with another value of one key."""
    data = good.read_bytes()
    at = data.index(key) + len(key) + 4
    bad.write_bytes(data[:at] + number.to_bytes(4, "little") + data[at + 4 :])
    return bad


def shows(text: str, *images: ImageFile) -> ChatMessage:
    return ChatMessage("user", text, images=images)


@cache
def measured(sighted: Sighted, images: tuple[ImageFile, ImageFile]) -> dict[str, Any]:
    files = [image.path.decode() for image in images]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rigs.image_logits", str(sighted.model), str(sighted.projector), *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("architecture", KINDS)
def test_what_is_computed_is_what_llama_cpp_computes(
    architecture: Architecture, made: dict[Architecture, Sighted], images: tuple[ImageFile, ImageFile]
) -> None:
    found = measured(made[architecture], images)
    bound = 2 * found["noise"]
    assert max(found["off"]) <= bound, found
    assert found["state_off"] <= bound, found
    assert found["stopped_off"] <= bound, found
    assert found["restored_says"] == found["uninterrupted_says"]
    assert found["different"] > 10 * bound, "the bound could not tell one image from another"
    before, first, both = found["tokens"]
    start, continued, back = found["kept"]
    assert start == 0
    assert continued == first < both, "the first image was looked at again"
    assert found["state"] == [True, first, first], "an image in a saved state was looked at again"
    assert found["stopped"][0]
    if architecture != "gemma3":  # whose window is shorter than what would have to be taken back
        assert before <= back < first, "nothing behind the image that was changed, and all before it, can stay"
        assert first <= found["stopped"][1] < both


async def test_an_image_is_counted_kept_and_looked_at_beside_another_answer(
    made: dict[Architecture, Sighted], images: tuple[ImageFile, ImageFile], engines_dir: Path
) -> None:
    sighted, (a, b) = made["llama"], images
    async with running(sighted.model, engines_dir, n_ctx=1024, panes=2, mmproj=str(sighted.projector)) as engine:
        receipt = engine.receipt
        assert receipt.projector == sighted.projector.name
        assert receipt.host.weights_bytes > sighted.projector.stat().st_size
        text = await engine.count_tokens(messages=[user("What is it?")])
        assert await engine.count_tokens(messages=[shows("What is it?", a, b)]) == text + 2 * MLP_TOKENS

        alone = await ask(engine, [shows("What is it?", a)], max_tokens=20)
        assert alone.done.timings.prompt_tokens == text + MLP_TOKENS
        assert (await ask(engine, [shows("What is it?", b)], max_tokens=20)).text != alone.text
        writing = (await ask(engine, "Far away", max_tokens=60)).text
        both = await asyncio.gather(
            ask(engine, "Far away", max_tokens=60), ask(engine, [shows("What is it?", a)], max_tokens=20, pane=1)
        )
        assert [answer.text for answer in both] == [writing, alone.text]

        again = [shows("What is it?", a), assistant(alone.text), shows("And this one?", b)]
        answer = await ask(engine, again, max_tokens=5, pane=1)
        assert answer.done.timings.prefilled_tokens < answer.done.timings.prompt_tokens - MLP_TOKENS, (
            "the first image was looked at again"
        )


async def test_what_cannot_be_seen_is_told_and_the_engine_goes_on(
    made: dict[Architecture, Sighted], images: tuple[ImageFile, ImageFile], engines_dir: Path, tmp_path: Path
) -> None:
    sighted = made["llama"]
    async with running(sighted.model, engines_dir, n_ctx=1024) as blind:
        with pytest.raises(EngineError, match="without a projector"):
            await ask(blind, [shows("What is it?", images[0])])
        assert (await ask(blind, "Well?", max_tokens=3)).text
    cut_off = tmp_path / "cut.png"
    cut_off.write_bytes(bytes_of(images[0])[:9000])
    gone, changed = ImageFile("0" * 64, bytes(tmp_path / "gone.png")), ImageFile("1" * 64, images[0].path)
    lie = ChatMessage("user", f"\0image:{images[0].digest}\0 look")
    async with running(sighted.model, engines_dir, n_ctx=1024, mmproj=str(sighted.projector)) as engine:
        for image, why in ((of(cut_off), "is damaged"), (gone, "is not there"), (changed, "was changed")):
            with pytest.raises(EngineError, match=why) as told:
                await ask(engine, [shows("What is it?", image)], max_tokens=3)
            assert Path(image.path.decode()).name in str(told.value)
        assert await engine.count_tokens(messages=[lie]) > 60, "what only looks like the mark of an image is text"
        large = tmp_path / "large.png"
        Image.new("RGB", (5000, 200)).save(large)
        for again in (False, True):
            begun = engine.generate(messages=[shows("What is it?", of(large))], sampling=GREEDY, max_tokens=2)
            if not again:
                begun.cancel()
            assert (await collect(begun)).done.reason == ("length" if again else "cancelled")


async def test_a_projector_that_ends_the_process_over_an_image_is_named(
    made: dict[Architecture, Sighted], images: tuple[ImageFile, ImageFile], engines_dir: Path, tmp_path: Path
) -> None:
    """More patches than it has positions for: an assertion of ggml's, when the first image comes."""
    bad = with_number(made["llama"].projector, tmp_path / "late.gguf", b"clip.vision.image_size", 2 * SIDE)
    async with running(made["llama"].model, engines_dir, n_ctx=1024, mmproj=str(bad)) as engine:
        with pytest.raises(EngineDied, match=r"while looking at an image with late\.gguf") as told:
            await ask(engine, [shows("What is it?", images[0])], max_tokens=3)
        assert "mmproj to none" in told.value.hint


async def test_an_image_that_has_to_be_read_at_once_needs_the_room(
    made: dict[Architecture, Sighted], images: tuple[ImageFile, ImageFile], engines_dir: Path
) -> None:
    sighted = made["gemma3"]
    small = {"n_ctx": 512, "n_batch": 2, "n_ubatch": 2, "mmproj": str(sighted.projector)}
    async with running(sighted.model, engines_dir, **small) as engine:
        with pytest.raises(EngineError, match="an image is 4 tokens to this model, more than 2 at once"):
            await ask(engine, [shows("What is it?", images[0])], max_tokens=2)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("missing", "does not exist"),
        ("text", "not a GGUF file"),
        ("cut", "projector cut.gguf: load_tensors: failed to seek"),
        ("model", "projector llama.gguf: it has no vision tower"),
        ("other", "projector other.gguf: mismatch between text model (n_embd = 64) and mmproj (n_embd = 96)"),
        ("deadly", "while loading the projector deadly.gguf"),
    ],
)
async def test_a_bad_projector_is_named(
    damage: str, told: str, made: dict[Architecture, Sighted], engines_dir: Path, tmp_path: Path
) -> None:
    good = made["llama"]
    file = good.model if damage == "model" else tmp_path / f"{damage}.gguf"
    if damage == "text":
        file.write_text("no projector at all")
    elif damage == "cut":
        file.write_bytes(good.projector.read_bytes()[:100_000])
    elif damage == "other":
        tiny_projector(file, n_embd=96)
    elif damage == "deadly":  # heads that do not divide its width: an assertion of ggml's ends the process
        with_number(good.projector, file, b"clip.vision.attention.head_count", 3)
    settings = LoadSettings(n_ctx=512, n_gpu_layers=0, mmproj=str(file))
    with pytest.raises(EngineError) as error:
        await Engine.start(good.model, settings, name="x", engines_dir=engines_dir)
    assert told in str(error.value), error.value
    assert isinstance(error.value, EngineDied) == (damage == "deadly")
    assert "mmproj to none" in error.value.hint or damage in ("missing", "text")
