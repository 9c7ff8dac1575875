"""Pictures of two panes, compared as SVG; `pytest tests/screens --snapshot-update` draws them anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.app.rig import Bench, World
from tests.app.test_panes import idle, split
from tests.screens.test_screens import ANSWER, GPUS, picture, terminal

__all__ = ["terminal"]
OTHER = """Here is one with a **lock**:

```python
class BoundedQueue(list):
    lock = threading.Lock()
```

It raises `Full` where there is no room.
"""


@pytest.mark.parametrize("size", [(160, 45), (100, 30), (80, 24)], ids=["160x45", "100x30", "80x24"])
def test_two_models_compared(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    async def steps(bench: Bench) -> None:
        await split(bench, "qwen")
        await bench.write("Write a bounded queue in Python.")
        await idle(bench)
        await bench.until(lambda: not any(pane.view.transcript.needs_flush for pane in bench.app.desk.panes))

    assert picture(snap_compare, tmp_path, steps, size=size, machine=GPUS, world=World([ANSWER], [OTHER]))


def test_names_hidden_in_ascii(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await split(bench)
        await bench.press("escape", "N", "b")
        await bench.write("Write a bounded queue in Python.")
        await idle(bench)
        await bench.press("escape")
        await bench.until(lambda: not any(pane.view.transcript.needs_flush for pane in bench.app.desk.panes))

    assert picture(snap_compare, tmp_path, steps, size=(80, 24), ascii_only=True, world=World([ANSWER], [OTHER]))
