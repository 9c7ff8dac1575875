"""What the screen keeps from one start to the next: the model last used, and a conversation that was cut off.

One small JSON file in the state folder. Losing it loses a convenience; whatever is wrong with it, it is read as empty.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.config.paths import Paths

LOCK_S = 2.0
"""How long another puna may hold the file. It writes a few bytes; losing ours loses a convenience."""


def read(paths: Paths) -> dict[str, Any]:
    """What is kept: "model" is an identity, "cut_off" the number of a conversation."""
    from tui.config.errors import ConfigError
    from tui.config.files import read_text

    try:
        found = json.loads(read_text(_file(paths)) or "{}")
    except (ConfigError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def keep(paths: Paths, **changes: str | int | None) -> None:
    """Change what is kept; None forgets. A folder that cannot be written is no failure. Waits for the disk, so it is
    called in a thread.
    """
    from tui.config.errors import ConfigError
    from tui.config.files import locked, write_atomic

    try:
        with locked(_file(paths), LOCK_S):
            before = read(paths)
            after = {key: value for key, value in {**before, **changes}.items() if value is not None}
            if after != before:
                write_atomic(_file(paths), json.dumps(after).encode())
    except ConfigError:
        pass  # the next start selects another row, and nothing else


def _file(paths: Paths) -> Path:
    return paths.state / "screen.json"
