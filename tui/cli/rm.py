"""`puna rm MODEL`: deletes a model's files after saying whose they are, what else uses them and what comes free."""

from __future__ import annotations

import argparse

from tui.cli.asking import agreed
from tui.cli.main import DONE, FAILED, CommandError, say
from tui.cli.output import show, write_json
from tui.cli.rm_copies import join_copies
from tui.config.paths import paths
from tui.config.plain import one_line
from tui.config.settings import load_config
from tui.config.sizes import size
from tui.hub.errors import HubError
from tui.library import LibraryError, scan
from tui.library.model import SOURCES, path_text, shown
from tui.models.removal import Deletion, at_named_place, carry_out, owned_by, plan_deletion
from tui.models.resolve import ModelNotFound, resolve

_COPIES = "keep the model, and make its copies on this disk hard links to it, if their sha256 is the same"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "model", metavar="MODEL", help="a name that `puna ls` shows, a path, org/repo or org/repo:QUANT"
    )
    parser.add_argument("--copies", action="store_true", help=_COPIES)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Say what it means, ask, do it."""
    here = paths()
    models = scan(here, load_config(here).settings.library.folders)
    try:
        if args.copies:
            return join_copies(args, at_named_place(args.model, resolve(args.model, models)))
        deletion = plan_deletion(here, args.model, models)
        for line in _told(deletion):
            say(line)
        if not args.dry_run:
            if not agreed("delete?", yes=args.yes):
                return FAILED
            carry_out(here, deletion)
    except (ModelNotFound, LibraryError, HubError) as error:
        raise CommandError(str(error)) from error
    _report(args, deletion)
    return DONE


def _told(deletion: Deletion) -> list[str]:
    told = [f"{one_line(deletion.name)}  {SOURCES[deletion.source]}"]
    told += [f"  {shown(file)}" for file in deletion.files]
    told += [f"  ! {one}" for one in (*owned_by([deletion]), *deletion.uses)]
    told.append(f"  {size(deletion.freed_bytes)} come free" if deletion.freed_bytes else "  no space comes free")
    return told


def _report(args: argparse.Namespace, deletion: Deletion) -> None:
    if args.json:
        write_json(
            {
                "model": deletion.name,
                "source": deletion.source,
                "owner": deletion.owner,
                "files": [path_text(file) for file in deletion.files],
                "freed_bytes": deletion.freed_bytes,
                "uses": list(deletion.uses),
                "removed": not args.dry_run,
            }
        )
    elif not args.dry_run:
        show(f"deleted {one_line(deletion.name)}: {size(deletion.freed_bytes)} free")
