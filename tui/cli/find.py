"""`puna find`: models that can be fetched, with what they would take here, from the Hub or with no network at all."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from tui.cli.find_hub import Source, from_hub, looked_at, refreshed
from tui.cli.find_table import Answer, answer_lines, to_json
from tui.cli.find_wishes import add_wishes, memory, n_ctx, quant, wishes_of
from tui.cli.loading import configured, run_until_signal, say_doubts
from tui.cli.main import DONE, USAGE, say
from tui.cli.output import show, terminal_width, write_json
from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.fit.described import described_devices
from tui.fit.order import USUAL_N_CTX
from tui.fit.values import DeviceSpec
from tui.gguf.names import same_quant
from tui.hub.beyond import beyond
from tui.hub.catalogue import Catalogue, catalogue
from tui.models.finder.here import Place, place_described, place_here
from tui.models.finder.pricing import Pricer, priced
from tui.models.finder.selection import Table, wished_models
from tui.models.finder.values import FinderRow, Wishes
from tui.models.quants import COMMON
from tui.models.wishes import wished_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_wishes(parser)
    add = parser.add_argument
    add(
        "--n-ctx",
        type=n_ctx,
        default=USUAL_N_CTX,
        metavar="N",
        help="context to reckon with, such as 16k, which is 16384 (default 8192)",
    )
    add(
        "--quant",
        type=quant,
        metavar="Q",
        help="this quantization of each model, and not the best one for this machine",
    )
    add("--all-quants", action="store_true", help="every quantization")
    add(
        "--device",
        action="append",
        metavar="NAME=SIZE[:cuda|vulkan|metal]",
        help="a GPU of a machine that is not here, as for `puna fit`; none for no GPU",
    )
    add("--ram", type=memory, metavar="SIZE", help="host memory of the described machine, such as 64GiB")
    add("--offline", action="store_true", help="do not ask the Hub; the catalogue that is here answers")
    add("--refresh", action="store_true", help="first make the catalogue anew from the Hub")
    add("--long", action="store_true", help="show the repository of each, and licence, date and downloads")
    add("--json", action="store_true", help="print the answer as one JSON document")


def run(args: argparse.Namespace) -> int:
    """Answer. Nothing found is an answer, too."""
    if args.offline and args.refresh:
        say("puna find: error: --refresh asks the Hub, which --offline forbids")
        return USAGE
    try:
        devices = described_devices(args.device) if args.device is not None else None
    except ValueError as error:
        say(f"puna find: error: argument --device: {error}")
        return USAGE
    say_doubts(devices, args.ram)
    paths, settings = configured()
    return run_until_signal(lambda: _answer(_Asked(args, paths, settings, wishes_of(args), devices)))


@dataclass(frozen=True, slots=True)
class _Asked:
    args: argparse.Namespace
    paths: Paths
    settings: Settings
    wishes: Wishes
    devices: tuple[DeviceSpec, ...] | None
    """The described ones; None for those that are here."""

    def select(self, table: Table) -> tuple[FinderRow, ...]:
        every = self.args.all_quants or self.args.quant is not None
        found = table.select(self.wishes, every_quant=every)
        if self.args.quant is None:
            return found
        return tuple(row for row in found if same_quant(row.quant, self.args.quant))


async def _answer(asked: _Asked) -> int:
    instead = beyond(asked.wishes.query)
    if instead is not None:
        say(f"puna: {instead}")
    known = await _known(asked)
    offline = Source("catalogue", known.listings)
    source = offline if asked.args.offline else await from_hub(asked.paths, asked.wishes, known)
    if asked.wishes.sort in ("downloads", "likes") and all(
        getattr(listing, asked.wishes.sort) is None for listing in source.listings
    ):
        say(f"puna: the catalogue tells no {asked.wishes.sort}, which only the Hub does; rows are in the order of fit")
    place = _place(asked)
    pricer = _pricer(asked, place)
    table = Table(row for rows in priced(pricer, wished_models(source.listings, asked.wishes)) for row in rows)
    found = asked.select(table)
    if source.hub is not None:
        table = table.more(await looked_at(source.hub, source.told, pricer, found[: asked.args.limit]))
        found = asked.select(table)
    shown = found[: asked.args.limit]
    if asked.args.json:
        write_json({"source": source.name, "rows": [to_json(row) for row in shown]})
        return DONE
    answer = Answer(
        rows=shown,
        matching=len(found),
        models=len(source.listings),
        source=source.name,
        gathered=known.gathered,
        n_ctx=pricer.n_ctx,
        place=place.words,
        described=asked.devices is not None or asked.args.ram is not None,
    )
    show("\n".join(answer_lines(answer, terminal_width(), long=asked.args.long)))
    return DONE


def _place(asked: _Asked) -> Place:
    here = place_here(asked.paths, asked.settings)
    if asked.devices is None and asked.args.ram is None:
        return here
    return place_described(here, asked.devices, asked.args.ram)


def _pricer(asked: _Asked, place: Place) -> Pricer:
    defaults = wished_settings({}, {}, asked.settings.load.values())
    quants = (asked.args.quant.upper(),) if asked.args.quant is not None else COMMON
    return Pricer(place.machine, n_ctx=asked.args.n_ctx, settings=defaults, measured=place.measured, quants=quants)


async def _known(asked: _Asked) -> Catalogue:
    """The catalogue, made anew if that was asked for. Raises CommandError where it cannot be."""
    known = catalogue(asked.paths)
    if known.problem is not None and not asked.args.refresh:
        say(f"puna: {known.problem}")
    return await refreshed(asked.paths, known) if asked.args.refresh else known
