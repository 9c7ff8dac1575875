"""`puna doctor`: what is here, what the installed llama.cpp can use of it, and what is wrong, each with its fix."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import tui
from tui.cli.main import DONE
from tui.cli.output import show, write_json
from tui.config.folders import chosen_folder, model_folder
from tui.config.model_file import read_models
from tui.config.paths import Paths, paths
from tui.config.settings import LoadedConfig, load_config
from tui.config.sizes import size
from tui.engine.registry import running
from tui.hardware.drivers import Card, cards
from tui.hardware.snapshot import Snapshot, to_json
from tui.library import Model, scan
from tui.models.prepare import look
from tui.process.death import meaning, signal_of
from tui.process.spawn import environment

_PROBE_S = 60.0
LEAST_FREE_BYTES = 64 << 20
"""Free disk below which writing settings and conversations is about to fail."""
FEW_MODELS_BYTES = 5 << 30
"""Free disk below which few models can be fetched."""
LLAMA_CPP_PYTHON = "llama-cpp-python"
_BACKENDS = {
    "nvidia": ("CUDA", "-DGGML_CUDA=on"),
    "amd": ("ROCm", "-DGGML_HIP=on"),
    "intel": ("Vulkan", "-DGGML_VULKAN=on"),
}
"""What drives a vendor's cards in llama.cpp, and the CMake flag that builds it in."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong and the one thing to do about it."""

    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What the installed llama.cpp said of itself in a process of its own; `error` when it could not even start."""

    version: str | None
    gpu_offload: bool
    devices: list[dict[str, Any]]
    error: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print everything as one JSON document")


def run(args: argparse.Namespace) -> int:
    """Look and tell. Problems do not change the exit code."""
    here = paths()
    probe, machine = probe_llama(), look(here)
    config = load_config(here)
    models = scan(here, config.settings.library.folders)
    problems = list(find_problems(probe, machine, cards(), here, config, models))
    if args.json:
        write_json(_document(probe, machine, here, problems))
    else:
        show("\n".join(_report(probe, machine, here, models, problems)))
    return DONE


def probe_llama(module: str = "tui.llama.probe") -> Probe:
    """Start llama.cpp in a child process, where a broken build can do no harm, and ask what it is."""
    command = [sys.executable, "-P", "-m", module]
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PROBE_S, env=environment(), check=False, stdin=quiet
        )
    except subprocess.TimeoutExpired:
        return _no_probe(f"it did not answer within {_PROBE_S:.0f} s")
    except OSError as error:
        return _no_probe(f"no process could be started for it ({error.strerror or error})")
    try:
        answer = json.loads(done.stdout)
        return Probe(answer["version"], answer["gpu_offload"], answer["devices"], None)
    except (ValueError, LookupError, TypeError):  # it says no such thing
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        ended = meaning(done.returncode) if signal_of(done.returncode) is not None or not lines else ""
        return _no_probe(": ".join(part for part in (ended, *lines[-1:]) if part))


def _no_probe(error: str) -> Probe:
    return Probe(None, False, [], error)


def find_problems(
    probe: Probe,
    machine: Snapshot,
    plugged: tuple[Card, ...],
    here: Paths,
    config: LoadedConfig,
    models: tuple[Model, ...],
) -> Iterator[Problem]:
    """Everything that is wrong, worst first."""
    if probe.error is not None:
        yield Problem(f"llama.cpp does not start: {probe.error}", f"build it again: {_rebuild('')}")
    else:
        yield from _unused_cards(probe, [*(card.vendor for card in plugged), *(gpu.vendor for gpu in machine.gpus)])
    if machine.nvml_error:
        what, _, fix = machine.nvml_error.partition(": ")
        yield Problem(what, fix)
    yield from (
        Problem(f"{gpu.name or 'GPU'} {gpu.index}: {gpu.error}", "see the driver's log (dmesg)")
        for gpu in machine.gpus
        if gpu.error
    )
    for problem in (*config.problems, *read_models(here)[1]):
        yield Problem(str(problem), "mend the file; until then defaults are used")
    yield from _unwritable(here)
    yield from _full_disk(here)
    if not models:
        yield Problem(
            "there is no model on this disk", f"{sys.executable} -m pip install 'puna[demo]', or `puna add PATH`"
        )
    yield from (
        Problem(f"{model.name}: {model.problem}", "download it again, or remove it")
        for model in models
        if model.problem
    )


def _unused_cards(probe: Probe, vendors: Sequence[str]) -> Iterator[Problem]:
    """Cards that this build of llama.cpp has no backend for. A container may hide the bus and show the driver, or the
    other way round, so `vendors` are those of either.
    """
    if probe.gpu_offload:
        if vendors and not probe.devices:
            yield Problem(
                "llama.cpp was built for GPUs but finds none it can use",
                "check the driver with `nvidia-smi` or `vulkaninfo`",
            )
        return
    for vendor in dict.fromkeys(vendor for vendor in vendors if vendor in _BACKENDS):
        backend, flag = _BACKENDS[vendor]
        name = {"nvidia": "an NVIDIA", "amd": "an AMD", "intel": "an Intel"}[vendor]
        yield Problem(
            f"this machine has {name} card, but llama.cpp was built for the CPU only, so the card stays idle",
            f"build it with {backend}: {_rebuild(flag)}",
        )


def _rebuild(flag: str) -> str:
    """The command that compiles the pinned llama.cpp again, with a CMake flag."""
    try:
        needs = requires("puna") or []
    except PackageNotFoundError:  # run from a folder, not installed
        needs = []
    pinned = next((need.split(";")[0].strip() for need in needs if need.startswith(LLAMA_CPP_PYTHON)), LLAMA_CPP_PYTHON)
    flags = f'CMAKE_ARGS="{flag}" ' if flag else ""
    options = f"--force-reinstall --no-deps --no-cache-dir --no-binary {LLAMA_CPP_PYTHON}"
    return f"{flags}{sys.executable} -m pip install {options} '{pinned}'"


def _unwritable(here: Paths) -> Iterator[Problem]:
    folders: dict[Path, list[str]] = {}
    for folder in (here.config, here.data, here.cache, here.state):
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            folders.setdefault(nearest, []).append(str(folder))
    for nearest, blocked in folders.items():
        yield Problem(
            f"{', '.join(blocked)} cannot be written",
            f"make {nearest} a folder that you may write, or set PUNA_HOME to one",
        )


def _full_disk(here: Paths) -> Iterator[Problem]:
    free = _disk_free(here.data)
    if free is not None and free < LEAST_FREE_BYTES:
        yield Problem(
            f"the disk of {here.data} has {size(free)} left",
            "free some space: conversations and settings are kept there",
        )
    models = _models_folder(here)
    free, nearest = _disk_free(models), _nearest(models)
    if free is not None and free < FEW_MODELS_BYTES:
        yield Problem(f"the disk of {models} has {size(free)} left", "free some space: models are fetched to there")
    if not os.access(nearest, os.W_OK | os.X_OK):
        yield Problem(
            f"{models}, where models are fetched to, cannot be written",
            f"make {nearest} a folder that you may write, or set downloads.folder or HF_HOME to one",
        )


def _models_folder(here: Paths) -> Path:
    return model_folder(chosen_folder(here), os.environ)


def _places(here: Paths) -> dict[str, str]:
    return {
        "config": str(here.config_file),
        "models_toml": str(here.models_file),
        "history": str(here.history_file),
        "library": str(here.library_file),
        "cache": str(here.cache),
        "state": str(here.state),
        "log": str(here.log_file),
        "themes": str(here.user_themes_dir),
    }


def _document(probe: Probe, machine: Snapshot, here: Paths, problems: list[Problem]) -> dict[str, Any]:
    engines = [asdict(engine) for engine in running(here.engines_dir)]
    return {
        "version": tui.__version__,
        "python": platform.python_version(),
        "llama_cpp": {"version": probe.version, "gpu_offload": probe.gpu_offload, "devices": probe.devices},
        "hardware": to_json(machine, engines),
        "paths": _places(here),
        "problems": [{"what": problem.what, "fix": problem.fix} for problem in problems],
    }


def _report(
    probe: Probe, machine: Snapshot, here: Paths, models: tuple[Model, ...], problems: list[Problem]
) -> Iterator[str]:
    yield f"puna {tui.__version__}, Python {platform.python_version()}"
    offload = "with GPU offload" if probe.gpu_offload else "for the CPU only"
    yield f"llama.cpp   {LLAMA_CPP_PYTHON} {probe.version or 'does not start'}, built {offload}"
    yield from (
        f"            {d['name']}: {d['description']}, {size(d['free_bytes'])} of {size(d['total_bytes'])} free"
        for d in probe.devices
    )
    for gpu in machine.gpus:
        yield f"GPU {gpu.index}       {gpu.name or 'unknown'}, {size(gpu.free_bytes)} of {size(gpu.total_bytes)} free"
    limit = f", limited to {size(machine.ram.limit_bytes)}" if machine.ram.limit_bytes else ""
    yield f"RAM         {size(machine.ram.available_bytes)} of {size(machine.ram.total_bytes)} available{limit}"
    quota = f", quota {machine.cpu.quota:g}" if machine.cpu.quota else ""
    yield f"CPU         {machine.cpu.cores} cores{quota}"
    models_folder = _models_folder(here)
    yield f"disk        {size(_disk_free(models_folder))} free for models in {models_folder}"
    yield f"models      {len(models)} on this disk"
    yield f"settings    {here.config_file}"
    yield ""
    if not problems:
        yield "No problems found."
    for number, problem in enumerate(problems, 1):
        yield f"{number}. {problem.what}."
        yield f"   {problem.fix}"


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _disk_free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_nearest(folder)).free
    except OSError:
        return None
