"""One row of the finder, and what a person wishes for. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tui.fit.evidence import SpeedSource
from tui.fit.verdict import Verdict
from tui.hub.listing import Listing, UseCase

Sort = Literal["fit", "speed", "size", "downloads", "updated", "likes", "name"]
SORTS: tuple[Sort, ...] = ("fit", "speed", "size", "downloads", "updated", "likes", "name")
"""fit: verdict, then the most parameters at four bits a weight or more, then recency and downloads; with a patience
first of what fits and is soon enough, then of what fits, then of the rest."""
Fits = Literal["gpu", "partial", "ram", "any"]
"""The verdict that is asked for at least, gpu above partial above ram; any includes what does not fit."""
WAITED_TOKENS = 400
"""An answer of 300 words: what patience is measured with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FinderRow:
    """A model in one quantization, with what it would take here at the context that was asked for."""

    listing: Listing
    quant: str
    file: str | None = None
    """Path in the repository; None while no more is known than what the quantization is called."""
    file_bytes: int | None = None
    """Of all shards; where it is estimated, the upper end."""
    need_bytes: int | None = None
    """All memory at the context asked for, devices and host; where it is estimated, the upper end."""
    verdict: Verdict | None = None
    """None where nothing can be told."""
    decode_tok_s: tuple[float, float] | None = None
    speed_source: SpeedSource | None = None
    """Where `decode_tok_s` comes from; None where there is none."""
    exact: bool = False
    """By a dry run of the file's header, and not by what a card says."""
    best: bool = False
    """The quantization that is recommended of this model, here."""
    reason: str = ""
    """Why it is recommended."""
    installed: str = ""
    """Identity of the model in the library that it is; empty where it is not on this disk."""


def with_installed(rows: tuple[FinderRow, ...], installed: Mapping[str, str]) -> tuple[FinderRow, ...]:
    """The rows of one repository with what is on this disk marked; `installed` names models of the library by
    quantization.
    """
    return tuple(
        row if row.installed == installed.get(row.quant, "") else replace(row, installed=installed.get(row.quant, ""))
        for row in rows
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What rows are wanted, and in which order. None, or an empty text, wishes nothing."""

    query: str = ""
    """Words that name, owner, architecture or family hold, all of them; or the address of a repository."""
    fits: Fits = "any"
    use_case: UseCase | None = None
    min_speed: float | None = None
    """Tokens a second, at the low end of what is estimated."""
    max_wait_s: float | None = None
    """Seconds for an answer of `WAITED_TOKENS` at the low end, the load excluded."""
    patience_s: float | None = None
    """In the order "fit": what would take longer than so many seconds for such an answer comes after what would not."""
    parameters: tuple[float | None, float | None] = (None, None)
    """At least, and at most."""
    licence: str = ""
    family: str = ""
    """As `families.family_of` names it: qwen, llama, gemma..."""
    context_length: int | None = None
    """Tokens that the model must have been trained on at least."""
    sort: Sort = "fit"
