"""Rows of the finder made by hand, a few to read and very many to scroll."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui.fit.verdict import Verdict
from tui.hub.listing import Listing
from tui.models.finder.values import FinderRow

GIB = 1 << 30


def a_listing(repo: str, parameters: float = 8e9, **facts: Any) -> Listing:
    """A repository of GGUF files."""
    given: dict[str, Any] = {
        "architecture": "llama", "context_length": 131072, "use_cases": ("chat", "writing"), "licence": "apache-2.0",
        "downloads": 1_234_567, "likes": 345, "updated": "2026-05-04",
    }  # fmt: skip
    return Listing(repo=repo, parameters=round(parameters), **(given | facts))


def a_row(
    listing: Listing, quant: str = "Q4_K_M", gib: float = 5, verdict: Verdict | None = "gpu", **facts: Any
) -> FinderRow:
    """One of its quantizations."""
    given: dict[str, Any] = {
        "file_bytes": round(gib * GIB), "need_bytes": round((gib + 1.2) * GIB), "decode_tok_s": (58.0, 74.0),
        "best": True,
    }  # fmt: skip
    return FinderRow(listing=listing, quant=quant, verdict=verdict, **(given | facts))


CODER = a_listing(
    "unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF", 30.5e9, active_parameters=3_300_000_000, architecture="qwen3_moe",
    use_cases=("chat", "writing", "code"),
)  # fmt: skip
SMALL = a_listing("bartowski/Qwen2.5-Coder-14B-Instruct-GGUF", 14.8e9, architecture="qwen2", use_cases=("chat", "code"))
LLAMA = a_listing("bartowski/Llama-3.3-70B-Instruct-GGUF", 70.6e9, licence="llama3.3", gated=True)
GEMMA = a_listing(
    "ggml-org/gemma-3-12b-it-GGUF", 12.2e9, architecture="gemma3", use_cases=("chat", "vision"), licence="gemma"
)
TINY = a_listing("HuggingFaceTB/SmolLM2-135M-Instruct-GGUF", 134.5e6, downloads=78, likes=None, updated=None)
LONG = a_listing("someone/A-name-that-somebody-thought-was-a-good-idea-24B-v2-GGUF", 24e9)
ROWS = (
    a_row(CODER, gib=18.6),
    a_row(SMALL, "Q6_K", 12.1, decode_tok_s=(41.0, 52.0), installed="bartowski/x"),
    a_row(LONG, gib=14.3, decode_tok_s=(36.0, 45.0)),
    a_row(GEMMA, gib=7.3, verdict="ram", decode_tok_s=(6.1, 9.4)),
    a_row(LLAMA, gib=42.5, verdict="partial", decode_tok_s=(6.0, 9.0)),
    a_row(TINY, "Q8_0", 0.14, decode_tok_s=(310.0, 420.0)),
    a_row(
        a_listing("deepseek-ai/DeepSeek-V3-GGUF", 671e9, active_parameters=37_000_000_000),
        gib=404,
        verdict="no",
        decode_tok_s=None,
    ),
)
"""One model a row."""
_QUANTS: tuple[tuple[str, float, Verdict, tuple[float, float] | None], ...] = (
    ("Q3_K_M", 14.7, "gpu", (63.0, 80.0)),
    ("Q4_K_M", 18.6, "gpu", (58.0, 74.0)),
    ("Q6_K", 25.1, "gpu", (45.0, 58.0)),
    ("Q8_0", 32.5, "partial", (12.0, 19.0)),
    ("BF16", 61.1, "no", None),
)
QUANTS = tuple(
    a_row(
        CODER,
        quant,
        gib,
        verdict,
        decode_tok_s=rate,
        best=quant == "Q4_K_M",
        reason="a good balance of size and quality",
    )
    for quant, gib, verdict, rate in _QUANTS
)
"""All quantizations of one model."""


def many_rows(count: int) -> tuple[FinderRow, ...]:
    """As many rows as wanted, all different."""
    verdicts: tuple[Verdict, ...] = ("gpu", "partial", "ram", "no")
    names = ("Qwen3-Coder", "Llama-3.3", "gemma-3", "Mistral-Small", "Phi-4", "DeepSeek-R1-Distill", "GLM-4.5-Air")
    return tuple(
        a_row(
            a_listing(f"owner-{at % 41}/{names[at % 7]}-{at % 97}B-Instruct-{at}-GGUF", 1e9 * (at % 97 + 1)),
            gib=1 + at % 60, verdict=verdicts[at % 4],
        )
        for at in range(count)
    )  # fmt: skip


def other(row: FinderRow, **facts: Any) -> FinderRow:
    """The same row with other facts."""
    return replace(row, **facts)
