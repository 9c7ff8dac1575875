"""Headers of models that prices were asked for, kept while their files stay the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from tui.config.paths import Paths
from tui.models.headers import headers_dir, local_key
from tui.models.subject import Subject, subject_or_none

if TYPE_CHECKING:
    from tui.library import Model

_MOST = 16


class Subjects:
    """Reads them in threads."""

    def __init__(self, paths: Paths) -> None:
        self._headers = headers_dir(paths)
        self._known: dict[tuple[str, str], Subject] = {}
        """By the model's identity and its file: one that was replaced is another."""
        self._last: tuple[Model, Subject] | None = None

    async def of(self, model: Model) -> Subject | None:
        """The model's header, read once for each file; None where it cannot be read."""
        file = await asyncio.to_thread(_on_disk, model.path)
        if file is None:
            return None
        key = model.identity, file
        if key not in self._known:
            found = await asyncio.to_thread(subject_or_none, model, self._headers)
            if found is None:
                return None
            while len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[key] = found
        self._last = model, self._known[key]
        return self._known[key]

    def last(self, model: Model) -> Subject | None:
        """What was said of the model, where it is the one that was asked for last, without a look at its file: whoever
        is in a hurry looks afterwards.
        """
        return self._last[1] if self._last is not None and self._last[0] == model else None

    def forget_last(self) -> None:
        """That was of another file."""
        self._last = None


def _on_disk(path: Path) -> str | None:
    """The same while a model's file is the same, and nothing has come or gone beside it: a projector may have."""
    key, _ = local_key(path)
    try:
        return key and f"{key}:{path.parent.stat().st_mtime_ns}"
    except OSError:
        return None
