"""One look at the machine as immutable values, and the JSON that `puna monitor --once --json` promises.

A figure that a device cannot give is None, never 0 and never an exception. Bytes are integers, `time` is Unix seconds
and utilization is 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of one GPU. In a container the pid may be the host's, with no name to be found."""

    pid: int
    name: str | None
    user: str | None
    used_bytes: int | None
    """None where the driver does not tell (WSL, MIG)."""
    mine: bool
    """True for an engine of this user's puna."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. `used_bytes` and `free_bytes` are the driver's own figures and need not add up to the total."""

    index: int
    uuid: str | None
    name: str | None
    vendor: str
    total_bytes: int | None = None
    used_bytes: int | None = None
    free_bytes: int | None = None
    utilization: int | None = None
    temperature_c: int | None = None
    power_w: float | None = None
    error: str | None = None
    """Why the row is empty, in words; None while the device answers."""
    processes: tuple[GpuProcess, ...] = ()


@dataclass(frozen=True, slots=True)
class Ram:
    """Host memory. What a load could take is `available_bytes`: it is already below any cgroup limit."""

    total_bytes: int | None = None
    """Physical memory of the machine."""
    available_bytes: int | None = None
    limit_bytes: int | None = None
    """The tightest cgroup limit below the total; None without one."""
    source: Literal["meminfo", "cgroup"] = "meminfo"
    """Where `available_bytes` comes from."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Swap space; both are 0 on a machine without any."""

    total_bytes: int | None = None
    used_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor: physical cores this process may run on, the cgroup's quota in cores, and how busy the machine
    is.
    """

    cores: int | None = None
    quota: float | None = None
    utilization: int | None = None
    """Of all cores together, since the sample before; None in the first one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything seen at one time."""

    time: float
    gpus: tuple[Gpu, ...] = ()
    ram: Ram = Ram()
    swap: Swap = Swap()
    cpu: Cpu = Cpu()
    nvml_error: str | None = None
    """Why NVIDIA's driver does not answer and what to do; None where it does, and where there is no NVIDIA card."""


def to_json(snapshot: Snapshot, engines: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The document of `monitor --json`: these keys in this order are a contract. `engines` comes from their state
    files.
    """
    return {
        "time": snapshot.time,
        "gpus": [_gpu(gpu) for gpu in snapshot.gpus],
        "ram": {
            "total_bytes": snapshot.ram.total_bytes,
            "available_bytes": snapshot.ram.available_bytes,
            "limit_bytes": snapshot.ram.limit_bytes,
            "source": snapshot.ram.source,
        },
        "swap": {"total_bytes": snapshot.swap.total_bytes, "used_bytes": snapshot.swap.used_bytes},
        "cpu": {
            "cores": snapshot.cpu.cores,
            "quota": snapshot.cpu.quota,
            "utilization": snapshot.cpu.utilization,
        },
        "engines": [dict(engine) for engine in engines],
    }


def _gpu(gpu: Gpu) -> dict[str, Any]:
    return {
        "index": gpu.index,
        "uuid": gpu.uuid,
        "name": gpu.name,
        "vendor": gpu.vendor,
        "total_bytes": gpu.total_bytes,
        "used_bytes": gpu.used_bytes,
        "free_bytes": gpu.free_bytes,
        "utilization": gpu.utilization,
        "temperature_c": gpu.temperature_c,
        "power_w": gpu.power_w,
        "error": gpu.error,
        "processes": [
            {
                "pid": process.pid,
                "name": process.name,
                "user": process.user,
                "used_bytes": process.used_bytes,
                "mine": process.mine,
            }
            for process in gpu.processes
        ],
    }
