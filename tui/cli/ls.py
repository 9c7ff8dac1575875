"""`puna ls`: the models on this disk, wherever another program put them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from tui.cli.main import DONE, CommandError, say
from tui.cli.output import Bytes, show, terminal_width, write_json
from tui.config.paths import Paths, paths
from tui.config.settings import load_config
from tui.config.sizes import size
from tui.hardware.meter.words import cells, clip
from tui.library import LibraryError, Model, look
from tui.library.copies import alike, learn
from tui.library.digests import DigestStore
from tui.library.model import SOURCES, Place, shown, to_json
from tui.library.scanner import digest_file

_EMPTY = """no models here yet
  puna add PATH                          remembers a GGUF file or a folder of them where it is
  puna config set library.folders PATH   searches a folder every time
models of the Hugging Face cache, LM Studio, Ollama, llama.cpp, Jan and GPT4All are found by themselves"""

_GAP = "  "
_MARK = "…"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="only this one")
    parser.add_argument(
        "--long", action="store_true", help="show architecture, repository and path; of one MODEL all that is known"
    )
    parser.add_argument(
        "--hash", action="store_true", help="read files of equal size to find copies, once for each file (slow)"
    )
    parser.add_argument("--json", action="store_true", help="print the list, or all that is known of MODEL, as JSON")


def run(args: argparse.Namespace) -> int:
    """Search every place and print what is there."""
    here = paths()
    config = load_config(here)
    found = look(here, config.settings.library.folders)
    if args.hash:
        _hash(here, found.models)
        found = look(here, config.settings.library.folders)
    for line in (*map(str, config.problems), *found.notes):
        say(f"puna: {line}")
    if args.model is not None:
        _one(args, here, found.models)
    elif args.json:
        write_json({"models": [to_json(model) for model in found.models]})
    elif not found.models:
        say(_EMPTY)
    else:
        show("\n".join(table(found.models, terminal_width(), long=args.long)))
    return DONE


def _one(args: argparse.Namespace, here: Paths, models: Sequence[Model]) -> None:
    """Print one model. Raises CommandError."""
    from tui.cli.ls_details import document, lines
    from tui.models.resolve import ModelNotFound, resolve

    try:
        model = resolve(args.model, models)
    except ModelNotFound as error:
        raise CommandError(str(error)) from error
    if args.json:
        write_json(document(model, here))
    else:
        rows = table([model], terminal_width(), long=args.long)
        show("\n".join([*rows, *(lines(model, here) if args.long else [])]))


def _hash(here: Paths, models: Sequence[Model]) -> None:
    """Work out the sums that tell copies. Raises CommandError."""
    candidates = alike(models)
    with Bytes("read", sum(model.file_bytes for model in candidates)) as progress:
        try:
            learn(candidates, DigestStore(digest_file(here)), progress.more)
        except LibraryError as error:
            raise CommandError(str(error)) from error


def table(models: Sequence[Model], width: int | None, *, long: bool = False) -> list[str]:
    """The models as lines, at most `width` columns each (None: as wide as they are). What is wrong with one follows it.

    With `long`, architecture and path follow too, and nothing is shortened.
    """
    rows = [(model.name, size(model.file_bytes), model.quant or "-", SOURCES[model.source]) for model in models]
    heads = ("NAME", "SIZE", "QUANT", "FROM")
    sizes, quants, sources = (max(len(row[n]) for row in (heads, *rows)) for n in (1, 2, 3))
    names = max(cells(row[0]) for row in (heads, *rows))
    if width is not None and not long:
        names = max(12, min(names, width - sizes - quants - sources - 3 * len(_GAP)))
    lines = [_line(heads, names, sizes, quants)]
    for model, row in zip(models, rows, strict=True):
        lines.append(_line((clip(row[0], names, _MARK), *row[1:]), names, sizes, quants))
        lines += [
            f"  {text if width is None or long else clip(text, width - 2, _MARK)}" for text in _below(model, long)
        ]
    return lines


def _line(row: Sequence[str], names: int, sizes: int, quants: int) -> str:
    name, amount, quant, source = row
    return f"{name}{' ' * (names - cells(name))}{_GAP}{amount:>{sizes}}{_GAP}{quant:<{quants}}{_GAP}{source}"


def _below(model: Model, long: bool) -> list[str]:
    below = [f"= {_place(place, long)} ({SOURCES[place.source]})" for place in model.also]
    if long:
        shards = f", {model.shards} files" if model.shards > 1 else ""
        where = f", {model.repo}" if model.repo else ""
        below += [f"{model.architecture or 'unknown architecture'}{shards}{where}", shown(model.path)]
    if model.problem is not None:
        below.append(f"! {model.problem}")
    return below


def _place(place: Place, long: bool) -> str:
    return f"{place.name}, {shown(place.path)}" if long else place.name
