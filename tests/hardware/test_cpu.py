"""Cores, quota, threads and utilization."""

from __future__ import annotations

import os
import sys

import pytest

from tests.hardware.conftest import Tree
from tui.hardware.cpu import (
    UNKNOWN_CPU,
    CpuMeter,
    cpu_model,
    cpu_quota,
    default_threads,
    logical_cpus,
    machine_identity,
    physical_cores,
)

V2_MOUNT = "30 24 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
V1_MOUNT = "36 25 0:33 / /sys/fs/cgroup/cpu,cpuacct rw shared:17 - cgroup cgroup rw,cpu,cpuacct\n"


def siblings(pairs: dict[int, str]) -> dict[str, str]:
    return {f"sys/devices/system/cpu/cpu{n}/topology/thread_siblings_list": f"{text}\n" for n, text in pairs.items()}


def test_hyperthreads_are_one_core(tree: Tree) -> None:
    tree.write(siblings({0: "0,4", 1: "1,5", 2: "2,6", 3: "3,7", 4: "0,4", 5: "1,5", 6: "2,6", 7: "3,7"}))
    assert physical_cores(range(8), tree.proc, tree.sys) == 4
    assert physical_cores([0, 4], tree.proc, tree.sys) == 1
    assert physical_cores([0, 1, 4], tree.proc, tree.sys) == 2


def test_cpuinfo_stands_in_for_a_missing_topology(tree: Tree) -> None:
    blocks = [f"processor\t: {n}\nphysical id\t: {n // 4}\ncore id\t\t: {n % 2}\n" for n in range(8)]
    tree.write({"proc/cpuinfo": "\n".join(blocks)})
    assert physical_cores(range(8), tree.proc, tree.sys) == 4
    assert physical_cores([0, 2], tree.proc, tree.sys) == 1


def test_without_any_topology_every_cpu_counts(tree: Tree) -> None:
    assert physical_cores(range(6), tree.proc, tree.sys) == 6
    assert physical_cores([], tree.proc, tree.sys) == 1


def test_affinity_is_respected_here() -> None:
    assert 1 <= physical_cores() <= len(logical_cpus()) <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "proc/self/mountinfo": V2_MOUNT,
                "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
            },
            None,
        ),
        (
            {
                "proc/self/cgroup": "0::/a\n",
                "proc/self/mountinfo": V2_MOUNT,
                "sys/fs/cgroup/a/cpu.max": "150000 100000\n",
            },
            1.5,
        ),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "proc/self/mountinfo": V2_MOUNT,
                "sys/fs/cgroup/a/b/cpu.max": "800000 100000\n",
                "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
            },
            2.0,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/job\n",
                "proc/self/mountinfo": V1_MOUNT,
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (
            {"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2_MOUNT, "sys/fs/cgroup/a/cpu.max": "nonsense\n"},
            None,
        ),
        ({}, None),
    ],
)
def test_quota(tree: Tree, files: dict[str, str], quota: float | None) -> None:
    tree.write(files)
    assert cpu_quota(tree.proc, tree.sys) == quota


@pytest.mark.parametrize(
    ("cores", "quota", "reserve", "threads"),
    [
        (8, None, 0, 8),
        (8, None, 1, 7),
        (2, None, 1, 2),
        (1, None, 1, 1),
        (8, 2.5, 1, 2),
        (8, 0.5, 0, 1),
        (8, 4.0, 1, 3),
        (4, 64.0, 1, 3),
        (4, None, 9, 1),
    ],
)
def test_threads_stay_within_cores_and_quota(cores: int, quota: float | None, reserve: int, threads: int) -> None:
    assert default_threads(reserve, cores, quota) == threads


def test_threads_for_this_machine() -> None:
    assert 1 <= default_threads() <= physical_cores()


def test_utilization_is_what_happened_between_two_looks(tree: Tree) -> None:
    tree.write({"proc/stat": "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3\n"})
    meter = CpuMeter(tree.proc)
    assert meter.utilization() is None
    tree.write({"proc/stat": "cpu  150 0 120 760 110 0 10 0 0 0\n"})
    # 80 of 150 ticks were neither idle nor waiting for a disk.
    assert meter.utilization() == 53
    assert meter.utilization() is None


def test_a_stat_file_that_makes_no_sense_is_no_utilization(tree: Tree) -> None:
    meter = CpuMeter(tree.proc)
    assert meter.utilization() is None
    tree.write({"proc/stat": "cpu  a b c d\n"})
    assert meter.utilization() is None
    tree.write({"proc/stat": "intr 5\n"})
    assert meter.utilization() is None


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        (
            "processor\t: 0\nmodel name\t: AMD Ryzen 9 7950X\n\nprocessor\t: 1\nmodel name\t: AMD Ryzen 9 7950X\n",
            "AMD Ryzen 9 7950X",
        ),
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n", "ARM 0x41 0xd40"),
        ("nothing of the kind", UNKNOWN_CPU),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system is asked")
def test_the_processor_has_a_name(tree: Tree, cpuinfo: str, name: str) -> None:
    tree.write({"proc/cpuinfo": cpuinfo})
    assert cpu_model(tree.proc) == name


def test_a_machine_is_its_processor_and_the_cores_that_may_be_used() -> None:
    assert machine_identity() == f"{cpu_model()}, {default_threads()} cores"
