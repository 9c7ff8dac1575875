"""One item from the queue to its end: its files one after the other, begun anew where the hub has other ones now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from tui.config.plain import clean
from tui.gguf.header import GgufError, read_header
from tui.hub.downloads.errors import DownloadError, Useless
from tui.hub.downloads.fetch import FileFetch, Means
from tui.hub.downloads.part import clean_up, drop_part, part_bytes, set_aside
from tui.hub.downloads.persistence import persist
from tui.hub.downloads.places import Place, place_of
from tui.hub.downloads.space import check_room
from tui.hub.downloads.stop import Stop
from tui.hub.downloads.teller import Teller
from tui.hub.downloads.values import Item, Wanted, wanted_of
from tui.hub.errors import Changed, HubError, NotFound
from tui.hub.files import repo_files

_RENEWALS = 3
"""How often the hub may have something else before it is given up."""


def fetch_item(
    means: Means,
    item: Item,
    cache: Path,
    *,
    ahead: Iterable[Item],
    stop: Stop,
    teller: Teller,
    renewed: Callable[[Item], None],
) -> Path:
    """Fetch an item; the file to load.

    `ahead` are the items that need their room first. `renewed` is called when its files are other ones now. Blocks; for
    a worker thread. Raises HubError (Useless for what is whole and no model), and Cancelled; what was fetched is kept.
    Its end is told by the caller.
    """
    place = place_of(item, cache)
    for _ in range(_RENEWALS):
        _set_aside_replaced(item, place, teller)
        try:
            check_room(place.parts, missing_bytes(item, place), needs(ahead, cache), means.look)
            paths = _all_files(means, item, place, teller, stop)
            clean_up(place.parts, item.id)
            _check_use(item, paths)
            return paths[0]
        except (Changed, NotFound) as error:
            item = _renewed(means, item, teller, stop, error)
            teller.renew(item)
            renewed(item)
    raise Changed(f"{item.name} changes on the hub faster than it can be fetched; try again later")


def missing_bytes(item: Item, place: Place) -> int:
    """What is still to be fetched."""
    return sum(file.size_bytes - present_bytes(item, file, place) for file in item.files)


def present_bytes(item: Item, file: Wanted, place: Place) -> int:
    """How much of a file is on this disk."""
    return file.size_bytes if place.found(item, file) else part_bytes(place.parts, file)


def needs(items: Iterable[Item], cache: Path) -> list[tuple[Path, int]]:
    """Where each of these items will take how much more."""
    places = ((item, place_of(item, cache)) for item in items)
    return [(place.parts, missing_bytes(item, place)) for item, place in places]


def give_up(item: Item, cache: Path, keep: Iterable[Item]) -> None:
    """Delete what was fetched of an item that is not wanted any more, except what items in `keep` want, too."""
    place = place_of(item, cache)
    wanted = {file.sha256 for other in keep if other.id != item.id and other.open for file in other.files}
    for file in (*item.files, *item.replaced):
        if file.sha256 not in wanted:
            drop_part(place.parts, file)
    clean_up(place.parts, item.id)


def in_place_of(known: Item, newer: Item) -> Item:
    """`newer` as the order that stands in place of `known`, of which the hub has other files now."""
    return msgspec.structs.replace(newer, replaced=(*known.replaced, *known.files))


def _set_aside_replaced(item: Item, place: Place, teller: Teller) -> None:
    wanted = {file.sha256 for file in item.files}
    for old in item.replaced:
        if old.sha256 not in wanted and set_aside(place.parts, old, item.id):
            teller.again(f"{old.path} has changed on the hub, so it begins anew; what came before is set aside")


def _all_files(means: Means, item: Item, place: Place, teller: Teller, stop: Stop) -> list[Path]:
    paths, before = [], 0
    for file in item.files:
        paths.append(FileFetch(means, item, file, place, before, teller, stop).run())
        before += file.size_bytes
    return paths


def _check_use(item: Item, paths: Sequence[Path]) -> None:
    """Raises Useless for a file whose header is broken, or that is none: fetching it again would bring the same."""
    for file, path in zip(item.files, paths, strict=True):
        try:
            read_header(path)
        except GgufError as error:
            what = f"{clean(file.path)} {error.reason.partition(';')[0]}, and the hub has it like that"
            raise Useless(f"{what}; choose another file (`puna rm` deletes this one)", paths[0]) from error


def _renewed(means: Means, item: Item, teller: Teller, stop: Stop, error: HubError) -> Item:
    """The same files as the hub has them now. Raises `error` when nothing is new, and what the hub answers."""
    files = persist(lambda: repo_files(means.hub, item.repo, item.revision), means.persistence, stop, teller.again)
    everything = [file for row in files.rows for file in row.files] + [*files.projectors, *files.drafts]
    known = {file.path: file for file in everything}
    if not all(file.path in known for file in item.files):
        raise DownloadError(f"{item.name} is not at the hub any more: {error}") from error
    now = wanted_of(known[file.path] for file in item.files)
    if (now, files.commit) == (item.files, item.commit):
        raise error
    return in_place_of(item, msgspec.structs.replace(item, files=now, commit=files.commit))
