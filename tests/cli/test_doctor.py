"""`puna doctor`: the JSON contract on this machine, and each problem on machines that are made up of plain values."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from tests.cli.puna import puna
from tui.cli.doctor import Probe, Problem, find_problems, probe_llama
from tui.config.paths import Paths
from tui.config.settings import LoadedConfig
from tui.hardware.drivers import Card
from tui.hardware.snapshot import Gpu, Snapshot

CPU_BUILD = Probe("0.3.36", False, [], None)
NVIDIA = Card("nvidia", "0000:01:00.0", "nvidia", sleeping=False)


def _paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache", tmp_path / "state")


def _problems(
    tmp_path: Path, probe: Probe = CPU_BUILD, machine: Snapshot | None = None, cards: tuple[Card, ...] = ()
) -> list[Problem]:
    seen = machine or Snapshot(0.0)
    return [
        problem
        for problem in find_problems(probe, seen, cards, _paths(tmp_path), LoadedConfig(), ())
        if "no model" not in problem.what
    ]


def test_the_document_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    done = puna(tmp_path, "doctor", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(document) == ["version", "python", "llama_cpp", "hardware", "paths", "problems"]
    assert list(document["llama_cpp"]) == ["version", "gpu_offload", "devices"]
    assert document["llama_cpp"]["version"] == "0.3.36"
    assert list(document["hardware"]) == ["time", "gpus", "ram", "swap", "cpu", "engines"]
    assert document["hardware"]["ram"]["available_bytes"] > 0
    assert all(value.startswith(str(tmp_path)) for value in document["paths"].values())
    assert all(list(problem) == ["what", "fix"] for problem in document["problems"])


def test_the_report_for_people_names_what_is_here(tmp_path: Path) -> None:
    text = puna(tmp_path, "doctor").stdout.decode()
    assert "llama-cpp-python 0.3.36" in text
    assert "RAM" in text
    assert "available" in text


def test_an_idle_card_is_told_with_the_exact_command(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, cards=(NVIDIA,))
    assert "NVIDIA" in problem.what
    assert "CPU only" in problem.what
    assert 'CMAKE_ARGS="-DGGML_CUDA=on"' in problem.fix
    assert "'llama-cpp-python==0.3.36'" in problem.fix
    assert "--no-cache-dir" in problem.fix


def test_a_build_that_uses_the_card_has_no_problem(tmp_path: Path) -> None:
    device = {"name": "CUDA0", "description": "H100", "total_bytes": 1, "free_bytes": 1}
    assert _problems(tmp_path, Probe("0.3.36", True, [device], None), cards=(NVIDIA,)) == []


def test_a_gpu_build_that_finds_no_device_is_told(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, Probe("0.3.36", True, [], None), cards=(NVIDIA,))
    assert "finds none" in problem.what


def test_a_llama_cpp_that_does_not_start_is_told(tmp_path: Path) -> None:
    probe = Probe(None, False, [], "OSError: libcudart.so.13: cannot open shared object file")
    (problem,) = _problems(tmp_path, probe)
    assert "libcudart.so.13" in problem.what
    assert "pip install" in problem.fix


def test_a_driver_mismatch_and_a_lost_card_are_told(tmp_path: Path) -> None:
    lost = Gpu(index=0, uuid="GPU-1", name="H100", vendor="nvidia", error="GPU is lost")
    machine = Snapshot(0.0, gpus=(lost,), nvml_error="the driver and its library differ: restart the machine")
    mismatch, card = [found for found in _problems(tmp_path, machine=machine) if "stays idle" not in found.what]
    assert mismatch == Problem("the driver and its library differ", "restart the machine")
    assert "H100" in card.what
    assert "lost" in card.what


def test_folders_that_cannot_be_made_are_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where a folder belongs")
    (problem,) = [problem for problem in _problems(tmp_path) if "cannot be written" in problem.what]
    assert str(tmp_path / "config") in problem.what
    assert "PUNA_HOME" in problem.fix


def test_a_broken_settings_file_is_a_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text('[ui]\ntheme = "puna"\n[load]\nn_ctxx = 4096\n')
    document = json.loads(puna(tmp_path, "doctor", "--json").stdout)
    (problem,) = [p for p in document["problems"] if "config.toml" in p["what"]]
    assert "n_ctxx" in problem["what"]
    assert "4" in problem["what"]
    assert "n_ctx" in problem["what"] + problem["fix"]


def test_no_model_on_this_disk_is_told(tmp_path: Path) -> None:
    found = list(find_problems(CPU_BUILD, Snapshot(0.0), (), _paths(tmp_path), LoadedConfig(), ()))
    assert any("no model" in problem.what and "puna[demo]" in problem.fix for problem in found)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os.abort()", "SIGABRT"),
        (
            "import os, sys; print('no kernel', file=sys.stderr, flush=True); os.kill(os.getpid(), 4)",
            "SIGILL): no kernel",
        ),
        ("raise OSError('libcudart.so.13: cannot open')", "libcudart.so.13"),
        ("pass", "exit code 0"),
        ("print('[]')", "exit code 0"),
        ("import os; print(os.environ['GGML_NO_BACKTRACE']); import tui; raise SystemExit('found')", "found"),
    ],
)
def test_how_llama_cpp_failed_to_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    (tmp_path / "broken_llama.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    probe = probe_llama("broken_llama")
    assert probe.version is None
    assert says in (probe.error or "")


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert "No such file" in (probe_llama().error or "")


def test_an_idle_card_is_told_where_puna_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("tui.cli.doctor.requires", unknown)
    (problem,) = _problems(tmp_path, cards=(NVIDIA,))
    assert problem.fix.endswith("'llama-cpp-python'")


def test_a_card_that_only_its_driver_tells_of_is_one_that_stays_idle(tmp_path: Path) -> None:
    seen = Snapshot(0.0, gpus=(Gpu(index=0, uuid="GPU-1", name="NVIDIA H100", vendor="nvidia"),))
    (problem,) = _problems(tmp_path, machine=seen)
    assert "an NVIDIA card" in problem.what
    assert "GGML_CUDA" in problem.fix


def test_folders_that_one_place_blocks_are_one_problem(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file in the way")
    (problem,) = [found for found in _problems(tmp_path / "home") if "cannot be written" in found.what]
    assert str(tmp_path / "home" / "cache") in problem.what
