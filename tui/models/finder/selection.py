"""Which rows are shown, and in which order: what a person wishes for, over thousands of rows at each key.

Everything that filters and orders ask of a row is worked out once, when it comes; a wish then walks over plain lists.
Values only, and none of them changes: a table with more rows is another table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from tui.fit.labels import label_of
from tui.hub.address import named, own_endpoint
from tui.hub.listing import Listing
from tui.hub.merging import is_alike
from tui.models.finder.best import at_four_bits, rank
from tui.models.finder.families import family_of
from tui.models.finder.values import WAITED_TOKENS, FinderRow, Fits, Sort, Wishes

_WORST: Mapping[Fits, int] = {"gpu": 0, "partial": 1, "ram": 2, "any": 9}
_USUAL_BYTES = label_of("Q8_0").layers


class _Facts(NamedTuple):
    """What a wish asks of a model."""

    text: str
    model: str
    """Which model it is; the repository where that is not known."""
    name: str
    family: str
    licence: str
    day: int
    """When it was updated, as yyyymmdd; 0 where that is not known."""


class _Key(NamedTuple):
    """What a wish asks of a row."""

    facts: _Facts
    rank: int
    low_tok_s: float
    """0 where it is not known."""
    fit: tuple[float | str, ...]
    """Verdict, four bits a weight or more, most parameters, newest, most downloads: the smallest first."""
    preferred: tuple[bool, int, bool, bool, int]
    """The higher, the sooner it stands for its model."""

    def tier(self, least_tok_s: float) -> int:
        """What fits and is fast enough, then what fits, then what does not, then what nobody knows of."""
        fits = self.rank <= _WORST["ram"]
        return int(self.low_tok_s < least_tok_s) if fits else self.rank


class Table:
    """Rows that can be asked for again and again."""

    def __init__(self, rows: Iterable[FinderRow] = ()) -> None:
        """Rows of one repository belong together; their order does not matter."""
        self.rows: tuple[FinderRow, ...] = tuple(rows)
        self._keys = _keys(self.rows)
        self._orders: dict[Sort, list[int]] = {}
        self._nearly: Sequence[int] = range(len(self.rows))
        """All indices, for the most part in the order "fit" already."""

    def more(self, rows: Iterable[FinderRow]) -> Table:
        """A table with these rows besides; those of a repository that is here already take the place of all of its
        rows.
        """
        new = tuple(rows)
        repos = {row.listing.repo for row in new}
        kept = [index for index, row in enumerate(self.rows) if row.listing.repo not in repos]
        table = Table()
        table.rows = (*(self.rows[index] for index in kept), *new)
        table._keys = [*(self._keys[index] for index in kept), *_keys(new)]
        places = {old: place for place, old in enumerate(kept)}
        before = (places[index] for index in self._order("fit") if index in places)
        table._nearly = [*before, *range(len(kept), len(table.rows))]
        return table

    def select(self, wishes: Wishes, *, every_quant: bool = False) -> tuple[FinderRow, ...]:
        """The rows that have all that is wished for, in the order that is wished for.

        Of each model one row, at its most downloaded repository that is open to all: the recommended quantization where
        it has what is wished for, else the largest that does, up to Q8_0; with `every_quant` all rows. What is not
        known of a row counts as not enough.
        """
        found = self._order(wishes.sort)
        for passes in (*_of_model(wishes), *_of_row(wishes)):
            found = passes(found, self.rows, self._keys)
        if not every_quant:
            found = self._one_each(found)
        if wishes.patience_s and wishes.sort == "fit":
            least_tok_s, keys = WAITED_TOKENS / wishes.patience_s, self._keys
            found = sorted(found, key=lambda index: keys[index].tier(least_tok_s))
        return tuple(self.rows[index] for index in found)

    def _one_each(self, found: Sequence[int]) -> list[int]:
        chosen: dict[str, int] = {}
        rows, keys = self.rows, self._keys
        for index in found:
            model, listing = keys[index].facts.model, rows[index].listing
            other = chosen.get(model)
            # Anyone may name any model as that which they quantized.
            if other is not None and _differ(listing, rows[other].listing):
                model = listing.repo
                other = chosen.get(model)
            if other is None or keys[index].preferred > keys[other].preferred:
                chosen[model] = index
        standing = set(chosen.values())
        return [index for index in found if index in standing]

    def _order(self, sort: Sort) -> list[int]:
        """Indices of all rows in an order; worked out when it is first asked for. What is equal stays as in "fit"."""
        if sort not in self._orders:
            if sort == "fit":
                self._orders[sort] = sorted(self._nearly, key=[key.fit for key in self._keys].__getitem__)
            else:
                values = [_ORDERS[sort](row, key) for row, key in zip(self.rows, self._keys, strict=True)]
                self._orders[sort] = sorted(self._order("fit"), key=values.__getitem__)
        return self._orders[sort]


def _differ(one: Listing, other: Listing) -> bool:
    return one is not other and not is_alike(one.parameters, other.parameters)


_Rows = Sequence[FinderRow]
_Passes = Callable[[Sequence[int], _Rows, Sequence[_Key]], list[int]]


def wished_models(listings: Iterable[Listing], wishes: Wishes) -> tuple[Listing, ...]:
    """The models that can have what is wished for, before anything of them is priced."""
    rows = tuple(FinderRow(listing=listing, quant="") for listing in listings)
    found: Sequence[int] = range(len(rows))
    keys = _keys(rows)
    for passes in _of_model(wishes):
        found = passes(found, rows, keys)
    return tuple(rows[index].listing for index in found)


def _of_model(wishes: Wishes) -> list[_Passes]:
    """What is asked of the model, as steps that each leave fewer indices."""
    steps: list[_Passes] = [_with_word(word) for word in searched_words(wishes.query)]
    use_case, least = wishes.use_case, wishes.context_length
    low, high = wishes.parameters
    licence, family = wishes.licence.casefold(), wishes.family.casefold()
    if use_case is not None:
        steps.append(lambda found, rows, keys: [i for i in found if use_case in rows[i].listing.use_cases])
    if low is not None:
        steps.append(lambda found, rows, keys: [i for i in found if (rows[i].listing.parameters or -1) >= low])
    if high is not None:
        steps.append(lambda found, rows, keys: [i for i in found if 0 < (rows[i].listing.parameters or 0) <= high])
    if licence:
        steps.append(lambda found, rows, keys: [i for i in found if licence in keys[i].facts.licence])
    if family:
        steps.append(lambda found, rows, keys: [i for i in found if family == keys[i].facts.family])
    if least is not None:
        steps.append(lambda found, rows, keys: [i for i in found if (rows[i].listing.context_length or -1) >= least])
    return steps


def _with_word(word: str) -> _Passes:
    return lambda found, rows, keys: [i for i in found if word in keys[i].facts.text]


def _of_row(wishes: Wishes) -> list[_Passes]:
    """What is asked of the price."""
    steps: list[_Passes] = []
    worst = _WORST[wishes.fits]
    if wishes.fits != "any":
        steps.append(lambda found, rows, keys: [i for i in found if keys[i].rank <= worst])
    slowest = max(wishes.min_speed or 0.0, WAITED_TOKENS / wishes.max_wait_s if wishes.max_wait_s else 0.0)
    if slowest > 0:
        steps.append(lambda found, rows, keys: [i for i in found if keys[i].low_tok_s >= slowest])
    return steps


def _keys(rows: Sequence[FinderRow]) -> list[_Key]:
    facts: dict[int, _Facts] = {}
    bits: dict[str, tuple[bool, bool]] = {}
    made: list[_Key] = []
    for row in rows:
        listing = row.listing
        known = facts.get(id(listing)) or facts.setdefault(id(listing), _facts(listing))
        if row.quant not in bits:
            bits[row.quant] = (at_four_bits(row.quant), label_of(row.quant).layers <= _USUAL_BYTES)
        good, usual = bits[row.quant]
        size = row.file_bytes or 0
        place = rank(row)
        low = row.decode_tok_s[0] if row.decode_tok_s is not None else 0.0
        fit = (place, not good, -(listing.parameters or 0), -known.day, -(listing.downloads or 0), -size, known.name)
        preferred = (not listing.gated, listing.downloads or 0, row.best, usual, size)
        made.append(_Key(known, place, low, fit, preferred))
    return made


def searched_words(query: str) -> tuple[str, ...]:
    """The words that all have to be there, in small letters; of an address the repository that it leads to."""
    return tuple(dict.fromkeys(named(query, own_endpoint()).casefold().split()))


def searched(listing: Listing) -> str:
    """The text that each word of a query is looked for in, in small letters: owner, name, architecture and family."""
    return f"{listing.repo} {listing.model} {listing.architecture} {family_of(listing)}".casefold()


def _facts(listing: Listing) -> _Facts:
    day = (listing.updated or "")[:10].replace("-", "")
    return _Facts(
        searched(listing),
        (listing.model or listing.repo).casefold(),
        listing.name.casefold(),
        family_of(listing),
        (listing.licence or "").casefold(),
        int(day) if day.isascii() and day.isdigit() else 0,
    )


_ORDERS: Mapping[Sort, Callable[[FinderRow, _Key], float | str]] = {
    "speed": lambda row, key: -key.low_tok_s,
    "size": lambda row, key: row.file_bytes or float("inf"),
    "downloads": lambda row, key: -(row.listing.downloads or 0),
    "updated": lambda row, key: -key.facts.day,
    "likes": lambda row, key: -(row.listing.likes or 0),
    "name": lambda row, key: key.facts.name,
}
"""The smallest first: sizes from the smallest up, names from a to z, everything else from the most down."""
