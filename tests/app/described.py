"""The workbench on a machine that is described: GPUs that are not there, asked for by the real dry run."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from tests.app.rig import GIB, Bench, a_model
from tests.rigs.architectures import PUBLISHED, published_model
from tui.app.app import PunaApp
from tui.app.messages import Sampled
from tui.app.panels.load.panel import LoadPanel
from tui.app.panels.load.price import Price
from tui.fit.extras import NOTHING_BESIDE, Extras
from tui.fit.oracle import DryRun, Fallback
from tui.fit.questions import KnownDevice, Reply
from tui.fit.values import Machine, Prediction
from tui.gguf.stripped import StrippedHeader
from tui.hardware.snapshot import Cpu, Gpu, GpuProcess, Ram, Snapshot, Swap
from tui.library import Model
from tui.llama.settings import LoadSettings
from tui.models.fitting import Fitting

Answers = OrderedDict[bytes, Reply]
"""What was asked before, by question: dry runs that share it start no process for what they have in common."""


class DescribedDryRun(DryRun):
    """A dry run of a llama.cpp that has these GPUs: they are laid out on stand-ins with the rules of CUDA."""

    def __init__(self, gpus: Sequence[Gpu] = (), answers: Answers | None = None) -> None:
        super().__init__()
        self.gpus = tuple(gpus)
        self._answers = OrderedDict() if answers is None else answers

    async def devices(self) -> tuple[KnownDevice, ...]:
        return tuple(
            KnownDevice(f"CUDA{index}", gpu.name or "", gpu.total_bytes or 0, gpu.free_bytes or 0)
            for index, gpu in enumerate(self.gpus)
        )

    async def predict(
        self,
        header: StrippedHeader,
        settings: LoadSettings,
        machine: Machine,
        fallback: Fallback | None = None,
        extras: Extras = NOTHING_BESIDE,
    ) -> Prediction:
        devices = tuple(msgspec.structs.replace(device, profile="cuda") for device in machine.devices)
        described = msgspec.structs.replace(machine, devices=devices)
        return await super().predict(header, settings, described, fallback, extras)


def cards(*free_gib: float, name: str = "NVIDIA H100 80GB HBM3", total_gib: float = 80) -> tuple[Gpu, ...]:
    """GPUs of one kind with so much free."""
    return tuple(
        Gpu(
            index, f"GPU-{index}", name, "nvidia", round(total_gib * GIB), round((total_gib - free) * GIB),
            round(free * GIB), 3, 41, 70.0, cuda_index=index,
        )
        for index, free in enumerate(free_gib)
    )  # fmt: skip


def machine_with(gpus: Sequence[Gpu], *, ram_gib: float = 64, ram_free_gib: float = 44) -> Snapshot:
    """A snapshot of a machine with these GPUs."""
    ram = Ram(round(ram_gib * GIB), round(ram_free_gib * GIB))
    return Snapshot(0.0, tuple(gpus), ram, Swap(0, 0), Cpu(8, None, 7), gpus_age_s=0.0)


def held(gpu: Gpu, gib: float, *, pid: int = 4121, user: str = "ana", mine: bool = False) -> Gpu:
    """The GPU with a process on it that holds so much of what is used."""
    process = GpuProcess(pid, "python", user, round(gib * GIB), mine)
    return replace(gpu, processes=(*gpu.processes, process))


def a_published(folder: Path, name: str) -> Model:
    """A row of the library for the header of a published model, over a hole."""
    path = published_model(folder / f"{name}.gguf", name)
    model, sizes = PUBLISHED[name], PUBLISHED[name].sizes
    row = a_model(name, model.quant, n_layer=sizes.n_layer, n_ctx_train=sizes.n_ctx_train)
    return replace(row, path=path, file_bytes=path.stat().st_size)


class DescribedFitting(Fitting):
    """Plans for that machine, whose memory is as fast as usual: it cannot be measured."""

    async def measure_memory(self, machine: Machine) -> bool:
        return False

    async def close(self) -> None:
        """Whoever described the machine ends its dry run."""


def describe(app: PunaApp, snapshot: Snapshot, dry_run: DescribedDryRun, *, measured: bool = True) -> None:
    """Have a settled app run on this machine, whose memory is yet to be `measured`."""
    dry_run.gpus = snapshot.gpus
    app.desk.fit.pricing.fitting = DescribedFitting(app.desk.paths, dry_run)
    if measured:
        app.desk.on_sampled(Sampled(snapshot))


async def opened(bench: Bench) -> LoadPanel:
    """The load panel of the selected model, its first price on it."""
    await bench.press("f4")
    await priced(bench)
    assert bench.app.bench.load is not None
    return bench.app.bench.load


async def priced(bench: Bench) -> Price:
    """What the settings on the panel come to, once that is known, fixes included."""

    def known() -> bool:
        panel = bench.app.bench.load
        if panel is None or panel.answer.waiting or panel.answer.price is None:
            return False
        return panel.answer.price.fixes is not None or not panel.answer.price.may_be_better

    await bench.until(known)
    assert bench.app.bench.load is not None
    assert bench.app.bench.load.answer.price is not None
    return bench.app.bench.load.answer.price
