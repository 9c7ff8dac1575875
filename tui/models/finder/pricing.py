"""What a model that can be fetched would take here, for each of its quantizations: rows for finder and command.

By the closed form alone, out of what a card says: a row costs microseconds, a model a millisecond. Bytes are the upper
end of what is expected, so that what is said to fit does. Values in, values out; it asks neither llama.cpp nor the Hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import attrgetter

import msgspec

from tui.fit.calibration import telling
from tui.fit.evidence import Evidence, SpeedSource
from tui.fit.from_facts import CardFacts, Weights, weights_of
from tui.fit.measured import Measurement
from tui.fit.order import USUAL_N_CTX
from tui.fit.values import Machine, Prediction
from tui.fit.verdict import Assessment, assess
from tui.hub.listing import Listing
from tui.llama.settings import LoadSettings
from tui.models.finder.best import with_best
from tui.models.finder.outline import Outline, context_for, outline_of
from tui.models.finder.values import FinderRow
from tui.models.quants import COMMON

OWN_QUANTS = {"gpt_oss": ("MXFP4",), "gpt-oss": ("MXFP4",)}
"""Architectures whose models were trained in a quantization: files of all labels are about that size."""
USUAL_EXPERTS = (128, 8)
"""How many a mixture has, and uses, that tells of neither: what a token reads follows from its active parameters."""
TELLING = 12
"""Models measured here, each with its settings, that count for the speed of a row; each costs it some microseconds."""


class Pricer:
    """Prices rows on one machine, as it was when it was looked at. Safe to use in any one thread at a time."""

    def __init__(
        self,
        machine: Machine,
        *,
        n_ctx: int = USUAL_N_CTX,
        settings: LoadSettings | None = None,
        measured: Sequence[Measurement] = (),
        quants: Sequence[str] = COMMON,
    ) -> None:
        """`n_ctx` in tokens; a model that was trained on less counts with that. `settings` are the person's defaults:
        types of the KV cache, flash attention and n_ubatch of them count. `measured` is what was measured on this very
        machine; nothing for a described one. `quants` are those of models whose files are not known, the largest first.
        """
        self.machine, self.n_ctx, self._quants = machine, n_ctx, quants
        self._settings = _plain(settings or LoadSettings())
        self._measured = _telling(measured)
        self._outline = lru_cache(maxsize=1024)(self._outlined)

    def rows(self, listing: Listing) -> tuple[FinderRow, ...]:
        """A row for each quantization that is usual of it, the largest first, with the recommended one marked."""
        quants = OWN_QUANTS.get(listing.architecture, self._quants)
        return with_best([self.row(listing, quant) for quant in quants])

    def row(self, listing: Listing, quant: str, *, file: str | None = None, file_bytes: int | None = None) -> FinderRow:
        """One quantization. Where `file_bytes` is known it counts, and is not estimated. A model whose parameters are
        not known has no price.
        """
        if not listing.parameters:
            return FinderRow(listing=listing, quant=quant, file=file, file_bytes=file_bytes)
        outline = self._outline(_facts(listing))
        weights = weights_of(outline.shape, quant, file_bytes)
        held, found = self._placed(outline, weights)
        speed, source = (self._speed(outline, weights, held) if found.verdict != "no" else None) or (None, None)
        return FinderRow(
            listing=listing,
            quant=quant,
            file=file,
            file_bytes=file_bytes or round(weights.data_bytes * (1 + weights.spread)),
            need_bytes=found.need_bytes,
            verdict=found.verdict,
            decode_tok_s=speed,
            speed_source=source,
        )

    def _outlined(self, facts: CardFacts) -> Outline:
        n_ctx = context_for(facts.context_length, self.n_ctx)
        return outline_of(facts, self.machine, msgspec.structs.replace(self._settings, n_ctx=n_ctx))

    def _placed(self, outline: Outline, weights: Weights) -> tuple[Prediction, Assessment]:
        """All layers on the devices, else as many as fit, else none; of what fits nowhere what lacks less."""
        whole = self._assessed(outline, weights, outline.most)
        if whole[1].verdict in ("gpu", "ram") or not outline.most:
            return whole
        without = self._assessed(outline, weights, 0)
        fewest, most = 0, outline.most - 1
        best = without
        while fewest < most:  # more layers on devices only ever need more there
            middle = (fewest + most + 1) // 2
            tried = self._assessed(outline, weights, middle)
            if all(device.fits for device in tried[1].devices):
                fewest, best = middle, tried
            else:
                most = middle - 1
        return min((best, without, whole), key=lambda one: (one[1].verdict == "no", one[1].missing_bytes))

    def _assessed(self, outline: Outline, weights: Weights, n_gpu_layers: int) -> tuple[Prediction, Assessment]:
        held = outline.held(weights, n_gpu_layers)
        return held, assess(held, self.machine, outline.shape.n_block)

    def _speed(
        self, outline: Outline, weights: Weights, held: Prediction
    ) -> tuple[tuple[float, float], SpeedSource] | None:
        """Tokens a second from low to high, by how fast memory is read here and what other models reached, and which of
        these it is.
        """
        parts = outline.parts(weights, held)
        evidence = Evidence(self._measured, parts, outline.shape, self.machine, model="", settings="")
        found = evidence.decode()
        if found is None:
            return None
        unsure = 1 + weights.spread
        return (1 / (found[0].high * unsure), unsure / found[0].low), found[1]


def priced(pricer: Pricer, listings: Iterable[Listing]) -> Iterator[tuple[FinderRow, ...]]:
    """The rows of each model in turn, so that a caller may stop, or let others work, in between."""
    return (pricer.rows(listing) for listing in listings)


def _facts(listing: Listing) -> CardFacts:
    experts, used = listing.experts, listing.experts_used
    if experts is None and listing.active_parameters and listing.active_parameters < (listing.parameters or 0):
        experts, used = USUAL_EXPERTS
    return CardFacts(
        parameters=listing.parameters or 0,
        architecture=listing.architecture,
        context_length=listing.context_length,
        layers=listing.layers,
        heads=listing.heads,
        kv_heads=listing.kv_heads,
        head_dim=listing.head_dim,
        hidden_size=listing.hidden_size,
        vocab_size=listing.vocab_size,
        active_parameters=listing.active_parameters,
        experts=experts,
        experts_used=used,
    )


def _plain(settings: LoadSettings) -> LoadSettings:
    """What of the person's defaults means any model on all of the machine."""
    return LoadSettings(
        type_k=settings.type_k,
        type_v=settings.type_v,
        flash_attn=settings.flash_attn,
        n_batch=settings.n_batch,
        n_ubatch=settings.n_ubatch,
    )


def _telling(measured: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """What the models that ran last say, each with its settings."""
    real = [one for one in measured if one.kind != "phantom"]
    return tuple(telling(real, attrgetter("decode_tok_s"))[-TELLING:])
