"""RAM and swap: MemAvailable, and the tightest control group up the tree."""

from __future__ import annotations

from tests.hardware.conftest import Clock, Tree
from tui.hardware.cgroups import FOLLOW_S, Place
from tui.hardware.memory import MemoryReader
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Ram, Swap

GIB, MIB = 1 << 30, 1 << 20

MEMINFO = """MemTotal:       33554432 kB
MemFree:         1048576 kB
MemAvailable:   25165824 kB
Buffers:          524288 kB
Cached:         16777216 kB
SwapTotal:       8388608 kB
SwapFree:        6291456 kB
Shmem:            262144 kB
HugePages_Total:       0
"""

V2_MOUNT = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
V1_MOUNT = "36 25 0:33 / /sys/fs/cgroup/memory rw,relatime shared:17 - cgroup cgroup rw,memory\n"


def read(tree: Tree) -> tuple[Ram, Swap]:
    return MemoryReader(tree.proc, tree.sys).read()


def test_without_a_limit_it_is_memavailable(tree: Tree) -> None:
    tree.write({"proc/meminfo": MEMINFO})
    ram, swap = read(tree)
    assert ram == Ram(32 * GIB, 24 * GIB, None, "meminfo")
    assert swap == Swap(8 * GIB, 2 * GIB)


def test_a_machine_that_tells_nothing_has_no_figures(tree: Tree) -> None:
    assert read(tree) == (Ram(), Swap())


def test_a_damaged_meminfo_costs_only_what_is_damaged(tree: Tree) -> None:
    tree.write({"proc/meminfo": "MemTotal: lots kB\nMemAvailable:   1024 kB\ngarbage\n\0\xff:\n"})
    assert read(tree) == (Ram(None, 1024 * 1024), Swap())


def test_an_old_kernel_without_memavailable_is_added_up(tree: Tree) -> None:
    tree.write({"proc/meminfo": MEMINFO.replace("MemAvailable:   25165824 kB\n", "")})
    ram, _ = read(tree)
    assert ram.available_bytes == (1048576 + 524288 + 16777216 - 262144) * 1024


def test_version_2_takes_the_tightest_level_and_gives_back_idle_file_pages(tree: Tree) -> None:
    slurm = "sys/fs/cgroup/slurm"
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/slurm/job_7/step_0\n",
            "proc/self/mountinfo": V2_MOUNT,
            f"{slurm}/job_7/step_0/memory.max": "max\n",
            f"{slurm}/job_7/step_0/memory.high": "max\n",
            f"{slurm}/job_7/memory.max": f"{16 * GIB}\n",
            f"{slurm}/job_7/memory.current": f"{6 * GIB}\n",
            f"{slurm}/job_7/memory.stat": f"anon 1\ninactive_file {2 * GIB}\nactive_file 5\n",
            f"{slurm}/memory.max": f"{20 * GIB}\n",
            f"{slurm}/memory.current": f"{19 * GIB}\n",
            f"{slurm}/memory.stat": "inactive_file 0\n",
        }
    )
    ram, _ = read(tree)
    # The job's own limit is the smallest, but its parent has the least left.
    assert ram == Ram(32 * GIB, 1 * GIB, 16 * GIB, "cgroup")


def test_memory_high_is_a_limit_too(tree: Tree) -> None:
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/user.slice\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/user.slice/memory.max": "max\n",
            "sys/fs/cgroup/user.slice/memory.high": f"{8 * GIB}\n",
            "sys/fs/cgroup/user.slice/memory.current": f"{9 * GIB}\n",
        }
    )
    assert read(tree)[0] == Ram(32 * GIB, 0, 8 * GIB, "cgroup")


def test_version_1_knows_its_own_way_of_saying_no_limit(tree: Tree) -> None:
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/docker/abc\n",
            "proc/self/mountinfo": V1_MOUNT + V2_MOUNT,
            "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": f"{4 * GIB}\n",
            "sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes": f"{3 * GIB}\n",
            "sys/fs/cgroup/memory/docker/abc/memory.stat": f"inactive_file 7\ntotal_inactive_file {512 * MIB}\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        }
    )
    assert read(tree)[0] == Ram(32 * GIB, GIB + 512 * MIB, 4 * GIB, "cgroup")


def test_a_container_that_sees_its_group_at_the_mount_point(tree: Tree) -> None:
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/docker/abc/deep\n",
            "proc/self/mountinfo": V2_MOUNT.replace(" / /sys", " /docker/abc /sys"),
            "sys/fs/cgroup/memory.max": f"{4 * GIB}\n",
            "sys/fs/cgroup/memory.current": f"{GIB}\n",
            "sys/fs/cgroup/deep/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/deep/memory.current": "0\n",
        }
    )
    assert read(tree)[0] == Ram(32 * GIB, 2 * GIB, 2 * GIB, "cgroup")


