"""What `puna find` is asked, as values: numbers, sizes and ranges as people write them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import get_args

from tui.config.sizes import parse_size, parse_tokens
from tui.fit.labels import UNKNOWN, label_of
from tui.hub.beyond import beyond_use_case
from tui.hub.listing import USE_CASES
from tui.llama.settings import MAX_N_CTX
from tui.models.finder.families import FAMILIES
from tui.models.finder.values import SORTS, Fits, Wishes
from tui.models.quants import COMMON

USUAL_LIMIT = 20
MOST_ROWS = 1_000_000
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([kmbt]?)", re.IGNORECASE | re.ASCII)
_UNITS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def add_wishes(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say which rows are wanted."""
    add = parser.add_argument
    add("query", nargs="*", metavar="QUERY", help="words that name, owner, architecture or family hold")
    add("--use-case", type=_use_case, metavar="U", help=f"what it is for: {', '.join(USE_CASES)}")
    add(
        "--fits",
        choices=get_args(Fits),
        default="any",
        help="where it fits, or better: gpu all on GPUs, partial some of it, ram without a GPU (default any)",
    )
    add("--min-speed", type=_positive, metavar="TOK_S", help="tokens a second, at the low end")
    add("--max-wait", type=_positive, metavar="S", help="seconds for an answer of 300 words, at the low end")
    add("--parameters", type=parameters, metavar="MIN-MAX", help="such as 7B-14B, 3B- or 9B, which is at most")
    add("--family", type=str.casefold, metavar="F", help=f"such as {', '.join(FAMILIES[:5])}")
    add("--licence", metavar="L", help="its identifier or a part of it, such as apache-2.0")
    add("--context", type=_tokens, metavar="TOKENS", help="tokens it was trained on at least, such as 32k (32768)")
    add("--sort", choices=SORTS, default="fit", help="what comes first (default fit: where, then how large and new)")
    add(
        "--limit",
        type=_limit,
        default=USUAL_LIMIT,
        metavar="N",
        help=f"rows at most, or all (default {USUAL_LIMIT})",
    )


def wishes_of(args: argparse.Namespace) -> Wishes:
    """What was asked for."""
    return Wishes(
        query=" ".join(args.query),
        fits=args.fits,
        use_case=args.use_case,
        min_speed=args.min_speed,
        max_wait_s=args.max_wait,
        parameters=args.parameters or (None, None),
        licence=args.licence or "",
        family=args.family or "",
        context_length=args.context,
        sort=args.sort,
    )


def n_ctx(text: str) -> int:
    """A context in tokens, for argparse."""
    found = _tokens(text)
    if found > MAX_N_CTX:
        raise argparse.ArgumentTypeError(f"{text} is more than llama.cpp can have; the most is {MAX_N_CTX}")
    return found


def quant(text: str) -> str:
    """The label of a quantization, for argparse."""
    if label_of(text) is UNKNOWN:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no quantization known here; most have {', '.join(COMMON)}")
    return text


def memory(text: str) -> int:
    """A size in bytes, for argparse."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parameters(text: str) -> tuple[float | None, float | None]:
    """From least to most: 7B-14B, 7-14 (billions, as in names), 3B-; one number means that many at most."""
    least, dash, most = text.strip().partition("-")
    form = f"{text[:40]!r} is no range; write it as 7B-14B, 3B- or 9B"
    if not dash:
        least, most = "", least
    if not (least or most):
        raise argparse.ArgumentTypeError(form)
    low, high = (_number(part, form, usual="b") if part.strip() else None for part in (least, most))
    if low is not None and high is not None and low > high:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} begins with more than it ends with")
    return low, high


def _use_case(text: str) -> str:
    if text not in USE_CASES:
        said = beyond_use_case(text) or f"{text[:40]!r} is none of {', '.join(USE_CASES)}"
        raise argparse.ArgumentTypeError(said)
    return text


def _tokens(text: str) -> int:
    try:
        found = parse_tokens(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not 1 <= found <= MOST_ROWS * 1000:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no context that a model could have")
    return found


def _number(text: str, form: str, usual: str = "") -> float:
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(form)
    return float(found[1]) * _UNITS.get((found[2] or usual).lower(), 1.0)


def _checked(what: str, fits: Callable[[float], bool]) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not fits(value):
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {what}")
        return value

    return parse


_positive = _checked("a number above 0", lambda value: 0 < value < float("inf"))
_rows = _checked("a number of rows, or all", lambda value: 1 <= value <= MOST_ROWS and value == int(value))


def _limit(text: str) -> int:
    return MOST_ROWS if text == "all" else int(_rows(text))
