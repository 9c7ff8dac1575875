"""A stand-in NVML: a real shared library of our own that answers from a state file which a test rewrites while it runs.

Used through LD_LIBRARY_PATH by other processes, and in this one by pointing pynvml at it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GIB = 1 << 30
SOURCE = Path(__file__).with_name("stand_in.c")


def build(folder: Path) -> Path:
    """Compile the stand-in into `folder` and return the library. Raises RuntimeError when there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise RuntimeError("the stand-in NVML needs a C compiler")
    library = folder / "libnvidia-ml.so.1"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
    subprocess.run([compiler, *flags, "-Wl,-soname,libnvidia-ml.so.1", "-o", library, SOURCE], check=True)
    return library


@dataclass
class FakeGpu:
    """One device, or one MIG instance, as the state file describes it. `errors` maps a call (see state.h) to NVML's
    error number; `hangs` names calls that do not return until a later state leaves them out.
    """

    name: str = "NVIDIA Stand-in 24GB"
    uuid: str = "GPU-00000000-0000-0000-0000-000000000000"
    total: int = 24 * GIB
    reserved: int = 512 << 20
    used: int = 3 * GIB
    free: int = 20 * GIB
    utilization: int = 37
    temperature: int = 61
    power: int = 215_500
    sm_clock: int = 1980
    memory_clock: int = 2619
    pci: str = ""
    """Such as 0000:c1:00.0; empty: one that follows from the device's number."""
    mig: int | None = None
    """1 and 0 are MIG on and off; None is a card that knows no MIG."""
    instances: Sequence[FakeGpu] = ()
    slot: int = 0
    gi: int = 0
    ci: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    hangs: Sequence[str] = ()
    compute: Sequence[tuple[int, ...]] = ()
    """Pid and bytes of each process, and the GPU instance that it is on where a card tells that itself."""
    graphics: Sequence[tuple[int, ...]] = ()

    def lines(self, start: str = "gpu") -> list[str]:
        """This device's part of the state file, its instances included."""
        plain = [f"{key} {getattr(self, key)}" for key in _PLAIN]
        if self.pci:
            plain.append(f"pci {self.pci}")
        if self.mig is not None:
            plain.append(f"mig {self.mig}")
        broken = [f"error {call} {code}" for call, code in self.errors.items()]
        stuck = [f"hang {call}" for call in self.hangs]
        held = [" ".join(map(str, (kind, *it))) for kind in ("compute", "graphics") for it in getattr(self, kind)]
        parts = [line for instance in self.instances for line in instance.lines("instance")]
        return [start, *plain, *broken, *stuck, *held, *parts]


_PLAIN = (
    "name",
    "uuid",
    "total",
    "reserved",
    "used",
    "free",
    "utilization",
    "temperature",
    "power",
    "sm_clock",
    "memory_clock",
    "slot",
    "gi",
    "ci",
)


def two_gpus() -> list[FakeGpu]:
    """A card that works and a bigger one that works harder."""
    return [
        FakeGpu(uuid="GPU-aaaaaaaa-0000-0000-0000-000000000000"),
        FakeGpu(
            name="NVIDIA Stand-in 80GB",
            uuid="GPU-bbbbbbbb-0000-0000-0000-000000000000",
            total=80 * GIB,
            reserved=GIB,
            used=70 * GIB,
            free=9 * GIB,
            utilization=99,
            temperature=80,
            power=690_000,
        ),
    ]


def mig_card() -> FakeGpu:
    """A card cut into two instances of unlike size, in slots that do not follow each other."""
    small = FakeGpu(
        name="NVIDIA Stand-in 80GB MIG 1g.10gb",
        uuid="MIG-11111111-0000-5000-8000-000000000001",
        total=10 * GIB,
        reserved=0,
        used=2 * GIB,
        free=8 * GIB,
        gi=9,
    )
    large = FakeGpu(
        name="NVIDIA Stand-in 80GB MIG 3g.40gb",
        uuid="MIG-33333333-0000-5000-8000-000000000003",
        total=40 * GIB,
        reserved=0,
        used=30 * GIB,
        free=10 * GIB,
        slot=3,
        gi=2,
    )
    return FakeGpu(
        name="NVIDIA Stand-in 80GB",
        uuid="GPU-cccccccc-0000-0000-0000-000000000000",
        total=80 * GIB,
        reserved=GIB,
        used=32 * GIB,
        free=47 * GIB,
        mig=1,
        instances=(small, large),
    )


class StandIn:
    """The library together with its state file."""

    def __init__(self, library: Path, state: Path) -> None:
        self.library, self.state = library, state

    def show(
        self,
        gpus: Sequence[FakeGpu],
        *,
        init: int = 0,
        count: int = 0,
        init_hangs: bool = False,
        driver: str = "560.35.03",
    ) -> None:
        """From now on every call sees these devices; `init` is what opening the library answers, `count` what asking
        for the number of devices does.
        """
        head = [f"init {init}", f"count {count}", f"driver {driver}", *(["hang init"] if init_hangs else [])]
        lines = [*head, *(line for gpu in gpus for line in gpu.lines())]
        fresh = self.state.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
        fresh.replace(self.state)

    def unload(self) -> None:
        """From now on there is no driver."""
        self.state.unlink(missing_ok=True)

    @contextmanager
    def calls(self) -> Iterator[Callable[[], list[str]]]:
        """While the block runs, what it hands out tells which calls were made since it was last asked."""
        log = self.state.with_suffix(".log")

        def taken() -> list[str]:
            found = log.read_text(encoding="utf-8").split() if log.exists() else []
            log.unlink(missing_ok=True)
            return found

        os.environ["STAND_IN_NVML_LOG"] = str(log)
        try:
            yield taken
        finally:
            os.environ.pop("STAND_IN_NVML_LOG")

    @property
    def environ(self) -> dict[str, str]:
        """This process's environment, changed so that another process finds the stand-in."""
        return {**os.environ, "LD_LIBRARY_PATH": str(self.library.parent), "STAND_IN_NVML": str(self.state)}

    @contextmanager
    def in_this_process(self) -> Iterator[Any]:
        """pynvml, bound to the stand-in instead of the machine's own library for as long as the block runs."""
        import pynvml

        kept, before = pynvml.nvmlLib, os.environ.get("STAND_IN_NVML")
        pynvml.nvmlLib = ctypes.CDLL(str(self.library))
        pynvml._nvmlGetFunctionPointer_cache.clear()
        os.environ["STAND_IN_NVML"] = str(self.state)
        try:
            yield pynvml
        finally:
            pynvml.nvmlLib = kept
            pynvml._nvmlGetFunctionPointer_cache.clear()
            os.environ.pop("STAND_IN_NVML")
            if before is not None:
                os.environ["STAND_IN_NVML"] = before
