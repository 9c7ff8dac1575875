"""`puna monitor` into pipes: the documents' contract, the line, blocks of plain lines, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.puna import ROOT, environment, puna
from tests.rigs.nvml import FakeGpu, StandIn, two_gpus
from tui.engine.registry import Entry

GIB = 1 << 30
_GPU_KEYS = [
    "index",
    "uuid",
    "name",
    "vendor",
    "total_bytes",
    "used_bytes",
    "free_bytes",
    "utilization",
    "temperature_c",
    "power_w",
    "error",
    "processes",
]


def calm(stand_in: StandIn) -> dict[str, str]:
    """An environment with the stand-in, and without a width that whoever runs the tests has set."""
    return {**stand_in.environ, "COLUMNS": ""}


def started(home: Path, stand_in: StandIn, *arguments: str) -> subprocess.Popen[bytes]:
    """`puna monitor ARGUMENTS`, running, its output in a pipe."""
    command = [sys.executable, "-m", "tui", "monitor", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment(home, calm(stand_in)), cwd=ROOT)


def documents(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    """What was printed, a document a line."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_one_document_has_exactly_the_promised_keys(tmp_path: Path, stand_in: StandIn) -> None:
    gpus = two_gpus()
    gpus[0].compute = [(os.getpid(), 2 * GIB)]
    stand_in.show(gpus)
    done = puna(tmp_path, "monitor", "--once", "--json", env=calm(stand_in))
    assert (done.returncode, done.stderr) == (0, b"")
    [found] = documents(done)
    assert list(found) == ["time", "gpus", "ram", "swap", "cpu", "engines"]
    assert [list(gpu) for gpu in found["gpus"]] == [_GPU_KEYS, _GPU_KEYS]
    assert list(found["gpus"][0]["processes"][0]) == ["pid", "name", "user", "used_bytes", "mine"]
    assert list(found["ram"]) == ["total_bytes", "available_bytes", "limit_bytes", "source"]
    assert list(found["swap"]) == ["total_bytes", "used_bytes"]
    assert list(found["cpu"]) == ["cores", "quota", "utilization"]
    assert found["engines"] == []
    assert [gpu["free_bytes"] for gpu in found["gpus"]] == [20 * GIB, 9 * GIB]
    assert found["gpus"][0]["processes"][0]["pid"] == os.getpid()
    assert found["gpus"][0]["processes"][0]["mine"] is False


def test_engines_are_told_and_their_processes_are_ours(tmp_path: Path, stand_in: StandIn) -> None:
    gpus = two_gpus()
    gpus[1].compute = [(os.getpid(), 4 * GIB)]
    stand_in.show(gpus)
    entry = Entry(tmp_path / "state" / "engines", model="a model", n_ctx=4096)
    entry.update(1000, 12.5, now=True)
    try:
        done = puna(tmp_path, "monitor", "--once", "--json", env=calm(stand_in))
        line = puna(tmp_path, "monitor", "--once", "--line", env=calm(stand_in))
        block = puna(tmp_path, "monitor", "--once", env=calm(stand_in))
    finally:
        entry.remove()
    [found] = documents(done)
    wanted = {"pid": os.getpid(), "model": "a model", "n_ctx": 4096, "n_ctx_used": 1000, "decode_tok_s": 12.5}
    assert found["engines"] == [wanted]
    assert list(found["engines"][0]) == list(wanted)
    assert [process["mine"] for process in found["gpus"][1]["processes"]] == [True]
    assert line.stdout.decode().rstrip("\n").endswith("12 tok/s")
    assert "a model" in block.stdout.decode()
    assert "▓" in block.stdout.decode()


