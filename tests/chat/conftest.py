"""A history of its own for each test, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.chat.rig import Clock
from tui.chat.store import Store
from tui.chat.thread import AsyncStore


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Where the history will be; neither it nor its folder is there yet."""
    return tmp_path / "data" / "history.db"


@pytest.fixture
def clock() -> Clock:
    """Unix seconds that stand still until told otherwise."""
    return Clock()


@pytest.fixture
def open_store(history: Path, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Opens the history, as often as asked; all are closed afterwards."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store(history, clock=clock))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """An open, empty history."""
    return open_store()


@pytest.fixture
async def threaded(history: Path, clock: Clock) -> AsyncIterator[AsyncStore]:
    """An open, empty history in its thread."""
    opened = await AsyncStore.open(history, clock=clock)
    yield opened
    await opened.close()
