"""Two meters that are not ours, on the same stand-in: the same bytes for every GPU and every process.

Both are in the `dev` extra; where they are not installed, their part is passed over.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rigs.nvml import GIB, FakeGpu, StandIn
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Gpu

MIB = 1 << 20


@pytest.fixture
def child() -> Iterator[int]:
    """A second process that exists: gpustat leaves out those that do not."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def busy(stand_in: StandIn, child: int) -> StandIn:
    """Eight cards of unlike size and use, some with processes; every size is whole MiB, the unit gpustat prints."""
    me = os.getpid()
    stand_in.show(
        [
            FakeGpu(
                uuid=f"GPU-{n}0000000-0000-0000-0000-000000000000",
                total=(24 + n) * GIB,
                used=(3 + n) * GIB + 7 * MIB,
                free=(20 - n) * GIB,
                compute=[(me, (n + 1) * 100 * MIB), (child, 11 * MIB)] if n % 2 == 0 else [],
                graphics=[(me, (n + 1) * 100 * MIB)] if n % 4 == 0 else [],
            )
            for n in range(8)
        ]
    )
    return stand_in


def ours(stand_in: StandIn) -> tuple[Gpu, ...]:
    with stand_in.in_this_process():
        sampler = Sampler(environ={})
        rows = sampler.gpus()
        sampler.close()
    return rows


def ask(stand_in: StandIn, module: str, *command: str) -> Any:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed (pip install '.[dev]')")
    ran = subprocess.run([sys.executable, *command], env=stand_in.environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_gpustat_reads_the_same(busy: StandIn) -> None:
    theirs = ask(busy, "gpustat", "-m", "gpustat", "--json")["gpus"]
    rows = ours(busy)
    assert [gpu["uuid"] for gpu in theirs] == [row.uuid for row in rows]
    for gpu, row in zip(theirs, rows, strict=True):
        assert (gpu["memory.total"] * MIB, gpu["memory.used"] * MIB) == (row.total_bytes, row.used_bytes)
        assert (gpu["utilization.gpu"], gpu["temperature.gpu"]) == (row.utilization, row.temperature_c)
        held = {process["pid"]: process["gpu_memory_usage"] * MIB for process in gpu["processes"]}
        assert held == {process.pid: process.used_bytes for process in row.processes}


NVITOP = """
import json
from nvitop import Device
print(json.dumps([
    [gpu.uuid(), gpu.memory_total(), gpu.memory_used(), gpu.memory_free(),
     {pid: int(process.gpu_memory()) for pid, process in gpu.processes().items()}]
    for gpu in Device.all()
]))
"""


def test_nvitop_reads_the_same(busy: StandIn) -> None:
    theirs = ask(busy, "nvitop", "-c", NVITOP)
    for (uuid, total, used, free, held), row in zip(theirs, ours(busy), strict=True):
        assert (uuid, total, used, free) == (row.uuid, row.total_bytes, row.used_bytes, row.free_bytes)
        assert {int(pid): size for pid, size in held.items()} == {p.pid: p.used_bytes for p in row.processes}