def test_a_document_a_tick_each_at_once(tmp_path: Path, stand_in: StandIn) -> None:
    with started(tmp_path, stand_in, "--json", "--interval", "0.2") as running:
        assert running.stdout is not None
        first = json.loads(running.stdout.readline())
        stand_in.show([FakeGpu(used=5 * GIB, free=18 * GIB)])
        while True:
            found = json.loads(running.stdout.readline())
            if len(found["gpus"]) != 2 or found["gpus"][0]["used_bytes"] != 3 * GIB:
                break
        assert found["gpus"][0]["used_bytes"] == 5 * GIB
        assert found["time"] > first["time"]
        assert found["cpu"]["utilization"] is not None
        running.terminate()
        assert running.wait(30) == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_128_and_its_number(tmp_path: Path, stand_in: StandIn, number: signal.Signals) -> None:
    with started(tmp_path, stand_in, "--line", "--interval", "10") as running:
        assert running.stdout is not None
        assert b"RAM" in running.stdout.readline()
        running.send_signal(number)
        assert running.wait(30) == 128 + number
        assert running.stderr is not None
        assert running.stderr.read() == b""


@pytest.mark.parametrize("form", ["--json", "--line", "--ascii"])
def test_a_reader_that_leaves_is_no_error(tmp_path: Path, stand_in: StandIn, form: str) -> None:
    with started(tmp_path, stand_in, form, "--interval", "10") as running:
        assert running.stdout is not None
        assert running.stdout.readline()
        running.stdout.close()  # noticed at once, not at the next tick
        assert running.wait(30) == 0
        assert running.stderr is not None
        assert running.stderr.read() == b""


def test_a_pipe_gets_blocks_of_plain_lines(tmp_path: Path, stand_in: StandIn) -> None:
    with started(tmp_path, stand_in, "--interval", "0.2") as running:
        assert running.stdout is not None
        lines = [running.stdout.readline().decode().rstrip("\n") for _ in range(12)]
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 128 + signal.SIGINT
    block = lines[: lines.index("") + 1]
    assert lines[len(block)].startswith(" 0 Stand-in")
    assert "3.0/24.0 GiB" in block[0]
    assert "70.0/80.0 GiB" in block[1]
    assert "\x1b" not in "".join(lines)
    assert max(map(len, lines)) <= 80


def test_once_keeps_to_the_width_that_is_asked_for(tmp_path: Path, stand_in: StandIn) -> None:
    done = puna(tmp_path, "monitor", "--once", env={**calm(stand_in), "COLUMNS": "40"})
    lines = done.stdout.decode().splitlines()
    assert max(map(len, lines)) <= 40
    assert " 3/24 " in lines[0]
    ascii_only = puna(tmp_path, "monitor", "--once", "--ascii", env=calm(stand_in)).stdout
    assert ascii_only.isascii()
    assert b"#" in ascii_only


@pytest.mark.parametrize(("asked", "widest"), [("9" * 5000, 1000), ("0", 80), ("-5", 80), ("wide", 80)])
def test_a_width_that_nothing_has_harms_nobody(tmp_path: Path, stand_in: StandIn, asked: str, widest: int) -> None:
    done = puna(tmp_path, "monitor", "--once", env={**calm(stand_in), "COLUMNS": asked})
    assert (done.returncode, done.stderr) == (0, b"")
    assert widest // 2 <= max(map(len, done.stdout.decode().splitlines())) <= widest


def test_the_line(tmp_path: Path, stand_in: StandIn) -> None:
    line = puna(tmp_path, "monitor", "--once", "--line", env=calm(stand_in)).stdout.decode()
    assert line.startswith("0 Stand-in 3/24G 37% · 1 Stand-in 70/80G 99% · RAM ")
    assert line.count("\n") == 1


@pytest.mark.parametrize("interval", ["0", "-1", "0.19", "10.5", "inf", "nan"])
def test_an_interval_out_of_range_is_refused_in_words(tmp_path: Path, interval: str) -> None:
    done = puna(tmp_path, "monitor", "--once", f"--interval={interval}")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"out of range: choose from 0.2 to 10 seconds" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_an_interval_that_is_no_number_is_wrong_usage(tmp_path: Path) -> None:
    done = puna(tmp_path, "monitor", "--interval", "abc")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--interval" in done.stderr


