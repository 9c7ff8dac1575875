"""Words and numbers as the screen shows them: cleaned of what a terminal would obey, cut to cells, with their units.

Names of models, file paths, error texts of native code and titles come from outside. They pass through `clean` before
they are drawn, and are never parsed as markup.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from tui.app.panels.chat import sanitize
from tui.config.sizes import GIB, MIB, gib, size, thousands

__all__ = [
    "GIB",
    "MIB",
    "brief",
    "clean",
    "clean_lines",
    "fit",
    "fit_right",
    "gib",
    "named",
    "plural",
    "rate",
    "sentence",
    "size",
    "thousands",
]


def clean(text: str) -> str:
    """`text` on one line, without anything that a terminal would obey and without marks that hide or reorder text."""
    return " ".join(sanitize.one_line(text).split())


def clean_lines(text: str) -> str:
    """Like `clean`, with line breaks and indentation kept; for logs and notices."""
    return "\n".join(sanitize.expand_tabs(sanitize.steady(line)) for line in sanitize.clean_lines(text))


def sentence(text: str) -> str:
    """A reason as a sentence of its own. A name at its beginning stays as it is spelt."""
    first = text.partition(" ")[0]
    begun = f"{text[:1].upper()}{text[1:]}" if first.isalpha() else text
    return f"{begun.rstrip('.')}." if text else ""


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """`text` in exactly `width` cells: padded on the right, or cut there with an ellipsis."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text + " " * (width - cell_len(text))
    mark = cell_len(ellipsis)
    return set_cell_size(text, max(0, width - mark)) + ellipsis[:width]


def fit_right(text: str, width: int) -> str:
    """`text` at the right edge of `width` cells; cut on the right when it does not fit."""
    missing = width - cell_len(text)
    return " " * missing + text if missing >= 0 else set_cell_size(text, max(0, width))


def brief(number: int) -> str:
    """A count of tokens in at most six cells: 512, 3.1 k, 16 k, 1.2 M. 16 384 is 16 k, as people say it."""
    if number < 1000:
        return str(number)
    if number < 1_000_000:
        if number % 1024 == 0:
            return f"{number // 1024} k"
        thousand = number / 1000
        return f"{thousand:.1f} k" if thousand < 9.95 else f"{thousand:.0f} k"
    return f"{number / 1_000_000:.1f} M"


def rate(tok_s: float) -> str:
    """Tokens per second: 8.4 tok/s, 61 tok/s."""
    return f"{tok_s:.1f} tok/s" if tok_s < 9.95 else f"{tok_s:.0f} tok/s"


def named(name: str, quant: str | None) -> str:
    """A model's name with its quantization, unless that is part of the name."""
    return name if not quant or quant.casefold() in name.casefold() else f"{name} {quant}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """1 model, 2 models."""
    return f"{thousands(number)} {one if number == 1 else many or one + 's'}"
