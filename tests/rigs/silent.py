"""A child process that never says a word: `python -m tests.rigs.silent` in place of `tui.fit.dry_run`."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.pause()
