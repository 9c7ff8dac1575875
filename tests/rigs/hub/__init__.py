"""A hub of one's own on 127.0.0.1, as the real client sees one: an API, and the files at another origin.

    with LoopbackHub(Repo("org/model", {"model-Q4_K_M.gguf": of_bytes(data)})) as hub:
        hub.fail("cdn", Reset(after=1000), times=1)

What it serves are values, what went wrong and what travelled can be asserted. The real client judges it: see
`tests/rigs/test_hub.py`.
"""

from __future__ import annotations

from tests.rigs.hub.content import Content, gguf_bytes, of_bytes, of_file, with_hole
from tests.rigs.hub.faults import (
    BAD_TOKEN,
    CAPTIVE_PORTAL,
    Answer,
    Changed,
    Corrupt,
    Cut,
    IgnoreRange,
    Reset,
    Slow,
    Stall,
    WrongLength,
    rate_limited,
)
from tests.rigs.hub.repos import Repo
from tests.rigs.hub.server import LoopbackHub

__all__ = [
    "BAD_TOKEN",
    "CAPTIVE_PORTAL",
    "Answer",
    "Changed",
    "Content",
    "Corrupt",
    "Cut",
    "IgnoreRange",
    "LoopbackHub",
    "Repo",
    "Reset",
    "Slow",
    "Stall",
    "WrongLength",
    "gguf_bytes",
    "of_bytes",
    "of_file",
    "rate_limited",
    "with_hole",
]
