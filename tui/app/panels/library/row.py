"""One row of the library panel in words and colours, and the words about it in the frame. Imports no Textual.

Names come first: a row whose name needs the room of a column does without that column.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.app.text import clean, fit, fit_right, size
from tui.library.model import SOURCES

if TYPE_CHECKING:
    from tui.library import Model

Cell = tuple[str, str]
"""Words in the width that they take, and the colour of the theme that they have."""

QUANT, SOURCE, SIZE = 10, 14, 9
"""Cells of the columns behind the name, with the gap before them."""
WITH_QUANT, WITH_SOURCE = 46, 62
"""Widths of a row from which on it has such a column."""
LEAST_WORDS = 12
"""Less of what is wrong with a model is left out; the frame tells it too."""


def columns(model: Model, third: str, width: int, room: int, ellipsis: str) -> Sequence[Cell]:
    """What follows the name in a row of `width` cells, of which `room` are left behind it. `third` is told between
    quantization and size."""
    if model.problem:
        return _problem(model.problem, room, ellipsis)
    cells: list[Cell] = []
    if width >= WITH_QUANT:
        cells.append(("  " + fit(clean(model.quant or ""), QUANT - 2, ellipsis), "muted"))
    if width >= WITH_SOURCE:
        cells.append(("  " + fit(third, SOURCE - 2, ellipsis), "faint"))
    cells.append((fit_right(size(model.file_bytes), SIZE), "foreground"))
    while cells and sum(cell_len(text) for text, _ in cells) > room:
        cells.pop(0)
    return cells


def from_where(model: Model) -> str:
    """Where it is from, and in how many more places it is."""
    return f"{SOURCES[model.source]} +{len(model.also)}" if model.also else SOURCES[model.source]


def about(model: Model, room: int, dot: str) -> str:
    """What a row with this room for the name has not told: its path comes last."""
    parts = [
        size(model.file_bytes) if cell_len(clean(model.name)) + SIZE > room else "",
        model.architecture or "",
        f"{model.shards} files" if model.shards > 1 else "",
        *dict.fromkeys(f"also {SOURCES[place.source]}" for place in model.also),
        in_short(model.path),
    ]
    return f" {dot} ".join(clean(part) for part in parts if part)


def short_path(path: Path) -> str:
    """A path with ~ for the home folder."""
    text = clean(str(path))
    home = str(Path.home())
    return "~" + text[len(home) :] if text.startswith(home + "/") else text


def in_short(path: Path) -> str:
    """Where a file lies, in as few words as tell it: of the Hugging Face cache the repository and the path there."""
    parts = path.parts
    if "snapshots" in parts[1:-2]:
        at = parts.index("snapshots")
        kind, _, repo = parts[at - 1].partition("--")
        if kind == "models" and repo:
            return clean("/".join((repo.replace("--", "/", 1), *parts[at + 2 :])))
    return short_path(path)


def homely(sentence: str) -> str:
    """A sentence with ~ for the home folder wherever a path in it begins with that."""
    return clean(sentence).replace(clean(f"{Path.home()}/"), "~/")


def fit_tail(text: str, width: int, ellipsis: str) -> str:
    """`text` cut at its beginning: of a path the end matters."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - cell_len(ellipsis):
        text = text[1:]
    return ellipsis + text


def _problem(problem: str, room: int, ellipsis: str) -> Sequence[Cell]:
    words = f"  {clean(problem)}"
    return [(fit(words, room, ellipsis), "warning")] if room >= min(LEAST_WORDS, cell_len(words)) else []
