"""A dry-run child on a machine where llama-cpp-python is not installed.

Run as `python -m tests.rigs.without_llama_cpp` in place of `tui.fit.dry_run`.
"""

from __future__ import annotations

import sys
from typing import Any

from tui.fit.dry_run import main

if __name__ == "__main__":
    modules: dict[str, Any] = sys.modules
    modules["llama_cpp"] = None  # what importing it finds from now on: nothing
    main()
