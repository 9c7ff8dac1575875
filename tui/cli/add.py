"""`puna add PATH`: remembers where a model file or a folder of them lies, or brings it into the library folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from tui.cli.main import DONE, CommandError, say
from tui.cli.output import Bytes, show, write_json
from tui.config.paths import Paths, paths
from tui.config.plain import one_line
from tui.config.settings import load_config
from tui.config.sizes import size
from tui.library import LibraryError, Model, scan
from tui.library.importing import How, Import, plan_import
from tui.library.model import path_text, shown, to_json
from tui.library.remembered import remember
from tui.library.single import entry_for
from tui.library.transfer import bring_in

_NO_FOLDER = "there is no library folder yet; choose one: puna config set library.folders PATH"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("path", metavar="PATH", help="a GGUF file, any part of a split one, or a folder")
    ways = parser.add_mutually_exclusive_group()
    for how, what in (
        ("copy", "copy it into your first library folder"),
        ("move", "move it there"),
        ("link", "make a hard link there: no space is taken, and either name may go"),
        ("symlink", "make a symbolic link there"),
    ):
        ways.add_argument(f"--{how}", dest="how", action="store_const", const=how, help=what)
    parser.add_argument("--dry-run", action="store_true", help="with one of these: only say what would be done")
    parser.add_argument("--json", action="store_true", help="print the entry as JSON (of a folder: one line a model)")


def run(args: argparse.Namespace) -> int:
    """Remember or import the place and print what the library now calls the models in it."""
    if not args.path.strip():
        raise CommandError("no path was given; name a GGUF file or a folder")
    here = paths()
    folders = load_config(here).settings.library.folders
    if args.dry_run and args.how is None:
        raise CommandError("--dry-run goes with --copy, --move, --link or --symlink: without them nothing is written")
    try:
        if args.how is None:
            added: Sequence[Model] = remember(here, args.path)
        else:
            if not folders:
                raise CommandError(_NO_FOLDER)
            plan = plan_import(args.path, folders[0], cast(How, args.how))
            if args.dry_run:
                _tell(plan, as_json=args.json)
                return DONE
            added = _imported(here, plan)
    except LibraryError as error:
        raise CommandError(str(error)) from error
    _print(added, scan(here, folders), as_json=args.json)
    return DONE


def _imported(here: Paths, plan: Import) -> list[Model]:
    """Do it; the models in the new files."""
    with Bytes(plan.how, plan.needed_bytes) as progress:
        files = bring_in(here, plan, progress.more)
    # Every part stands for its model, which is told once.
    models = {model.path: model for model in map(entry_for, files)}
    return [replace(model, source="folder") for model in models.values()]


def _tell(plan: Import, *, as_json: bool) -> None:
    if as_json:
        steps = [
            {"from": path_text(step.source), "to": path_text(step.target), "bytes": step.size_bytes}
            for step in plan.steps
        ]
        write_json({"how": plan.how, "files": steps, "needed_bytes": plan.needed_bytes, "free_bytes": plan.free_bytes})
        return
    for step in plan.steps:
        show(f"{plan.how}  {shown(step.source)}\n  to  {shown(step.target)}  {size(step.size_bytes)}")
    say(f"would write {size(plan.needed_bytes)}; {size(plan.free_bytes)} are free. Nothing was done.")


def _print(added: Sequence[Model], library: tuple[Model, ...], *, as_json: bool) -> None:
    for model in (_as_listed(model, library) for model in added):
        if as_json:
            write_json(to_json(model))
        else:
            show(f"{one_line(model.name)}  {size(model.file_bytes)}")
        if model.problem is not None:
            say(f"puna: {one_line(model.name)} cannot be loaded: {model.problem}")


def _as_listed(model: Model, library: tuple[Model, ...]) -> Model:
    """The library's entry of the same file: its name is unique there."""
    real = os.path.realpath(model.path)
    for listed in library:
        if real in (os.path.realpath(path) for path in (listed.path, *(place.path for place in listed.also))):
            return listed
    return model
