"""The catalogue: what is known of models that can be fetched, with no network at all.

A starter comes with the package; where it is from and when it was gathered is in its first line. One that was refreshed
from the Hub lies in the cache folder and counts from then on. Reading takes some milliseconds and happens when it is
first asked for; a broken local file is told of and passed over. It never asks the Hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path

import msgspec

from tui.config.errors import ConfigError
from tui.config.files import locked, read_text, write_atomic
from tui.config.paths import Paths
from tui.hub.listing import Listing

VERSION = 1
_STARTER = Path(__file__).with_name("starter.jsonl")
_REFRESHED = "The Hugging Face Hub, and where it told nothing of a model, the catalogue that came with puna."
_DEFAULTS = {field.name: field.default for field in fields(Listing)}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Models, and how far to trust what is said of them."""

    gathered: str
    """The day, in ISO 8601."""
    source: str
    """Where the facts come from, in sentences."""
    listings: tuple[Listing, ...]
    problem: str | None = None
    """Why the catalogue that was refreshed here is not this one; None where it is, or where there is none."""


class _Head(msgspec.Struct, frozen=True):
    version: int
    gathered: str
    source: str


def catalogue(paths: Paths) -> Catalogue:
    """The catalogue that was refreshed on this machine, unless the one that comes with puna is newer; that one where
    there is no other.
    """
    came = starter()
    try:
        text = read_text(catalogue_file(paths))
        local = _read(text) if text else None
    except (ConfigError, msgspec.MsgspecError) as error:
        told = str(error) if isinstance(error, ConfigError) else f"{catalogue_file(paths)}: is no catalogue: {error}"
        return replace(came, problem=f"{told}; `puna find --refresh` makes it anew")
    return local if local is not None and local.gathered >= came.gathered else came


@cache
def starter() -> Catalogue:
    """The catalogue that comes with puna."""
    found = _read(_STARTER.read_text("utf-8"))
    if found is None:
        raise RuntimeError(f"{_STARTER} is of another version: this installation is broken")
    return found


def catalogue_file(paths: Paths) -> Path:
    """Where a refreshed catalogue is kept."""
    return paths.cache / "catalogue.jsonl"


def keep_catalogue(paths: Paths, listings: Sequence[Listing], gathered: str) -> Catalogue:
    """Keep what is known on the day `gathered`, in ISO 8601, as this machine's catalogue, and return it.

    Raises ConfigError where it cannot be written.
    """
    file, made = catalogue_file(paths), Catalogue(gathered, _REFRESHED, tuple(listings))
    with locked(file):
        write_atomic(file, _written(made))
    return made


def _read(text: str) -> Catalogue | None:
    """A catalogue out of its file; None where it is of another version. Raises MsgspecError."""
    first, _, rest = text.partition("\n")
    head = msgspec.json.decode(first, type=_Head)
    if head.version != VERSION:
        return None
    return Catalogue(head.gathered, head.source, tuple(msgspec.json.Decoder(Listing).decode_lines(rest)))


def _written(made: Catalogue) -> bytes:
    encoder = msgspec.json.Encoder()
    head = encoder.encode(_Head(VERSION, made.gathered, made.source))
    return b"\n".join([head, *(encoder.encode(_told(listing)) for listing in made.listings)]) + b"\n"


def _told(listing: Listing) -> dict[str, object]:
    """What of a listing is said at all."""
    values = asdict(listing)
    return {name: values[name] for name, default in _DEFAULTS.items() if default is MISSING or values[name] != default}
