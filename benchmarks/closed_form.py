"""How far off is the closed form? Its error against the dry run, for each architecture, place and part.

Models of published sizes, as headers over a hole: in RAM, on one GPU, on two, half on one, and with the experts in RAM,
under contexts, cache types, attention and batches crossed. `keys` is what the first 64 KiB of a header give, without
tensor infos, `card` what a catalogue knows and a quantization label. An error is a share of what the dry run says; of a
total, of all places together. `within` is the share of answers whose total is off by no more than the spread that they
name.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.report import quantiles, tell
from tests.rigs.architectures import PUBLISHED, published_model
from tui.fit.closed_form import predict
from tui.fit.from_facts import CardFacts, shape_of_facts
from tui.fit.from_header import shape_of_header, shape_of_layout
from tui.fit.oracle import DryRun
from tui.fit.shape import Layer, ModelShape
from tui.fit.values import DeviceSpec, Machine, Prediction, Refused
from tui.gguf.layout import Layout, read_layout
from tui.gguf.stripped import strip
from tui.llama.settings import FlashAttention, KVType, LoadSettings

GIB = 1 << 30
PARTS = ("weights", "context", "compute")
CACHES: tuple[tuple[KVType, FlashAttention], ...] = (("f16", "auto"), ("f16", "off"), ("q8_0", "auto"), ("q4_0", "on"))
CONTEXTS, BATCHES = (4096, 32768), (512, 128)
COARSE_BYTES = 16 << 20
"""Compute buffers that are smaller are told in the totals alone: their error is large and means nothing."""


@dataclass(frozen=True)
class Case:
    """One question with both answers."""

    fact: Prediction
    found: Prediction
    keys: Prediction
    card: Prediction
    took_s: float


def main() -> None:
    """Ask both and tell."""
    asyncio.run(_main())


async def _main() -> None:
    rows: list[dict[str, Any]] = []
    everything: list[Case] = []
    with tempfile.TemporaryDirectory() as folder:
        dry_run = DryRun()
        try:
            for name in PUBLISHED:
                path = published_model(Path(folder) / name, name, words=True)
                layout = read_layout(path)
                path.unlink()
                for where, machine, settings in _places(shape_of_layout(layout)):
                    cases = await _cases(dry_run, layout, machine, settings)
                    everything += cases
                    rows.append(_row(name, layout, where, cases))
        finally:
            await dry_run.close()
    tell("closed_form", rows, _verdict(rows, everything))


def _places(shape: ModelShape) -> Iterator[tuple[str, Machine, dict[str, Any]]]:
    one, two = _machine(512), _machine(240, 120)
    yield "ram", Machine(), {"n_gpu_layers": 0}
    yield "gpu", one, {"n_gpu_layers": "all"}
    yield "two", two, {"n_gpu_layers": "all"}
    yield "half", one, {"n_gpu_layers": shape.n_layer // 2}
    if shape.n_expert:
        yield "experts in ram", one, {"n_gpu_layers": "all", "n_cpu_moe": shape.n_layer}


def _machine(*gib: int) -> Machine:
    sizes = [size * GIB for size in gib]
    named = enumerate(sizes)
    return Machine(devices=tuple(DeviceSpec(name=f"CUDA{n}", total_bytes=size, free_bytes=size) for n, size in named))


async def _cases(dry_run: DryRun, layout: Layout, machine: Machine, where: dict[str, Any]) -> list[Case]:
    header, shape, keys = strip(layout), shape_of_layout(layout), shape_of_header(layout.header)
    card = shape_of_facts(_card(shape), layout.header.file_type or "")
    cases = []
    for n_ctx, (kind, flash), n_ubatch in product(CONTEXTS, CACHES, BATCHES):
        settings = LoadSettings(n_ctx=n_ctx, type_k=kind, type_v=kind, flash_attn=flash, n_ubatch=n_ubatch, **where)
        try:
            fact = await dry_run.predict(header, settings, machine, _no_fallback)
        except Refused:
            continue
        begun = time.perf_counter()
        found = predict(shape, settings, machine)
        took_s = time.perf_counter() - begun
        cases.append(Case(fact, found, predict(keys, settings, machine), predict(card, settings, machine), took_s))
    return cases


def _card(shape: ModelShape) -> CardFacts:
    """What a catalogue knows of a model."""
    attends = next((layer for layer in shape.layers if layer.n_head_kv), Layer())
    return CardFacts(
        parameters=shape.parameters,
        architecture=shape.architecture,
        context_length=shape.n_ctx_train,
        layers=shape.n_layer,
        heads=attends.n_head or None,
        kv_heads=attends.n_head_kv or None,
        head_dim=None if shape.mla else attends.value_length or None,
        hidden_size=shape.n_embd,
        vocab_size=shape.n_vocab,
        active_parameters=shape.active_parameters if shape.n_expert else None,
        experts=shape.n_expert or None,
        experts_used=shape.n_expert_used or None,
    )


def _no_fallback(settings: LoadSettings, machine: Machine) -> Prediction:
    raise RuntimeError("no dry run on this machine, so there is nothing to compare with")


def _row(name: str, layout: Layout, where: str, cases: list[Case]) -> dict[str, Any]:
    off = {part: [error for case in cases for error in _errors(case, part)] for part in PARTS}
    return {
        "model": name,
        "architecture": layout.header.architecture,
        "where": where,
        "answers": len(cases),
        "weights_worst": _worst(off["weights"]),
        "context_worst": _worst(off["context"]),
        "compute_median": round(statistics.median(map(abs, off["compute"])), 4) if off["compute"] else None,
        "compute_worst": _worst(off["compute"]),
        "total_worst": _worst([_total_error(case.fact, case.found) for case in cases]),
        "spread": round(max((case.found.spread for case in cases), default=0.0), 4),
        "keys_total_worst": _worst([_total_error(case.fact, case.keys) for case in cases]),
        "keys_spread": round(max((case.keys.spread for case in cases), default=0.0), 4),
        "card_total_worst": _worst([_total_error(case.fact, case.card) for case in cases]),
        "card_spread": round(max((case.card.spread for case in cases), default=0.0), 4),
    }


def _errors(case: Case, part: str) -> Iterator[float]:
    places = zip((*case.fact.devices, case.fact.host), (*case.found.devices, case.found.host), strict=True)
    for fact, found in places:
        there, here = getattr(fact, f"{part}_bytes"), getattr(found, f"{part}_bytes")
        if part != "compute" or max(there, here) >= COARSE_BYTES:
            yield (here - there) / max(1, there)


def _total_error(fact: Prediction, found: Prediction) -> float:
    there, here = (sum(place.sum_bytes for place in (*each.devices, each.host)) for each in (fact, found))
    return (here - there) / there


def _worst(errors: list[float]) -> float:
    worst: float = max((*errors, 0.0), key=lambda error: error * error)
    return round(worst, 4)


def _verdict(rows: list[dict[str, Any]], cases: list[Case]) -> dict[str, Any]:
    compute = [abs(error) for case in cases for error in _errors(case, "compute")]
    within = {
        name: sum(abs(_total_error(case.fact, getattr(case, name))) <= getattr(case, name).spread for case in cases)
        for name in ("found", "keys", "card")
    }
    return {
        "architectures": len({row["architecture"] for row in rows}),
        "answers": len(cases),
        "weights_worst": _worst([row["weights_worst"] for row in rows]),
        "context_worst": _worst([row["context_worst"] for row in rows]),
        "compute_off": quantiles(compute),
        "total_off": quantiles([abs(_total_error(case.fact, case.found)) for case in cases]),
        "keys_total_off": quantiles([abs(_total_error(case.fact, case.keys)) for case in cases]),
        "card_total_off": quantiles([abs(_total_error(case.fact, case.card)) for case in cases]),
        "within": round(within["found"] / len(cases), 4),
        "keys_within": round(within["keys"] / len(cases), 4),
        "card_within": round(within["card"] / len(cases), 4),
        "answer_ms": quantiles([1000 * case.took_s for case in cases]),
    }


if __name__ == "__main__":
    main()
