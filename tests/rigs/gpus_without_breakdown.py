"""A dry-run child on a machine with GPUs where llama.cpp's breakdown cannot be read, as on macOS.

Run as `python -m tests.rigs.gpus_without_breakdown` in place of `tui.fit.dry_run`.
"""

from __future__ import annotations

from tests.rigs.gpus_for_children import registered
from tui.fit.dry_run import main
from tui.llama import breakdown

if __name__ == "__main__":
    breakdown._breakdown_function = lambda: None
    kept = registered()
    main()
