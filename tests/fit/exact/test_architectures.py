"""On the CPU, for every architecture: the dry run on the header without its vocabulary, llama.cpp's layout of the whole
file and its real allocation are one number, to the byte and by part.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.allocations import Allocations, Parts
from tests.rigs.architectures import PUBLISHED, RECIPES, published_model, tiny_architecture
from tests.rigs.setting_matrix import some_settings
from tui.fit.oracle import DryRun
from tui.fit.values import Machine, Refused
from tui.gguf.layout import read_layout
from tui.gguf.stripped import StrippedHeader, strip
from tui.llama.settings import LoadSettings

pytestmark = pytest.mark.asyncio(loop_scope="package")

_SETTINGS = 16
"""Of some 300, for each architecture; `benchmarks/exactness.py` asks for all of them."""


@pytest.mark.parametrize("name", RECIPES)
async def test_every_byte_of_an_architecture(dry_run: DryRun, llama: Allocations, tmp_path: Path, name: str) -> None:
    path = tiny_architecture(tmp_path / "tiny.gguf", name)
    settings = some_settings(list(RECIPES).index(name), _SETTINGS)
    header = strip(read_layout(path))
    real = llama.ask(path, settings, really=True)
    assert [await predicted(dry_run, header, each) for each in settings] == list(real)
    # Compressed keys hold the values too, so llama.cpp wants one type for both.
    assert [parts is None for parts in real] == [name == "deepseek2" and s.type_k != s.type_v for s in settings]
    assert llama.ask(path, settings[:3], really=False) == real[:3]


async def test_a_vocabulary_changes_nothing(dry_run: DryRun, llama: Allocations, tmp_path: Path) -> None:
    name = "phi3-mini-128k"
    path = published_model(tmp_path / "full.gguf", name, words=True)
    layout = read_layout(path)
    header = strip(layout)
    assert layout.header.n_vocab == PUBLISHED[name].sizes.n_vocab
    assert len(header.data) < layout.header.data_offset / 10
    settings = some_settings(0, 8)
    assert [await predicted(dry_run, header, each) for each in settings] == list(
        llama.ask(path, settings, really=False)
    )


async def test_every_byte_of_the_demo_model(dry_run: DryRun, llama: Allocations, demo_model: Path) -> None:
    header = strip(read_layout(demo_model))
    settings = some_settings(0, _SETTINGS)
    real = llama.ask(demo_model, settings, really=True)
    assert [await predicted(dry_run, header, each) for each in settings] == list(real)
    assert real[0] is not None
    assert real[0].weights_bytes > 90_000_000


async def predicted(dry_run: DryRun, header: StrippedHeader, settings: LoadSettings) -> Parts | None:
    """The dry run's answer on a machine without GPUs; None where llama.cpp refuses."""
    try:
        found = await dry_run.predict(header, settings, Machine())
    except Refused:
        return None
    assert found.source == "dry-run", found.reason
    return Parts(found.host.weights_bytes, found.host.context_bytes, found.host.compute_bytes)
