"""How near does another estimator come, and how fast? node-llama-cpp's `inspect estimate` and the dry run, on the same
headers of published models.

Each is held against what llama.cpp reports for the context that the tool itself would make: node-llama-cpp keeps
logits for a whole batch, puna for one token. node-llama-cpp tells a context's cache and compute in one sum. It needs
Node.js and a folder with the package: `npm install --omit=optional --ignore-scripts node-llama-cpp
@node-llama-cpp/linux-x64`, then PUNA_NODE_LLAMA_CPP=THAT_FOLDER.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import quantiles, tell
from tests.rigs.allocations import Allocations, Parts, allocations
from tests.rigs.architectures import PUBLISHED, published_model
from tui.fit.oracle import DryRun
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.gguf.layout import read_layout
from tui.gguf.stripped import StrippedHeader, strip
from tui.llama.settings import KVType, LoadSettings

_CASES: tuple[tuple[int, KVType, int], ...] = ((4096, "f16", 1), (32768, "q8_0", 8))
"""n_ctx, the cache's type and ggml's number for it."""
_GPU = Machine(devices=(DeviceSpec(name="CUDA0", total_bytes=80 << 30, free_bytes=80 << 30),))


class Peer:
    """node-llama-cpp in a process of its own."""

    def __init__(self, folder: str) -> None:
        script = Path(__file__).with_suffix(".mjs")
        self._process = subprocess.Popen(
            ["node", str(script), folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, path: Path, n_ctx: int, cache_type: int, layers: int) -> dict[str, Any]:
        """Its answer for one file and setting."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"path": str(path), "n_ctx": n_ctx, "cache_type": cache_type, "layers": layers}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it and wait."""
        self._process.communicate()


def main() -> int:
    """Ask and tell; 0 where the other tool is not here."""
    folder = os.environ.get("PUNA_NODE_LLAMA_CPP")
    if folder is None or shutil.which("node") is None:
        print(f"skipped: it needs Node.js and PUNA_NODE_LLAMA_CPP\n{__doc__}", file=sys.stderr)
        return 0
    asyncio.run(_main(str(Path(folder).resolve())))
    return 0


async def _main(folder: str) -> None:
    rows: list[dict[str, Any]] = []
    peer = Peer(folder)
    with tempfile.TemporaryDirectory() as headers, allocations() as llama:
        async with DryRun() as dry_run:
            for name in PUBLISHED:
                path = published_model(Path(headers) / name, name)
                rows += [await _compare(dry_run, llama, peer, path, *case) for case in _CASES]
    peer.close()
    tell("estimate_peers", rows, {"peer": _version(Path(folder)), **_verdict(rows)})


async def _compare(
    dry_run: DryRun, llama: Allocations, peer: Peer, path: Path, n_ctx: int, kind: KVType, number: int
) -> dict[str, Any]:
    header = strip(read_layout(path))
    layers = PUBLISHED[path.name].sizes.n_layer
    settings = LoadSettings(n_gpu_layers=0, n_ctx=n_ctx, n_batch=512, type_k=kind, type_v=kind, flash_attn="on")
    its_fact, our_fact = _facts(llama, path, settings)
    its = peer.ask(path, n_ctx, number, 0)
    on_gpu = peer.ask(path, n_ctx, number, layers // 2)["formula"]["weights"]["gpuVram"]
    ours, ours_ms = await _timed(dry_run, header, settings, Machine())
    half = LoadSettings(n_gpu_layers=layers // 2, n_ctx=n_ctx, type_k=kind, type_v=kind)
    gpu_weights = (await _timed(dry_run, header, half, _GPU))[0].devices[0].weights_bytes
    its_context = its_fact.context_bytes + its_fact.compute_bytes
    return {
        "model": path.name,
        "n_ctx": n_ctx,
        "cache": kind,
        "peer_weights_%": _share(its["simulated"]["weights"]["cpuRam"], its_fact.weights_bytes),
        "peer_context_%": _share(its["simulated"]["context"]["cpuRam"], its_context),
        "peer_formula_context_%": _share(its["formula"]["context"]["cpuRam"], its_context),
        "peer_formula_half_gpu_weights_%": _share(on_gpu, gpu_weights),
        "puna_weights_%": _share(ours.host.weights_bytes, our_fact.weights_bytes),
        "puna_context_%": _share(ours.host.context_bytes, our_fact.context_bytes),
        "puna_compute_%": _share(ours.host.compute_bytes, our_fact.compute_bytes),
        "peer_ms": round(its["question_ms"], 1),
        "puna_ms": round(ours_ms, 1),
    }


def _facts(llama: Allocations, path: Path, settings: LoadSettings) -> tuple[Parts, Parts]:
    """What llama.cpp reports for the other tool's context and for ours."""
    (its,) = llama.ask(path, [settings], really=False, defaults=True)
    (ours,) = llama.ask(path, [settings], really=False)
    if its is None or ours is None:
        raise RuntimeError(f"llama.cpp makes no context for {path.name}")
    return its, ours


async def _timed(
    dry_run: DryRun, header: StrippedHeader, settings: LoadSettings, machine: Machine
) -> tuple[Prediction, float]:
    begun = time.perf_counter()
    found = await dry_run.predict(header, settings, machine)
    return found, 1000 * (time.perf_counter() - begun)


def _share(found: float | None, fact: int) -> float | None:
    """How far off, in percent of the fact; None where there is no number to compare."""
    return None if found is None or not fact else round(100 * (found / fact - 1), 3)


def _verdict(rows: list[dict[str, Any]]) -> dict[str, Any]:
    shares = {key: [row[key] for row in rows if row[key] is not None] for key in rows[0] if key.endswith("_%")}
    worst = {key.replace("_%", "_worst_%"): max(there, key=abs) for key, there in shares.items()}
    times = {f"{who}_question_ms": quantiles([row[f"{who}_ms"] for row in rows]) for who in ("peer", "puna")}
    return {**worst, **times}


def _version(folder: Path) -> str:
    package = json.loads((folder / "node_modules/node-llama-cpp/package.json").read_text())
    return f"node-llama-cpp {package['version']}"


if __name__ == "__main__":
    sys.exit(main())
