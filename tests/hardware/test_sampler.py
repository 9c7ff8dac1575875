"""Whole snapshots: in this process, in another one through LD_LIBRARY_PATH, and what a monitor must not import."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.hardware.conftest import Tree
from tests.rigs.nvml import GIB, FakeGpu, StandIn, two_gpus
from tui.hardware.nvml import load_pynvml
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Snapshot, to_json

ROOT = Path(__file__).parents[2]

KEYS = {
    "gpus": "index uuid name vendor total_bytes used_bytes free_bytes utilization temperature_c power_w error "
    "processes",
    "ram": "total_bytes available_bytes limit_bytes source",
    "swap": "total_bytes used_bytes",
    "cpu": "cores quota utilization",
}


def test_a_snapshot_of_this_machine() -> None:
    sampler = Sampler()
    first, second = sampler.sample(), sampler.sample()
    sampler.close()
    assert abs(first.time - time.time()) < 60
    assert second.time >= first.time
    assert first.cpu.cores is not None
    assert first.cpu.utilization is None
    json.dumps(to_json(second))


def test_the_documents_keys_are_the_contract(stand_in: StandIn) -> None:
    stand_in.show([FakeGpu(compute=[(1, GIB)])])
    with stand_in.in_this_process():
        sampler = Sampler(nvml=load_pynvml)
        document = to_json(sampler.sample(), [{"pid": 1, "model": "m"}])
        sampler.close()
    assert list(document) == ["time", "gpus", "ram", "swap", "cpu", "engines"]
    assert list(document["gpus"][0]) == KEYS["gpus"].split()
    assert list(document["gpus"][0]["processes"][0]) == ["pid", "name", "user", "used_bytes", "mine"]
    for part in ("ram", "swap", "cpu"):
        assert list(document[part]) == KEYS[part].split()
    assert document["engines"] == [{"pid": 1, "model": "m"}]


def test_an_empty_machine_is_a_snapshot_of_nones(tree: Tree) -> None:
    sampler = Sampler(tree.proc, tree.sys, nvml=None)
    shot = sampler.sample()
    assert shot.gpus == ()
    assert shot.nvml_error is None
    assert shot.ram.total_bytes is None
    assert to_json(Snapshot(0.0))["ram"]["source"] == "meminfo"


def test_a_missing_driver_is_told_only_where_there_is_a_card(stand_in: StandIn, tree: Tree) -> None:
    stand_in.show([], init=9)
    with stand_in.in_this_process():
        quiet = Sampler(tree.proc, tree.sys, nvml=load_pynvml).sample()
        tree.write(
            {
                "sys/bus/pci/devices/0000:01:00.0/vendor": "0x10de\n",
                "sys/bus/pci/devices/0000:01:00.0/class": "0x030200\n",
            }
        )
        sampler = Sampler(tree.proc, tree.sys, nvml=load_pynvml)
        loud = sampler.sample()
    assert quiet.nvml_error is None
    assert loud.nvml_error is not None
    assert "not loaded" in loud.nvml_error
    assert "modprobe" in loud.nvml_error
    assert sampler.nvml_problem is not None
    assert loud.nvml_error == f"{sampler.nvml_problem.what}: {sampler.nvml_problem.fix}"


def test_a_version_mismatch_is_told_everywhere_and_ram_lives_on(stand_in: StandIn) -> None:
    stand_in.show(two_gpus(), init=18)
    with stand_in.in_this_process():
        shot = Sampler(nvml=load_pynvml).sample()
    assert shot.nvml_error is not None
    assert "updated" in shot.nvml_error
    assert shot.ram.total_bytes is not None


def test_quota_is_read_again_after_a_while(tree: Tree) -> None:
    tree.write(
        {
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": "30 24 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
            "sys/fs/cgroup/cpu.max": "150000 100000\n",
        }
    )
    now = [0.0]
    sampler = Sampler(tree.proc, tree.sys, nvml=None, clock=lambda: now[0])
    assert sampler.sample().cpu.quota == 1.5
    tree.write({"sys/fs/cgroup/cpu.max": "max 100000\n"})
    assert sampler.sample().cpu.quota == 1.5
    now[0] = 60.0
    assert sampler.sample().cpu.quota is None


OTHER_PROCESS = """
import json, sys
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import to_json
sampler = Sampler()
for line in sys.stdin:
    print(json.dumps(to_json(sampler.sample([int(line)]))), flush=True)
"""


def test_another_process_sees_the_same_through_the_library_path(stand_in: StandIn) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=stand_in.environ,
    ) as meter:
        assert meter.stdin is not None
        assert meter.stdout is not None

        def look() -> dict[str, list[dict[str, object]]]:
            assert meter.stdin is not None
            assert meter.stdout is not None
            meter.stdin.write(f"{meter.pid}\n")
            meter.stdin.flush()
            found: dict[str, list[dict[str, object]]] = json.loads(meter.stdout.readline())
            return found

        assert [gpu["used_bytes"] for gpu in look()["gpus"]] == [3 * GIB, 70 * GIB]
        stand_in.show([FakeGpu(compute=[(meter.pid, 7)]), FakeGpu(uuid="GPU-b", errors={"all": 15})])
        one, two = look()["gpus"]
        meter.stdin.close()
    assert isinstance(one["processes"], list)
    (process,) = one["processes"]
    assert (process["pid"], process["mine"], process["used_bytes"]) == (meter.pid, True, 7)
    assert process["name"]
    assert "lost" in str(two["error"])


def test_a_monitor_pays_for_nothing_heavy() -> None:
    heavy = ["asyncio", "msgspec", "psutil", "tomlkit", "platformdirs", "textual", "llama_cpp", "pynvml"]
    check = f"import sys; import tui.hardware.sampler; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-S", "-c", check], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"
