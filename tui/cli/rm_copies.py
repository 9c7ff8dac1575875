"""`puna rm MODEL --copies`: the copies of a model become hard links to it, which gives their space back."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from tui.cli.asking import agreed
from tui.cli.main import DONE, FAILED, say
from tui.cli.output import Bytes, show, write_json
from tui.config.plain import one_line
from tui.config.sizes import size
from tui.library import Model
from tui.library.copies import copy_work, join_all, undo_all
from tui.library.joining import Joined, confirm, freed_together
from tui.library.model import owner_name, path_text, shown


def join_copies(args: argparse.Namespace, model: Model) -> int:
    """Say what would become one, ask, compare, link, and ask once more before the space is given back."""
    work = copy_work(model, model.also)
    left, pairs = work.unconfirmed, work.pairs
    for other in work.apart:
        say(f"{shown(other)} is on another disk, and stays")
    if not left and not pairs:
        say(f"{one_line(model.name)} has no copy that is known; `puna ls --hash` looks for files with the same bytes")
    for place in model.also:
        whose = owner_name(place.source)
        real = Path(os.path.realpath(place.path))
        leads = f", a link to {shown(real)}" if place.path.is_symlink() else ""
        say(f"copy: {shown(place.path)}{leads}{f', which belongs to {whose}' if whose else ''}")
    freed = freed_together(other for _, other in pairs) + sum(joined.freed_bytes for joined in left)
    if args.dry_run or not (left or pairs):
        _report(args, model, [other for _, other in pairs] + [joined.other for joined in left], freed, joined=False)
        return DONE
    if pairs and not agreed("compare them and make them one file?", yes=args.yes):
        return FAILED
    with Bytes("compared", work.read_bytes) as progress:
        fresh = join_all(pairs, progress.more)
    return _settle(args, model, [*left, *fresh], freed)


def _settle(args: argparse.Namespace, model: Model, done: Sequence[Joined], freed: int) -> int:
    if not agreed(f"one file now, with the same sha256: give {size(freed)} back? (no: as it was)", yes=args.yes):
        undo_all(done)
        return FAILED
    for joined in done:
        confirm(joined)
    _report(args, model, [joined.other for joined in done], freed, joined=True)
    return DONE


def _report(args: argparse.Namespace, model: Model, others: Sequence[Path], freed: int, *, joined: bool) -> None:
    if args.json:
        names = [path_text(other) for other in others]
        kept = path_text(model.path)
        write_json({"model": model.name, "kept": kept, "linked": names, "freed_bytes": freed, "joined": joined})
    elif joined:
        show(f"{one_line(model.name)}: {size(freed)} free")
    elif others:
        show(f"{one_line(model.name)}: {size(freed)} would come free")
