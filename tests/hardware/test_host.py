"""RAM under recorded limits, engines' memory with mapped pages apart, room on a disk, and macOS's one pool."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hardware.conftest import Tree
from tests.rigs.trees import unpack
from tui.hardware.apple import AppleReader, host_memory
from tui.hardware.cpu import cpu_quota
from tui.hardware.disk import disk
from tui.hardware.memory import MemoryReader
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import EngineMemory, Ram, Swap

GIB, MIB = 1 << 30, 1 << 20


@pytest.mark.parametrize(
    ("machine", "expected", "quota"),
    [
        ("no_limit", Ram(32 * GIB, 24 * GIB, None, "meminfo"), None),
        # The job has 16 − (8 − 2) left, the slice above it 20 − (16 − 1).
        ("cgroup_v2_nested", Ram(32 * GIB, 5 * GIB, 16 * GIB, "cgroup"), 4.0),
        ("cgroup_v1", Ram(32 * GIB, 4 * GIB, 8 * GIB, "cgroup"), 2.5),
    ],
)
def test_recorded_limits(tree: Tree, machine: str, expected: Ram, quota: float | None) -> None:
    unpack(machine, tree.folder)
    assert MemoryReader(tree.proc, tree.sys).read() == (expected, Swap(8 * GIB, 2 * GIB))
    assert cpu_quota(tree.proc, tree.sys) == quota


@pytest.mark.parametrize("name", ["memory.max", "memory.current", "memory.stat"])
def test_a_file_of_the_group_that_vanishes_while_it_is_watched(tree: Tree, name: str) -> None:
    unpack("cgroup_v2_nested", tree.folder)
    sampler = Sampler(tree.proc, tree.sys, None)
    assert sampler.sample().ram.available_bytes == 5 * GIB
    tree.vanish(f"sys/fs/cgroup/system.slice/{name}")
    left = {"memory.max": 10 * GIB, "memory.current": 10 * GIB, "memory.stat": 4 * GIB}
    assert sampler.sample().ram.available_bytes == left[name]


def test_an_engines_mapped_pages_are_told_apart(tree: Tree) -> None:
    status = "Name:\tpython\nUmask:\t0022\nVmRSS:\t 500 kB\nRssAnon:\t 100 kB\nRssFile:\t 390 kB\nRssShmem:\t 10 kB\n"
    tree.write({"proc/50/status": f"{status}VmSwap:\t 7 kB\n", "proc/51/status": "Name:\tzombie\n"})
    shot = Sampler(tree.proc, tree.sys, None).sample({50, 51, 52})
    # 52 has ended.
    assert shot.engines == (EngineMemory(50, 100 << 10, 390 << 10, 10 << 10, 7 << 10), EngineMemory(51))


def test_a_file_mapped_by_a_real_process_is_in_its_file_pages(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"x" * (64 * MIB))
    reader = MemoryReader()
    (before,) = reader.engines([os.getpid()])
    if before.file_bytes is None:
        pytest.skip("this kernel does not tell mapped pages apart")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[place] for place in range(0, len(mapped), 4096)) == ord("x") * (64 * MIB // 4096)
        (after,) = reader.engines([os.getpid()])
    assert after.file_bytes is not None
    assert after.anon_bytes is not None
    assert before.anon_bytes is not None
    # The kernel adds up pages per thread now and then, so some are late; a folder in memory counts as shared.
    in_memory = (after.file_bytes + (after.shared_bytes or 0)) - (before.file_bytes + (before.shared_bytes or 0))
    assert in_memory > 56 * MIB
    assert after.anon_bytes - before.anon_bytes < 8 * MIB


def test_room_on_a_disk_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    here, below = disk(str(tmp_path)), disk(str(tmp_path / "a/b\ud800/c"))
    assert here.total_bytes == below.total_bytes
    assert here.free_bytes is not None
    assert here.free_bytes > 0
    (tmp_path / "file").write_text("x")
    assert disk(str(tmp_path / "file/below")).total_bytes == here.total_bytes
    assert disk("\0").total_bytes is not None


class RecordedMac:
    """What an M2 Max with 64 GiB answers."""

    def __init__(self, **changed: bytes) -> None:
        self.values = {
            "hw.memsize": (64 * GIB).to_bytes(8, "little"),
            "hw.pagesize": (16384).to_bytes(8, "little"),
            "machdep.cpu.brand_string": b"Apple M2 Max\0",
            "vm.swapusage": b"".join(size.to_bytes(8, "little") for size in (2 * GIB, GIB, GIB)) + bytes(8),
            "iogpu.wired_limit_mb": bytes(4),
            **{key.replace("__", "."): value for key, value in changed.items()},
        }

    def text(self, name: str) -> bytes | None:
        return self.values.get(name)

    def pages(self) -> tuple[int, int] | None:
        return 65536, 1966080


def test_apple_silicon_is_one_pool() -> None:
    mac = RecordedMac()
    assert host_memory(mac) == (Ram(64 * GIB, 31 * GIB), Swap(2 * GIB, GIB))
    (row,) = AppleReader(mac).read()
    assert (row.vendor, row.name, row.pool) == ("apple", "Apple M2 Max", "unified")
    assert (row.total_bytes, row.used_bytes, row.free_bytes) == (64 * GIB, None, 31 * GIB)
    limited = RecordedMac(iogpu__wired_limit_mb=(8192).to_bytes(4, "little"))
    assert AppleReader(limited).read()[0].free_bytes == 8 * GIB


def test_a_mac_with_another_processor_has_no_row_here() -> None:
    assert AppleReader(RecordedMac(machdep__cpu__brand_string=b"Intel(R) Core(TM) i9\0")).read() == ()


def test_a_watch_pays_for_nothing_heavy_either() -> None:
    heavy = ["asyncio", "msgspec", "psutil", "tomlkit", "platformdirs", "textual", "llama_cpp", "pynvml"]
    check = "import sys; import tui.hardware.watch, tui.hardware.history, tui.hardware.others; "
    check += f"print([m for m in {heavy} if m in sys.modules])"
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-S", "-c", check], capture_output=True, text=True, check=True, cwd=root)
    assert ran.stdout.strip() == "[]"
