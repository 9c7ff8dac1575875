"""The answer of `puna find`: a table for people, as wide as the terminal, and the document for programs."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tui.config.sizes import gib
from tui.hardware.meter.words import cells, pad
from tui.models.finder.values import FinderRow
from tui.models.fit_words import speed_origins

_WORDS = {"gpu": "gpu", "partial": "partial", "ram": "ram", "no": "no", None: "?"}
_SYMBOLS = {"gpu": "●", "partial": "◐", "ram": "○", "no": "✗", None: " "}
_PLAIN = {"gpu": "*", "partial": "+", "ram": "o", "no": "x", None: " "}
_HEADS = ("QUANT", "SIZE", "NEED", "FITS", "TOK/S")
_RIGHT = (False, True, True, False, True)
_GAP = "  "
_LEAST_NAME = 20
_LONGEST = 110
"""Columns of a line of words, however wide the terminal is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and what its numbers rest on."""

    rows: Sequence[FinderRow]
    matching: int
    """How many there are; `rows` may be the first of them."""
    models: int
    """How many were looked through."""
    source: Literal["hub", "catalogue"]
    gathered: str
    """The day of the catalogue."""
    n_ctx: int
    place: str
    """What is free where they would lie, in words."""
    described: bool
    """The machine is not this one."""


def to_json(row: FinderRow) -> dict[str, Any]:
    """One row of `find --json`; the keys are a contract."""
    listing, speed = row.listing, row.decode_tok_s
    return {
        "repo": listing.repo,
        "file": row.file,
        "quant": row.quant,
        "parameters": listing.parameters,
        "file_bytes": row.file_bytes,
        "verdict": row.verdict,
        "need_bytes": row.need_bytes,
        "decode_tok_s": [round(speed[0], 2), round(speed[1], 2)] if speed is not None else None,
        "downloads": listing.downloads,
        "likes": listing.likes,
        "updated": listing.updated,
        "licence": listing.licence,
        "gated": listing.gated,
        "use_cases": list(listing.use_cases),
    }


def answer_lines(answer: Answer, width: int | None, *, long: bool = False) -> Iterator[str]:
    """The table, at most `width` columns (None: as wide as it is), and below it what it rests on.

    A name is shown whole: where it leaves no room for the figures, they stand on the line below. With `long`, or where
    there is room, the repository is named.
    """
    if answer.rows:
        yield from _table(answer.rows, width, long=long)
        yield ""
        first = answer.rows[0]
        yield f"puna pull {first.listing.repo}:{first.quant}"
        yield f"  fetches the first{f': {first.reason}' if first.reason else ''}"
        yield ""
    for sentence in _foot(answer):
        yield from _wrapped(sentence, width)


def _wrapped(text: str, width: int | None, indent: str = "") -> list[str]:
    if width is None:
        return [indent + text]
    columns = min(width, _LONGEST)
    return textwrap.wrap(text, columns, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _table(rows: Sequence[FinderRow], width: int | None, *, long: bool) -> Iterator[str]:
    names, figures = _names(rows), [_figures(row) for row in rows]
    widths = [max(cells(row[index]) for row in (_HEADS, *figures)) for index in range(len(_HEADS))]
    fixed = sum(widths) + len(_GAP) * len(widths)
    longest = max(map(cells, (*names, "MODEL")))
    beside = max(cells(row.listing.repo) for row in rows) + len(_GAP)
    with_repo = not long and (width is None or fixed + longest + beside <= width)
    room = longest if width is None or long else max(_LEAST_NAME, min(longest, width - fixed))
    yield _line("MODEL", room, _HEADS, widths, "REPOSITORY" if with_repo else "")
    for row, name, figure in zip(rows, names, figures, strict=True):
        if cells(name) > room:
            yield name
            name = ""
        yield _line(name, room, figure, widths, row.listing.repo if with_repo else "")
        if long:
            yield f"  {row.listing.repo}:{row.quant}"
            yield from _wrapped(", ".join(filter(None, _facts(row))), width, "  ")


def _line(name: str, room: int, figures: Sequence[str], widths: Sequence[int], last: str) -> str:
    columns = [pad(text, width, "", right) for text, width, right in zip(figures, widths, _RIGHT, strict=True)]
    return _GAP.join([pad(name, room, ""), *columns, last]).rstrip()


def _names(rows: Sequence[FinderRow]) -> list[str]:
    """Names; of those that several rows have, with the owner of the repository."""
    owners: dict[str, set[str]] = {}
    for row in rows:
        owners.setdefault(row.listing.name, set()).add(row.listing.repo)
    return [
        f"{row.listing.name} ({row.listing.owner})" if len(owners[row.listing.name]) > 1 else row.listing.name
        for row in rows
    ]


def _figures(row: FinderRow) -> tuple[str, ...]:
    return (
        row.quant,
        _gib(row.file_bytes, exact=row.file is not None),
        _gib(row.need_bytes, exact=row.exact),
        f"{_symbols()[row.verdict]} {_WORDS[row.verdict]}",
        "-".join(dict.fromkeys(map(_rate, row.decode_tok_s))) if row.decode_tok_s is not None else "",
    )


def _gib(size_bytes: int | None, *, exact: bool) -> str:
    if size_bytes is None:
        return "?"
    return gib(size_bytes) if exact else f"~{gib(size_bytes)}"


def _rate(tok_s: float) -> str:
    return f"{tok_s:.0f}" if tok_s >= 9.95 else f"{tok_s:.1f}"


def _symbols() -> dict[Any, str]:
    """Those that the output can show."""
    try:
        "".join(_SYMBOLS.values()).encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return _PLAIN
    return _SYMBOLS


def _facts(row: FinderRow) -> Iterator[str]:
    listing = row.listing
    yield f"{_count(listing.parameters)} parameters" if listing.parameters else ""
    yield f"{_count(listing.active_parameters)} of them active" if listing.active_parameters else ""
    yield f"for {', '.join(listing.use_cases)}" if listing.use_cases else ""
    yield f"context {listing.context_length}" if listing.context_length else ""
    yield f"licence {listing.licence}" if listing.licence else "licence not known"
    yield "access has to be asked for" if listing.gated else ""
    yield (listing.updated or "")[:10]
    yield f"{listing.downloads} downloads in 30 days" if listing.downloads is not None else ""
    yield row.reason


def _count(parameters: float) -> str:
    """As names have it: 135M, 7.6B, 1.1T."""
    for unit, factor in (("T", 1e12), ("B", 1e9), ("M", 1e6)):
        if parameters >= factor:
            value = parameters / factor
            return f"{value:.0f}{unit}" if value >= 99.5 else f"{value:.3g}{unit}"
    return str(parameters)


def _foot(answer: Answer) -> Iterator[str]:
    of = f"the catalogue of {answer.gathered}" if answer.source == "catalogue" else "the Hub and the catalogue"
    if not answer.rows:
        yield f"Nothing of {of} has all of that ({answer.models} models); fewer wishes or other words may find more."
        return
    more = "; --limit all shows the others" if len(answer.rows) < answer.matching else ""
    yield f"{len(answer.rows)} of {answer.matching} that have all of that{more}. {answer.models} models are in {of}."
    where = "the described machine" if answer.described else "this machine"
    yield (
        f"FITS is for {where} ({answer.place}) with {answer.n_ctx} tokens of context, or as many as a model was trained"
        " on. Sizes are in GiB; what has a ~ before it, and all speeds, are estimates from model cards: the upper end"
        " of what memory it takes. `puna fit` asks llama.cpp."
    )
    yield from speed_origins(row.speed_source for row in answer.rows if row.speed_source is not None)
