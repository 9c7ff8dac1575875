"""`puna ls`: the models on this disk, wherever another program put them."""

from __future__ import annotations

import argparse
import shutil
import sys
import unicodedata
from collections.abc import Sequence

from tui.cli.main import DONE, say
from tui.cli.output import show, write_json
from tui.config.paths import paths
from tui.config.settings import load_config
from tui.library import Model, look
from tui.library.model import shown, to_json

_EMPTY = """no models here yet
  puna add PATH                          remembers a GGUF file or a folder of them where it is
  puna config set library.folders PATH   searches a folder every time
models in the Hugging Face cache are found by themselves"""

_SOURCES = {"demo": "demo", "hf-cache": "hub cache", "folder": "folder", "added": "added"}
_GAP = "  "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--long", action="store_true", help="show architecture, repository and path as well")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: argparse.Namespace) -> int:
    """Search every place and print what is there."""
    here = paths()
    config = load_config(here)
    found = look(here, config.settings.library.folders)
    for line in (*map(str, config.problems), *found.notes):
        say(f"puna: {line}")
    if args.json:
        write_json({"models": [to_json(model) for model in found.models]})
    elif not found.models:
        say(_EMPTY)
    else:
        show("\n".join(table(found.models, _width(), long=args.long)))
    return DONE


def table(models: Sequence[Model], width: int | None, *, long: bool = False) -> list[str]:
    """The models as lines, at most `width` columns each (None: as wide as they are). What is wrong with one follows it.

    With `long`, architecture and path follow too, and nothing is shortened.
    """
    rows = [(model.name, size_text(model.file_bytes), model.quant or "-", _SOURCES[model.source]) for model in models]
    heads = ("NAME", "SIZE", "QUANT", "FROM")
    sizes, quants, sources = (max(len(row[n]) for row in (heads, *rows)) for n in (1, 2, 3))
    names = max(_cells(row[0]) for row in (heads, *rows))
    if width is not None and not long:
        names = max(12, min(names, width - sizes - quants - sources - 3 * len(_GAP)))
    lines = [_line(heads, names, sizes, quants)]
    for model, row in zip(models, rows, strict=True):
        lines.append(_line((_cut(row[0], names), *row[1:]), names, sizes, quants))
        lines += [f"  {text if width is None or long else _cut(text, width - 2)}" for text in _below(model, long)]
    return lines


def size_text(count: int) -> str:
    """Bytes for a person, in the units that download pages use."""
    for unit, bytes_each in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= bytes_each:
            value = count / bytes_each
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return f"{count} B"


def _line(cells: Sequence[str], names: int, sizes: int, quants: int) -> str:
    name, size, quant, source = cells
    return f"{name}{' ' * (names - _cells(name))}{_GAP}{size:>{sizes}}{_GAP}{quant:<{quants}}{_GAP}{source}"


def _below(model: Model, long: bool) -> list[str]:
    below: list[str] = []
    if long:
        shards = f", {model.shards} files" if model.shards > 1 else ""
        where = f", {model.repo}" if model.repo else ""
        below += [f"{model.architecture or 'unknown architecture'}{shards}{where}", shown(model.path)]
    if model.problem is not None:
        below.append(f"! {model.problem}")
    return below


def _cut(text: str, width: int) -> str:
    if _cells(text) <= width:
        return text
    while text and _cells(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def _cells(text: str) -> int:
    """Columns that a text takes on a terminal: East Asian characters take two, marks over the one before none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def _width() -> int | None:
    """The terminal's width; None where the output goes to a file or another program, which gets it whole."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
