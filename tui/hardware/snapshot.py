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
    foreign: bool = False
    """True where the driver names a pid that this process cannot see: another container's, or the host's."""


Pool = Literal["own", "shared", "unified"]
"""Whose memory a GPU uses: its own; its own and part of the host's (an AMD APU); all of it the host's, so that its
figures are those of RAM and must not be added to them.
"""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU, or one MIG instance. `used_bytes` and `free_bytes` are the driver's own figures and need not add up to
    the total.
    """

    index: int
    """The driver's number of the card; a MIG instance has its card's."""
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
    clock_mhz: int | None = None
    memory_clock_mhz: int | None = None
    pci: str | None = None
    """PCI address in lower case, such as 0000:c1:00.0, as llama.cpp names its devices too."""
    parent: str | None = None
    """Of a MIG instance: the UUID of its card."""
    instance: int | None = None
    """Of a MIG instance: its number on its card."""
    divided: bool = False
    """True for a card that is cut into MIG instances: a load goes to one of them, never to the card."""
    pool: Pool = "own"
    asleep: bool = False
    """True while it is powered down; it is left asleep, so the row has no figures."""
    idle_s: int | None = None
    """How old the figures are where nobody uses the card and it is left alone, so that it can power down; None where
    they are of this moment.
    """
    unattributed_bytes: int | None = None
    """Used, but by none of `processes`. None where the driver does not tell what each of them holds."""
    cuda_visible: bool | None = None
    """Whether CUDA_VISIBLE_DEVICES lets programs started here use it; None where that cannot be told."""
    cuda_index: int | None = None
    """N where it is provably CUDA's device N here (llama.cpp's CUDAN); None otherwise."""

    @property
    def key(self) -> str:
        """What stays the same from one snapshot to the next."""
        return self.uuid or self.pci or f"{self.vendor}{self.index}"


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
class EngineMemory:
    """Host memory of one engine of ours. A mapped model's pages are in `file_bytes`: the kernel takes them back on
    demand.
    """

    pid: int
    anon_bytes: int | None = None
    """RssAnon: weights that were read, KV cache, buffers."""
    file_bytes: int | None = None
    """RssFile: pages of mapped files that are in memory now. Two engines of one file share theirs."""
    shared_bytes: int | None = None
    """RssShmem."""
    swapped_bytes: int | None = None


NEARLY_FULL_BYTES = 5 << 30
"""Room on a disk below which people are warned."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Room for models. Without figures while the disk does not answer."""

    total_bytes: int | None = None
    free_bytes: int | None = None
    """What this user may still write there."""

    @property
    def nearly_full(self) -> bool:
        """True where most models would not fit any more."""
        return self.free_bytes is not None and self.free_bytes < NEARLY_FULL_BYTES


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
    engines: tuple[EngineMemory, ...] = ()
    """Of the engines that were asked for, those that are running."""
    disk: Disk | None = None
    """None where no folder was asked for."""
    gpus_age_s: float = 0.0
    """How long ago the GPU rows were measured."""
    gpus_stale: bool = False
    """True while a driver is late to answer: the GPU rows are the last ones it gave, or none."""


def loadable(gpus: Sequence[Gpu], *, unified: bool = False) -> tuple[Gpu, ...]:
    """The rows that a load from here could go to, each byte in one row only: no card that is cut into instances, none
    that CUDA_VISIBLE_DEVICES hides, none that does not answer, and only with `unified` one whose memory is the host's.
    """
    return tuple(
        gpu
        for gpu in gpus
        if not (gpu.divided or gpu.asleep or gpu.error)
        and gpu.cuda_visible is not False
        and (unified or gpu.pool != "unified")
    )


def to_json(snapshot: Snapshot, engines: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The document of `monitor --json`: these keys in this order are a contract. `engines` comes from their state
    files.
    """
    return {
        "time": snapshot.time,
        "gpus": [_gpu(gpu, _silence(gpu, snapshot)) for gpu in snapshot.gpus],
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


def _silence(gpu: Gpu, snapshot: Snapshot) -> str | None:
    """Why the figures of a row are missing or old, in words; a document has no other place for it."""
    if gpu.error is None and gpu.asleep:
        return "asleep: it is powered down, and reading it would wake it"
    if gpu.error is None and snapshot.gpus_stale:
        return f"its driver has not answered for {snapshot.gpus_age_s:.0f} s; the figures are from then"
    if gpu.error is None and gpu.idle_s:
        return f"idle, and left alone so that it can power down; the figures are {gpu.idle_s} s old"
    return gpu.error


def _gpu(gpu: Gpu, error: str | None) -> dict[str, Any]:
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
        "error": error,
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