def test_a_limit_above_the_machine_is_none(tree: Tree) -> None:
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/memory.max": f"{64 * GIB}\n",
            "sys/fs/cgroup/memory.current": "0\n",
        }
    )
    assert read(tree)[0] == Ram(32 * GIB, 24 * GIB, None, "meminfo")


def test_a_roomy_limit_leaves_memavailable_in_charge(tree: Tree) -> None:
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/memory.max": f"{30 * GIB}\n",
            "sys/fs/cgroup/memory.current": f"{GIB}\n",
        }
    )
    assert read(tree)[0] == Ram(32 * GIB, 24 * GIB, 30 * GIB, "meminfo")


def test_a_group_file_that_vanishes_is_no_limit(tree: Tree) -> None:
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/job\n",
            "proc/self/mountinfo": V2_MOUNT,
            "sys/fs/cgroup/job/memory.max": f"{2 * GIB}\n",
            "sys/fs/cgroup/job/memory.current": f"{GIB}\n",
        }
    )
    reader = MemoryReader(tree.proc, tree.sys)
    assert reader.read()[0].available_bytes == GIB
    tree.vanish("sys/fs/cgroup/job/memory.max")
    assert reader.read()[0] == Ram(32 * GIB, 24 * GIB)
    # Another group of that name.
    tree.write({"sys/fs/cgroup/job/memory.max": f"{3 * GIB}\n"})
    assert reader.read()[0].available_bytes == 2 * GIB
    tree.write({"sys/fs/cgroup/job/memory.max": "max\n", "proc/meminfo": MEMINFO.replace("25165824", "1024")})
    assert reader.read()[0] == Ram(32 * GIB, 1 * MIB)


def test_a_group_above_the_namespace_is_read_at_the_mount_point(tree: Tree) -> None:
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/../../elsewhere\n",
            "proc/self/mountinfo": "not a mount line\n" + V2_MOUNT,
            "sys/fs/cgroup/memory.max": f"{3 * GIB}\n",
            "sys/fs/cgroup/memory.current": f"{GIB}\n",
        }
    )
    assert read(tree)[0] == Ram(32 * GIB, 2 * GIB, 3 * GIB, "cgroup")


def test_this_machine_answers() -> None:
    ram, _ = MemoryReader().read()
    assert ram.total_bytes is not None
    assert ram.total_bytes > 0
    if ram.available_bytes is not None:
        assert 0 <= ram.available_bytes <= ram.total_bytes


def test_a_process_that_is_moved_to_another_group_is_followed(tree: Tree) -> None:
    groups = "sys/fs/cgroup"
    tree.write(
        {
            "proc/meminfo": MEMINFO,
            "proc/self/cgroup": "0::/login\n",
            "proc/self/mountinfo": V2_MOUNT,
            f"{groups}/login/memory.max": "max\n",
            f"{groups}/scope/memory.max": f"{4 * GIB}\n",
            f"{groups}/scope/memory.current": f"{GIB}\n",
            f"{groups}/scope/cpu.max": "200000 100000\n",
        }
    )
    clock = Clock()
    reader, sampler = MemoryReader(tree.proc, tree.sys, clock), Sampler(tree.proc, tree.sys, None, clock)
    assert reader.read()[0].source == "meminfo"
    assert sampler.sample().cpu.quota is None
    tree.write({"proc/self/cgroup": "0::/scope\n"})
    clock.now += FOLLOW_S - 1
    assert reader.read()[0].source == "meminfo"
    clock.now += 1
    assert reader.read()[0] == Ram(32 * GIB, 3 * GIB, 4 * GIB, "cgroup")
    assert sampler.sample().cpu.quota == 2.0
    tree.write({"proc/self/cgroup": "0::/login\n"})
    clock.now += FOLLOW_S
    assert reader.read()[0] == Ram(32 * GIB, 24 * GIB)


def test_mounts_are_not_read_again_while_the_group_stays(tree: Tree) -> None:
    clock = Clock()
    tree.write({"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": V2_MOUNT})
    place = Place("memory", tree.proc, tree.sys, clock)
    before = place.levels()
    tree.write({"proc/self/mountinfo": "garbage\n"})
    clock.now += FOLLOW_S
    assert place.levels() is before
    assert before.folders == (f"{tree.sys}/fs/cgroup/a", f"{tree.sys}/fs/cgroup")
