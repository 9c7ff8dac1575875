"""The dry run's process lives as long as the workbench: questions must leave nothing behind in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.rigs.architectures import published_model
from tests.rigs.setting_matrix import every_setting
from tui.fit.oracle import DryRun
from tui.fit.values import Machine
from tui.gguf.layout import read_layout
from tui.gguf.stripped import strip

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_eighty_questions(dry_run: DryRun, tmp_path: Path) -> None:
    header = strip(read_layout(published_model(tmp_path / "model.gguf", "gemma3-12b")))
    held = []
    for settings in every_setting((4096,))[:80]:
        await dry_run.predict(header, settings, Machine())
        held.append(resident_mib(dry_run))
    assert held[-1] - held[20] < 18  # the first ones fill the heap; the logits of one token are a mebibyte


def resident_mib(dry_run: DryRun) -> int:
    """MiB of RAM that the dry run's process holds."""
    status = Path(f"/proc/{dry_run.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024
