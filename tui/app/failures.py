"""Failures that nobody expected, in words; the details go to the log file, never to the screen."""

from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

LOG_LIMIT_BYTES = 1 << 20
"""A log longer than this is put aside as puna.log.1 first."""


def describe(doing: str, error: BaseException, log_file: Path) -> str:
    """What a person is told when a worker failed."""
    words = str(error) or type(error).__name__
    where = keep(error, log_file)
    return f"Could not {doing}: {words}.{where}"


def keep_traceback(log_file: Path) -> str:
    """Log the exception that is being handled, and say so; for a mistake that ends the program."""
    error = sys.exc_info()[1]
    words = f"{type(error).__name__}: {error}" if error else "an unknown error"
    return f"puna ended because of a mistake in itself ({words}).{keep(error, log_file)} Conversations are kept."


def keep(error: BaseException | None, log_file: Path) -> str:
    """Write an error's traceback to the log file; the words that say where it is."""
    if error is None:
        return ""
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        if log_file.exists() and log_file.stat().st_size > LOG_LIMIT_BYTES:
            log_file.replace(log_file.with_name(f"{log_file.name}.1"))
        with log_file.open("a", encoding="utf-8", errors="replace") as file:
            file.write(time.strftime("%Y-%m-%d %H:%M:%S\n"))
            file.writelines(traceback.format_exception(error))
    except OSError:
        return ""
    return f" The details are in {log_file}."
