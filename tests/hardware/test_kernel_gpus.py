"""AMD's and Intel's GPUs, and who holds their memory, on recorded trees."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.hardware.conftest import Clock, Tree
from tests.rigs.trees import unpack
from tui.hardware import drm_clients
from tui.hardware.amd import AmdReader
from tui.hardware.drm_clients import ROUND_S, DrmClients, Held
from tui.hardware.memory import MemoryReader
from tui.hardware.rest import IDLE_S
from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Gpu

GIB, MIB = 1 << 30, 1 << 20
CARD = "sys/devices/pci0000:00/0000:00:01.1/0000:01:00.0/0000:02:00.0/0000:03:00.0"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, there is time to look at everything."""
    for name in ("READ_S", "WALK_S", "FIRST_WALK_S"):
        monkeypatch.setattr(drm_clients, name, 60.0)


@pytest.fixture
def discrete(tree: Tree) -> Tree:
    unpack("amd_discrete", tree.folder)
    return tree


def amd(tree: Tree, clients: DrmClients | None = None) -> AmdReader:
    memory = MemoryReader(tree.proc, tree.sys)
    names = str(tree.folder / "libdrm/amdgpu.ids")
    return AmdReader(clients or DrmClients(tree.proc), tree.sys, lambda: memory.read()[0], names)


def test_a_discrete_card_shows_its_own_memory_and_sensors(discrete: Tree) -> None:
    (row,) = amd(discrete).read()
    assert (row.vendor, row.name, row.uuid) == ("amd", "AMD Radeon RX 7900 XTX", "GPU-c3f1a2b4d5e60718")
    assert (row.pci, row.pool) == ("0000:03:00.0", "own")
    assert (row.total_bytes, row.used_bytes) == (25753026560, 9 * GIB)
    assert row.free_bytes == 25753026560 - 9 * GIB
    assert (row.utilization, row.temperature_c, row.power_w) == (97, 66, 301.0)
    assert (row.clock_mhz, row.memory_clock_mhz) == (2482, 1249)


def test_one_client_in_many_files_and_processes_counts_once(discrete: Tree) -> None:
    clients = DrmClients(discrete.proc)
    clients.refresh()
    (row,) = amd(discrete, clients).read(engine_pids={4121})
    # The worker has the server's open file; the shell has two of its own.
    assert [(p.pid, p.name, p.used_bytes, p.mine) for p in row.processes] == [
        (4121, "llama-server", 8 * GIB, True),
        (900, "gnome-shell", 300 * MIB, False),
    ]
    assert row.unattributed_bytes == 9 * GIB - 8 * GIB - 300 * MIB


def test_an_apu_has_what_is_carved_out_and_what_the_host_can_spare(tree: Tree) -> None:
    unpack("amd_apu", tree.folder)
    clients = DrmClients(tree.proc)
    clients.refresh()
    (row,) = amd(tree, clients).read()
    assert row.pool == "shared"
    assert (row.total_bytes, row.used_bytes) == (64 * GIB, 31 * GIB)
    # 3 GiB of the carved-out part; of GTT's 30 GiB only what the host has, 20 GiB.
    assert row.free_bytes == 23 * GIB
    assert (row.name, row.uuid, row.power_w) == ("AMD GPU 1586", None, 42.0)
    assert [p.used_bytes for p in row.processes] == [30 * GIB + 512 * MIB]


def test_an_apu_is_known_by_the_compute_drivers_topology_too(discrete: Tree) -> None:
    node = "sys/class/kfd/kfd/topology/nodes/0/properties"
    discrete.write({node: "cpu_cores_count 16\nsimd_count 32\nlocation_id 768\ndomain 0\n"})
    assert amd(discrete).read()[0].pool == "shared"
    discrete.write({node: "cpu_cores_count 0\nsimd_count 32\nlocation_id 768\ndomain 0\n"})
    assert amd(discrete).read()[0].pool == "own"


