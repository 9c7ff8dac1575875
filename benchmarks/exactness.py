"""Is the dry run exact? Every architecture and every setting of a context, against what llama.cpp itself takes on this
CPU: the real allocation of small models and of the demo model, its own layout of full-size ones.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import quantiles, tell
from tests.rigs.allocations import Allocations, Parts, allocations
from tests.rigs.architectures import PUBLISHED, RECIPES, published_model, tiny_architecture
from tests.rigs.demo import demo_model
from tests.rigs.setting_matrix import every_setting
from tui.fit.oracle import DryRun
from tui.fit.values import Machine, Refused
from tui.gguf.layout import read_layout
from tui.gguf.stripped import StrippedHeader, strip
from tui.llama.settings import LoadSettings

_PARTS = ("weights", "context", "compute")


def main() -> None:
    """Ask and tell."""
    asyncio.run(_main())


async def _main() -> None:
    rows: list[dict[str, Any]] = []
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as folder, allocations() as llama:
        async with DryRun() as dry_run:
            for path, really in _files(Path(folder)):
                rows.append(await _compare(dry_run, llama, path, really, waits))
    worst = {f"{part}_off_bytes": max(row[f"{part}_off_bytes"] for row in rows) for part in _PARTS}
    refusals = sum(row["refused_by_one_only"] for row in rows)
    tell(
        "exactness",
        rows,
        {
            "configurations": sum(row["configurations"] for row in rows),
            "architectures": len({row["architecture"] for row in rows}),
            **worst,
            "refused_by_one_only": refusals,
            "question_ms": quantiles([1000 * wait for wait in waits]),
            "goal": 0,
            "reached": not any(worst.values()) and not refusals,
        },
    )


def _files(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Each model, one on disk at a time, and whether it can really be allocated."""
    yield demo_model(), True
    for name in RECIPES:
        yield tiny_architecture(folder / f"tiny {name}", name), True
    for name in PUBLISHED:
        path = published_model(folder / name, name, words=True)
        yield path, False
        path.unlink()


async def _compare(dry_run: DryRun, llama: Allocations, path: Path, really: bool, waits: list[float]) -> dict[str, Any]:
    layout = read_layout(path)
    header = strip(layout)
    settings = every_setting((512, 8192) if really else (4096, 32768), panes=(1,))
    facts = llama.ask(path, settings, really=really)
    found = [await _ask(dry_run, header, each, waits) for each in settings]
    return {
        "model": path.name,
        "architecture": layout.header.architecture,
        "against": "allocation" if really else "layout",
        "configurations": len(settings),
        **_off(zip(facts, found, strict=True)),
    }


async def _ask(dry_run: DryRun, header: StrippedHeader, settings: LoadSettings, waits: list[float]) -> Parts | None:
    begun = time.perf_counter()
    try:
        found = await dry_run.predict(header, settings, Machine())
    except Refused:
        return None
    waits.append(time.perf_counter() - begun)
    if found.source != "dry-run":
        raise RuntimeError(f"no dry run on this machine: {found.reason}")
    return Parts(found.host.weights_bytes, found.host.context_bytes, found.host.compute_bytes)


def _off(pairs: Iterable[tuple[Parts | None, Parts | None]]) -> dict[str, int]:
    """The largest difference of each part, and how often only one of the two refused."""
    off = dict.fromkeys((f"{part}_off_bytes" for part in _PARTS), 0)
    lonely = refused = 0
    for fact, found in pairs:
        if fact is None or found is None:
            refused += 1
            lonely += fact != found
            continue
        for part in _PARTS:
            difference = abs(getattr(fact, f"{part}_bytes") - getattr(found, f"{part}_bytes"))
            off[f"{part}_off_bytes"] = max(off[f"{part}_off_bytes"], difference)
    return {"refused": refused, **off, "refused_by_one_only": lonely}


if __name__ == "__main__":
    main()
