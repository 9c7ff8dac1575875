"""What tests of the dry run share: small headers and machines that are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.gguf.layout import read_layout
from tui.gguf.stripped import StrippedHeader, strip


@pytest.fixture(scope="session")
def tiny_header(models_dir: Path) -> StrippedHeader:
    """A llama of two layers whose heads have 16 values, which no CUDA kernel of flash attention takes."""
    return strip(read_layout(tiny_model(models_dir / "fit-tiny.gguf")))


@pytest.fixture(scope="session")
def demo_header(demo_model: Path) -> StrippedHeader:
    """SmolLM2-135M: 30 layers, heads of 64 values, tied output."""
    return strip(read_layout(demo_model))