def test_a_sleeping_card_is_not_read(discrete: Tree) -> None:
    cards = amd(discrete)
    assert cards.read()[0].used_bytes == 9 * GIB
    discrete.write({f"{CARD}/power/runtime_status": "suspended\n"})
    (row,) = cards.read()
    assert (row.asleep, row.used_bytes, row.utilization, row.error) == (True, None, None, None)
    # What does not change is still known.
    assert (row.total_bytes, row.name) == (25753026560, "AMD Radeon RX 7900 XTX")


def test_a_card_that_nobody_uses_is_read_rarely_so_that_it_can_power_down(discrete: Tree) -> None:
    for pid in (4121, 4122, 900):
        shutil.rmtree(discrete.folder / f"proc/{pid}", ignore_errors=True)
    discrete.write({f"{CARD}/gpu_busy_percent": "0\n"})
    clock = Clock()
    cards = AmdReader(DrmClients(discrete.proc), discrete.sys, clock=clock)

    def after(seconds: float) -> Gpu:
        clock.now += seconds
        return cards.read()[0]

    assert [after(0).idle_s, after(IDLE_S - 1).idle_s, after(1).idle_s] == [None, None, 0]
    discrete.write({f"{CARD}/gpu_busy_percent": "50\n"})
    row = after(5)
    assert (row.idle_s, row.utilization, row.used_bytes) == (5, 0, 9 * GIB)
    # It has powered down: that is told at once, and what it does when it is awake again, too.
    discrete.write({f"{CARD}/power/runtime_status": "suspended\n"})
    assert after(1).asleep
    discrete.write({f"{CARD}/power/runtime_status": "active\n"})
    assert (after(1).idle_s, after(0).utilization) == (None, 50)


def test_a_card_that_is_kept_on_is_always_read(discrete: Tree) -> None:
    discrete.write({f"{CARD}/gpu_busy_percent": "0\n", f"{CARD}/power/control": "on\n"})
    clock = Clock()
    cards = AmdReader(DrmClients(str(discrete.folder / "nobody")), discrete.sys, clock=clock)
    for used in (1, 2, 3):
        discrete.write({f"{CARD}/mem_info_vram_used": f"{used * GIB}\n"})
        (row,) = cards.read()
        assert (row.idle_s, row.used_bytes) == (None, used * GIB)
        clock.now += IDLE_S


def test_figures_that_the_driver_does_not_show_are_none(discrete: Tree) -> None:
    for name in ("gpu_busy_percent", "hwmon/hwmon4/power1_average", "mem_info_vram_used"):
        (discrete.folder / CARD / name).unlink()
    (row,) = amd(discrete).read()
    assert (row.utilization, row.power_w, row.used_bytes, row.free_bytes) == (None, None, None, None)
    assert (row.temperature_c, row.unattributed_bytes, row.error) == (66, None, None)


def test_a_card_that_goes_keeps_its_row(discrete: Tree) -> None:
    cards = amd(discrete)
    cards.read()
    shutil.rmtree(discrete.folder / CARD)
    (row,) = cards.read()
    assert row.name == "AMD Radeon RX 7900 XTX"
    assert row.error is not None
    assert "gone" in row.error


def test_a_name_with_escape_sequences_is_cleaned(discrete: Tree) -> None:
    discrete.write({f"{CARD}/product_name": "Bad\x1b]0;x\x07card\n"})
    assert amd(discrete).read()[0].name == "Badcard"


def test_clients_come_grow_and_go(discrete: Tree) -> None:
    clock = Clock()
    clients = DrmClients(discrete.proc, clock)
    clients.refresh()
    assert clients.held("0000:03:00.0")[4121] == Held(8 * GIB, 64 * MIB)
    info = (discrete.folder / "proc/4121/fdinfo/5").read_text()
    discrete.write({"proc/4121/fdinfo/5": info.replace("8388608", "1048576"), "proc/4121/fdinfo/9": ""})
    clients.refresh()
    assert clients.held("0000:03:00.0")[4121].device_bytes == GIB
    # A new one is not looked for before the next round.
    (discrete.folder / "proc/5000/fd").mkdir(parents=True)
    (discrete.folder / "proc/5000/fd/3").symlink_to("/dev/dri/renderD128")
    discrete.write({"proc/5000/fdinfo/3": info.replace("client-id:\t7", "client-id:\t99")})
    clients.refresh()
    assert 5000 not in clients.held("0000:03:00.0")
    clock.now += ROUND_S
    clients.refresh()
    assert clients.held("0000:03:00.0")[5000].device_bytes == 8 * GIB
    # Ended between two looks; its worker still has the file open, and is found in the next round.
    shutil.rmtree(discrete.folder / "proc/4121")
    clients.refresh()
    assert 4121 not in clients.held("0000:03:00.0")
    clock.now += ROUND_S
    clients.refresh()
    assert 4122 in clients.held("0000:03:00.0")


