"""Carries an import out: either every file arrives or nothing has changed. Blocking: for a worker thread.

A file is never written over. A source is removed last, when all its files are in place.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tui.config.files import move_new
from tui.library.importing import How, Import, Step
from tui.library.model import LibraryError, shown
from tui.library.remembered import forget

if TYPE_CHECKING:
    from tui.config.paths import Paths

_PIECE_BYTES = 4 << 20
Progress = Callable[[int], None]


def bring_in(paths: Paths, plan: Import, progress: Progress | None = None) -> tuple[Path, ...]:
    """`carry_out`, and what is remembered of places that were moved is forgotten. Raises as it does."""
    files = carry_out(plan, progress)
    if plan.how == "move":
        forget(paths, [step.source for step in plan.steps])
    return files


def carry_out(plan: Import, progress: Progress | None = None) -> tuple[Path, ...]:
    """Do what the plan says and return the new files; `progress` is told how many bytes were written since.

    Raises LibraryError, and whatever interrupts it; nothing has changed then.
    """
    placed: list[Path] = []
    made: list[Path] = []
    try:
        for step in plan.steps:
            _make_folder(step.target.parent, made)
            _place(step, plan.how, progress)
            placed.append(step.target)
    except BaseException as error:
        _undo(placed, made)
        if isinstance(error, OSError):
            raise LibraryError(_told(step, error)) from error
        raise
    if plan.how == "move":
        _remove_sources(plan)
    return tuple(placed)


def _make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it; `made` is told of each, the upper ones first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
        made.append(each)


def _undo(placed: list[Path], made: list[Path]) -> None:
    for target in placed:
        with suppress(OSError):
            target.unlink()
    for folder in reversed(made):
        with suppress(OSError):
            folder.rmdir()


def _place(step: Step, how: How, progress: Progress | None) -> None:
    if how == "symlink":
        step.target.symlink_to(step.source)
    elif how == "link":
        _link(step.source, step.target)
    elif how == "copy":
        _copy(step.source, step.target, progress)
    else:
        try:
            _link(step.source, step.target)
        except FileExistsError:
            raise
        except OSError:  # another disk, or a file system without hard links
            _copy(step.source, step.target, progress)


def _link(source: Path, target: Path) -> None:
    """A hard link to the file itself, where `source` is a symbolic one."""
    os.link(os.path.realpath(source), target)


def _copy(source: Path, target: Path, progress: Progress | None) -> None:
    """A copy that bears its name only when it is whole and on the disk. What a killed one left is written anew."""
    part = target.with_name(f".{target.name[:200]}.part")
    with source.open("rb") as reader, part.open("ab") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)  # two at once would write into one file
        try:
            writer.truncate(0)
            while piece := reader.read(_PIECE_BYTES):
                writer.write(piece)
                if progress is not None:
                    progress(len(piece))
            writer.flush()
            os.fsync(writer.fileno())
            shutil.copystat(source, part)
            if progress is not None:
                progress(0)  # the disk may have taken long: the last moment to stop it
            move_new(part, target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _remove_sources(plan: Import) -> None:
    for step in plan.steps:
        try:
            step.source.unlink()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise LibraryError(f"{shown(step.source)}: is in the library now, but stays here too ({reason})") from error


def _told(step: Step, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"{shown(step.source)}: cannot be brought to {shown(step.target)} ({reason}); nothing was changed"
