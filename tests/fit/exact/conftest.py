"""One dry run and one llama.cpp for all tests of this folder: both are processes that take a while to start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.rigs.allocations import Allocations, allocations
from tui.fit.oracle import DryRun


@pytest.fixture(scope="package")
def llama() -> Iterator[Allocations]:
    """llama.cpp itself, asked for what it allocates."""
    with allocations() as asked:
        yield asked


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def dry_run() -> AsyncIterator[DryRun]:
    """The dry run as the workbench has it."""
    async with DryRun() as running:
        yield running
