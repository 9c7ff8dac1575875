"""The limit on downloads as people write it, in whatever unit their line is sold in."""

from __future__ import annotations

import re

from tui.app.text import size
from tui.config.sizes import GIB, KIB, MIB

HINT = "a speed such as 5 MiB/s, 800 KB/s or 20 Mbit/s; nothing or 0 is no limit. It counts for every puna of yours."
_UNITS = {
    "": MIB, "kib": KIB, "mib": MIB, "gib": GIB, "kb": 10**3, "mb": 10**6, "gb": 10**9,
    "kbit": 10**3 / 8, "mbit": 10**6 / 8, "gbit": 10**9 / 8,
}  # fmt: skip
_LIMIT = re.compile(r"([0-9]{1,7}(?:[.,][0-9]{1,6})?)\s*([kmg]i?b|[kmg]bit)?\s*(?:/\s*s|ps)?", re.IGNORECASE | re.ASCII)
_LEAST_BYTES_S = 16 * KIB


def parse_limit(text: str) -> float:
    """MiB a second; 0 for none. Raises ValueError in words."""
    if not text.strip():
        return 0.0
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text.strip()[:40]!r} is no speed; write it as 5, 2.5 MiB/s, 800 KB/s or 20 Mbit/s")
    bytes_s = float(found[1].replace(",", ".")) * _UNITS[(found[2] or "").lower()]
    if 0 < bytes_s < _LEAST_BYTES_S:
        raise ValueError(
            f"{text.strip()[:40]} is too slow to ever end; at least {size(_LEAST_BYTES_S)}/s, or 0 for no limit"
        )
    return bytes_s / MIB


def limit_text(mib_s: float) -> str:
    """The same to be changed in a line; empty for none."""
    return f"{mib_s:.6g} MiB/s" if mib_s else ""
