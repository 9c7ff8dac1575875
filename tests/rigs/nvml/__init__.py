"""A stand-in NVML: a real shared library of our own that answers from a state file which a test rewrites while it runs.

Used through LD_LIBRARY_PATH by other processes, and in this one by pointing pynvml at it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
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
    """One device as the state file describes it. `errors` maps a call (see stand_in.c) to NVML's error number."""

    name: str = "NVIDIA Stand-in 24GB"
    uuid: str = "GPU-00000000-0000-0000-0000-000000000000"
    total: int = 24 * GIB
    reserved: int = 512 << 20
    used: int = 3 * GIB
    free: int = 20 * GIB
    utilization: int = 37
    temperature: int = 61
    power: int = 215_500
    errors: Mapping[str, int] = field(default_factory=dict)
    compute: Sequence[tuple[int, int]] = ()
    graphics: Sequence[tuple[int, int]] = ()

    def lines(self) -> list[str]:
        """This device's part of the state file."""
        keys = ("name", "uuid", "total", "reserved", "used", "free", "utilization", "temperature", "power")
        plain = [f"{key} {getattr(self, key)}" for key in keys]
        broken = [f"error {call} {code}" for call, code in self.errors.items()]
        held = [f"{kind} {pid} {used}" for kind in ("compute", "graphics") for pid, used in getattr(self, kind)]
        return ["gpu", *plain, *broken, *held]


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


class StandIn:
    """The library together with its state file."""

    def __init__(self, library: Path, state: Path) -> None:
        self.library, self.state = library, state

    def show(self, gpus: Sequence[FakeGpu], *, init: int = 0, driver: str = "560.35.03") -> None:
        """From now on every call sees these devices; `init` is what opening the library answers."""
        lines = [f"init {init}", f"driver {driver}", *(line for gpu in gpus for line in gpu.lines())]
        fresh = self.state.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n", encoding="utf-8")
        fresh.replace(self.state)

    def unload(self) -> None:
        """From now on there is no driver."""
        self.state.unlink(missing_ok=True)

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
