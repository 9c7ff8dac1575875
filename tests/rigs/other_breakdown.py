"""A dry-run child in which the private struct that the breakdown is read by has two fields the other way round.

Run as `python -m tests.rigs.other_breakdown` in place of `tui.fit.dry_run`.
"""

from __future__ import annotations

from dataclasses import replace

from tui.fit.dry_run import main
from tui.llama import breakdown

_right = breakdown._buffer_bytes


def _swapped(node: breakdown._Node) -> breakdown.BufferBytes:
    found = _right(node)
    return replace(found, weights_bytes=found.context_bytes, context_bytes=found.weights_bytes)


if __name__ == "__main__":
    breakdown._buffer_bytes = _swapped
    main()