def test_a_damaged_fdinfo_is_nobodys(discrete: Tree) -> None:
    discrete.write({"proc/4121/fdinfo/5": "drm-client-id:\t7\ndrm-memory-vram:\tlots KiB\ngarbage\n\0"})
    discrete.write({"proc/4121/fdinfo/9": "pos:\t0\n", "proc/4122/fdinfo/5": "\n"})
    clients = DrmClients(discrete.proc)
    clients.refresh()
    assert set(clients.held("0000:03:00.0")) == {900}


def test_intel_inside_uses_the_hosts_pool_and_a_card_its_own(tree: Tree) -> None:
    unpack("intel", tree.folder)
    clock = Clock()
    sampler = Sampler(tree.proc, tree.sys, nvml=None, clock=clock)
    inside, card = sampler.gpus()
    assert (inside.pool, inside.total_bytes, inside.free_bytes) == ("unified", 32 * GIB, 24 * GIB)
    assert (inside.used_bytes, inside.clock_mhz) == (300 * MIB, 1300)
    assert [(p.name, p.used_bytes) for p in inside.processes] == [("firefox", 300 * MIB)]
    # The card shows its total and what visible processes hold, but not what is free.
    assert (card.pool, card.total_bytes, card.used_bytes, card.free_bytes) == ("own", 16 * GIB, 5 * GIB, None)
    assert (card.temperature_c, card.clock_mhz, card.power_w) == (48, 2400, None)
    tree.write({"sys/devices/pci0000:00/0000:00:07.0/0000:2d:00.0/hwmon/hwmon6/energy1_input": "1120000000\n"})
    clock.now += 2.0
    assert sampler.gpus()[1].power_w == 60.0
    sampler.close()


def test_an_older_intel_driver_that_tells_both(tree: Tree) -> None:
    unpack("intel", tree.folder)
    tree.write(
        {
            "sys/class/drm/card1/lmem_total_bytes": f"{16 * GIB}\n",
            "sys/class/drm/card1/lmem_avail_bytes": f"{9 * GIB}\n",
        }
    )
    card = Sampler(tree.proc, tree.sys, nvml=None).gpus()[1]
    assert (card.used_bytes, card.free_bytes, card.unattributed_bytes) == (7 * GIB, 9 * GIB, 2 * GIB)


def test_a_kernel_that_tells_of_nobody_is_not_nobody(tree: Tree) -> None:
    unpack("intel", tree.folder)
    shutil.rmtree(tree.folder / "proc/300")
    inside: Gpu = Sampler(tree.proc, tree.sys, nvml=None).gpus()[0]
    assert (inside.used_bytes, inside.unattributed_bytes, inside.free_bytes) == (None, None, 24 * GIB)


def test_the_sampler_finds_amd_and_marks_engines(discrete: Tree) -> None:
    shot = Sampler(discrete.proc, discrete.sys, nvml=None).sample({4121})
    (row,) = shot.gpus
    assert [p.mine for p in row.processes] == [True, False]


def test_connectors_and_other_makers_are_no_cards(tree: Tree, tmp_path: Path) -> None:
    tree.write({"sys/class/drm/card0/device/vendor": "0x1a03\n", "sys/class/drm/card0-VGA-1/status": "connected\n"})
    assert Sampler(tree.proc, tree.sys, nvml=None).gpus() == ()
