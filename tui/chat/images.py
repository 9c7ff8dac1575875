"""The images of conversations: files named by their SHA-256 in a folder beside the history, each once.

Messages refer to them by that name (see `attachments`). Beside each lies a small one for the screen, as plain pixels,
so that showing it needs no image library. Blocks on the disk; imports Pillow only where an image is new.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from tui.config.files import write_atomic

LEFT_OVER_S: Final = 86400.0
"""Age in seconds below which an image stays even where no message has it: one may be about to be sent."""
THUMBNAIL: Final = (128, 96)
"""Pixels of the small ones at most: two a cell on top of each other, of the widest that is drawn."""
_BEFORE_S: Final = 600.0
"""An image is kept so long before the message that it is for, at the most: a model may be loaded between."""
_SMALL = ".small"


@dataclass(frozen=True, slots=True)
class Small:
    """A small image: three bytes a pixel, row after row."""

    width: int
    height: int
    rgb: bytes


class Images:
    """The images in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def beside(cls, history: Path) -> Images:
        """Those of the conversations in a history file."""
        return cls(history.with_name("images"))

    def file(self, digest: str) -> Path:
        """Where an image is, if it is there."""
        return self.folder / digest

    def keep(self, data: bytes) -> str:
        """Keep an image file, which was looked at before; its digest. Raises PictureError, and ConfigError where it
        cannot be written.
        """
        from tui.llama.picture import digest_of, picture_of

        digest = digest_of(data)
        file, small = self.file(digest), self.folder / f"{digest}{_SMALL}"
        if not small.exists():
            picture = picture_of(data, THUMBNAIL)
            write_atomic(small, b"P6 %d %d 255\n" % picture.size + picture.tobytes())
        try:
            os.utime(file)  # so that no other puna takes it for one that nobody has
        except FileNotFoundError:
            write_atomic(file, data)
        return digest

    def small(self, digest: str) -> Small | None:
        """The small image; None where there is none."""
        try:
            return _small(self.folder / f"{digest}{_SMALL}")
        except (OSError, ValueError):
            return None

    def sweep(self, is_used: Callable[[str], bool], *, began: float, now: float | None = None) -> int:
        """Delete what no message has; how many. `now` is Unix seconds, and so is `began`, when the history did: older
        images are those of another one, which was moved aside and may come back.
        """
        oldest = (time.time() if now is None else now) - LEFT_OVER_S
        gone = 0
        for file in self._files():
            try:
                if began - _BEFORE_S < file.stat().st_mtime < oldest and not is_used(file.name):
                    (self.folder / f"{file.name}{_SMALL}").unlink(missing_ok=True)
                    file.unlink()
                    gone += 1
            except OSError:
                continue  # another puna may sweep, too
        return gone

    def _files(self) -> list[Path]:
        try:
            return [file for file in self.folder.iterdir() if len(file.name) == 64 and file.name.isalnum()]
        except OSError:
            return []


@lru_cache(maxsize=64)
def _small(file: Path) -> Small:
    """Raises OSError and ValueError: that there is none is not remembered, as it may come."""
    head, _, rgb = file.read_bytes().partition(b"\n")
    _, width, height, _ = head.split()
    found = Small(int(width), int(height), rgb)
    if not len(rgb) == 3 * found.width * found.height > 0:
        raise ValueError(f"{file} is cut off")
    return found