def test_a_driver_that_was_updated_is_told_once_and_ram_goes_on(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.show([], init=18)
    done = puna(tmp_path, "monitor", "--once", "--json", env=calm(stand_in))
    [found] = documents(done)
    assert found["gpus"] == []
    assert found["ram"]["available_bytes"] > 0
    assert done.stderr.decode().splitlines() == [
        "puna: the NVIDIA driver was updated, but the old one is still running: restart the machine, "
        "a container in which puna runs, or only puna where nvidia-smi works"
    ]
    block = puna(tmp_path, "monitor", "--once", env=calm(stand_in))
    assert block.stderr == b""
    assert "the NVIDIA driver was updated" in block.stdout.decode()
    assert "RAM" in block.stdout.decode()
    with started(tmp_path, stand_in, "--line", "--interval", "0.2") as running:
        assert running.stdout is not None
        for _ in range(3):
            assert running.stdout.readline().startswith(b"GPU driver fails")
        running.send_signal(signal.SIGINT)
        running.wait(30)
        assert running.stderr is not None
        assert running.stderr.read().count(b"\n") == 1


def test_without_any_driver_there_is_ram(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.unload()
    done = puna(tmp_path, "monitor", "--once", "--line", env=calm(stand_in))
    assert done.returncode == 0
    assert "RAM" in done.stdout.decode()


def test_a_lost_gpu_keeps_its_place(tmp_path: Path, stand_in: StandIn) -> None:
    gpus = two_gpus()
    gpus[1].errors = {"all": 15}
    stand_in.show(gpus)
    [found] = documents(puna(tmp_path, "monitor", "--once", "--json", env=calm(stand_in)))
    assert [gpu["index"] for gpu in found["gpus"]] == [0, 1]
    assert "fallen off the bus" in found["gpus"][1]["error"]
    assert found["gpus"][1]["used_bytes"] is None


def test_a_driver_that_hangs_holds_up_neither_the_figures_of_ram_nor_the_end(tmp_path: Path, stand_in: StandIn) -> None:
    gpus = two_gpus()
    with started(tmp_path, stand_in, "--json", "--interval", "0.2") as running:
        assert running.stdout is not None
        running.stdout.readline()
        gpus[0].hangs = ["memory"]
        stand_in.show(gpus)
        while True:
            found = json.loads(running.stdout.readline())
            if found["gpus"][0]["error"] is not None:
                break
        assert "has not answered for" in found["gpus"][0]["error"]
        assert found["gpus"][0]["used_bytes"] == 3 * GIB
        running.terminate()
        assert running.wait(30) == 128 + signal.SIGTERM


def test_the_room_where_models_go_is_told(tmp_path: Path, stand_in: StandIn) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.toml").write_text(f'[downloads]\nfolder = "{tmp_path}/not/yet"\n')
    done = puna(tmp_path, "monitor", "--once", env=calm(stand_in))
    row = next(line for line in done.stdout.decode().splitlines() if line.split()[:1] == ["disk"])
    room = os.statvfs(tmp_path)
    assert f"/{room.f_blocks * room.f_frsize / GIB:.1f} GiB" in row or room.f_blocks * room.f_frsize >= 1000 * GIB
    assert " free" in row


_HEAVY = (
    "textual",
    "asyncio",
    "msgspec",
    "tomlkit",
    "psutil",
    "llama_cpp",
    "huggingface_hub",
    "curses",
    "platformdirs",
)


@pytest.mark.parametrize("form", ["--line", "--json", "--once"])
def test_it_imports_little(tmp_path: Path, stand_in: StandIn, form: str) -> None:
    script = (
        "import sys, tui.__main__ as m\n"
        f"code = m.main(['monitor', '--once', {form!r}])\n"
        f"heavy = {_HEAVY!r}\n"
        "found = [name for name in heavy if name in sys.modules]\n"
        "sys.exit(f'imported {found}' if found else code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(tmp_path, calm(stand_in)),
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stderr) == (0, b"")
