"""`puna add PATH`: remembers where a model file or a folder of them lies. Nothing is copied."""

from __future__ import annotations

import argparse
import os

from tui.cli.main import DONE, CommandError, say
from tui.cli.output import show, write_json
from tui.config.paths import paths
from tui.config.plain import one_line
from tui.config.settings import load_config
from tui.config.sizes import size
from tui.library import LibraryError, Model, scan
from tui.library.model import to_json
from tui.library.remembered import remember


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("path", metavar="PATH", help="a GGUF file, any part of a split one, or a folder")
    parser.add_argument("--json", action="store_true", help="print the entry as JSON (of a folder: one line a model)")


def run(args: argparse.Namespace) -> int:
    """Remember the place and print what the library now calls the models in it."""
    here = paths()
    try:
        added = remember(here, args.path)
    except LibraryError as error:
        raise CommandError(str(error)) from error
    library = scan(here, load_config(here).settings.library.folders)
    models = [_as_listed(model, library) for model in added]
    for model in models:
        if args.json:
            write_json(to_json(model))
        else:
            show(f"{one_line(model.name)}  {size(model.file_bytes)}")
        if model.problem is not None:
            say(f"puna: {one_line(model.name)} cannot be loaded: {model.problem}")
    return DONE


def _as_listed(model: Model, library: tuple[Model, ...]) -> Model:
    """The library's entry of the same file: its name is unique there."""
    real = os.path.realpath(model.path)
    for listed in library:
        if real in (os.path.realpath(path) for path in (listed.path, *(place.path for place in listed.also))):
            return listed
    return model
