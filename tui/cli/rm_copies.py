"""`puna rm MODEL --copies`: the copies of a model become hard links to it, which gives their space back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tui.cli.asking import agreed
from tui.cli.main import DONE, FAILED, say
from tui.cli.output import Bytes, show, write_json
from tui.config.plain import one_line
from tui.config.sizes import size
from tui.library import Model
from tui.library.copies import copies_of
from tui.library.joining import Joined, confirm, join, unconfirmed, undo
from tui.library.model import owner_name, path_text, shown

Pair = tuple[Path, Path]


def join_copies(args: argparse.Namespace, model: Model) -> int:
    """Say what would become one, ask, compare, link, and ask once more before the space is given back."""
    left, fresh = _work(model)
    if not left and not fresh:
        say(f"{one_line(model.name)} has no copy that is known; `puna ls --hash` looks for files with the same bytes")
    for place in model.also:
        whose = owner_name(place.source)
        say(f"copy: {shown(place.path)}{f', which belongs to {whose}' if whose else ''}")
    if args.dry_run or not (left or fresh):
        freed = sum(other.stat().st_size for _, other in fresh) + sum(joined.freed_bytes for joined in left)
        _report(args, model, [other for _, other in fresh] + [joined.other for joined in left], freed, joined=False)
        return DONE
    if fresh and not agreed("compare them and make them one file?", yes=args.yes):
        return FAILED
    return _settle(args, model, _joined(left, fresh))


def _work(model: Model) -> tuple[list[Joined], list[Pair]]:
    """What an earlier run left unconfirmed, and the pairs of files that are still two."""
    left: list[Joined] = []
    fresh: list[Pair] = []
    for kept, other in copies_of(model):
        earlier = unconfirmed(kept, other)
        if earlier is not None:
            left.append(earlier)
        elif kept.stat().st_dev != other.stat().st_dev:
            say(f"{shown(other)} is on another disk, and stays")
        elif not kept.samefile(other):
            fresh.append((kept, other))
    return left, fresh


def _joined(left: Sequence[Joined], fresh: Sequence[Pair]) -> list[Joined]:
    """All of them joined, or all as they were."""
    done = list(left)
    try:
        with Bytes("compared", sum(2 * other.stat().st_size for _, other in fresh)) as progress:
            for kept, other in fresh:
                done.append(join(kept, other, progress.more))
    except BaseException:
        _undo(done)
        raise
    return done


def _settle(args: argparse.Namespace, model: Model, done: Sequence[Joined]) -> int:
    freed = sum(joined.freed_bytes for joined in done)
    if not agreed(f"one file now, with the same sha256: give {size(freed)} back? (no: as it was)", yes=args.yes):
        _undo(done)
        return FAILED
    for joined in done:
        confirm(joined)
    _report(args, model, [joined.other for joined in done], freed, joined=True)
    return DONE


def _undo(done: Sequence[Joined]) -> None:
    for joined in done:
        undo(joined)


def _report(args: argparse.Namespace, model: Model, others: Sequence[Path], freed: int, *, joined: bool) -> None:
    if args.json:
        names = [path_text(other) for other in others]
        kept = path_text(model.path)
        write_json({"model": model.name, "kept": kept, "linked": names, "freed_bytes": freed, "joined": joined})
    elif joined:
        show(f"{one_line(model.name)}: {size(freed)} free")
    elif others:
        show(f"{one_line(model.name)}: {size(freed)} would come free")
