"""A dry-run child one of whose rules for stand-in devices raises: ctypes would answer llama.cpp with "no" and go on.

Run as `python -m tests.rigs.broken_rules` in place of `tui.fit.dry_run`.
"""

from __future__ import annotations

from tui.fit.dry_run import main
from tui.llama.cuda_rules import SUPPORTS
from tui.llama.ggml import OPS


def _broken(_op: int) -> bool:
    raise KeyError("soft")


if __name__ == "__main__":
    SUPPORTS[OPS["SOFT_MAX"]] = _broken
    main()
