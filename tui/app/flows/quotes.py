"""What is said of a price: whether it fits, and how much is missing. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.models.fitting import Priced


def shortage_bytes(priced: Priced) -> int:
    """Bytes that are missing; 0 where it fits."""
    found = priced.assessment
    return found.missing_bytes if found.verdict == "no" else 0
