"""What these tests share: the stand-in NVML, for machines with GPUs, and one dry run for many questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.hardware.conftest import nvml_library, stand_in
from tui.config.paths import Paths, paths
from tui.library.single import entry_for
from tui.models.fitting import Fitting
from tui.models.subject import Subject, subject_of

__all__ = ["nvml_library", "stand_in"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """An empty home that a module's tests share."""
    return paths({"PUNA_HOME": str(tmp_path_factory.mktemp("home"))})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fitting(home: Paths) -> AsyncIterator[Fitting]:
    """One for a module, so that llama.cpp starts once."""
    made = Fitting(home)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def demo(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """SmolLM2-135M: 30 layers and the output, trained with 8192 tokens."""
    return subject_of(entry_for(demo_model), tmp_path_factory.mktemp("headers"))
