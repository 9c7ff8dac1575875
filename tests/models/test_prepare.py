"""Before a load: the look at the machine, whose word counts, and numbers in place of "auto"."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.broken_gguf import killer
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.nvml import GIB, FakeGpu, StandIn
from tui.config.model_file import update_model
from tui.config.paths import Paths, paths
from tui.config.settings import FitSettings, LoadDefaults, Settings
from tui.engine.registry import Entry
from tui.fit.oracle import DryRun
from tui.hardware.snapshot import Cpu, Gpu, Ram, Snapshot
from tui.hardware.watch import SILENT
from tui.library import Model
from tui.library.single import entry_for
from tui.llama.settings import LoadSettings
from tui.models import prepare as prepare_module
from tui.models.fitting import Fitting
from tui.models.prepare import look, may_move, prepare, wished_for
from tui.process.spawn import Child, spawn

ROOMY = Snapshot(time=1.0, ram=Ram(64 * GIB, 60 * GIB), cpu=Cpu(cores=2))


@pytest.fixture
def here(tmp_path: Path) -> Paths:
    return paths({"PUNA_HOME": str(tmp_path / "home")})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Two layers, trained with 4096 tokens."""
    return entry_for(tiny_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf"))


def test_engines_of_this_user_are_known_as_ours(tmp_path: Path, stand_in: StandIn) -> None:
    here = paths({"PUNA_HOME": str(tmp_path)})
    stranger = os.getppid()
    stand_in.show([FakeGpu(compute=[(os.getpid(), 2 * GIB), (stranger, GIB)])])
    Entry(here.engines_dir, model="tiny", n_ctx=512)
    with stand_in.in_this_process():
        (gpu,) = look(here).gpus
    assert {process.pid: process.mine for process in gpu.processes} == {os.getpid(): True, stranger: False}


def test_a_driver_that_hangs_does_not_hold_up_a_load(tmp_path: Path, stand_in: StandIn) -> None:
    stand_in.show([FakeGpu()], init_hangs=True)
    with stand_in.in_this_process():
        shot = look(paths({"PUNA_HOME": str(tmp_path)}))
        stand_in.show([FakeGpu()])
    assert (shot.gpus, shot.nvml_error) == ((), SILENT)
    assert shot.ram.available_bytes


def test_a_flag_wins_over_what_is_kept_and_that_over_the_persons_defaults(here: Paths, tiny: Model) -> None:
    settings = Settings(load=LoadDefaults(n_ctx=1024, type_k="q8_0", type_v="q8_0", threads=3))
    update_model(here, tiny.identity, {"n_ctx": 512, "type_k": "f16", "proven": {"device": "CUDA0"}})
    assert wished_for(here, tiny, settings, {"n_ctx": 256, "type_v": None}) == LoadSettings(
        n_ctx=256, type_k="f16", type_v="q8_0", threads=3
    )


def test_of_another_machine_nothing_counts_that_is_kept_about_this_one(here: Paths, tiny: Model) -> None:
    settings = Settings(load=LoadDefaults(threads=3, devices=("CUDA0",), type_k="q8_0"))
    kept = {"n_ctx": 512, "n_gpu_layers": 7, "n_cpu_moe": 2, "tensor_split": [1.0], "split_mode": "row"}
    update_model(here, tiny.identity, kept)
    elsewhere = wished_for(here, tiny, settings, {"n_gpu_layers": "all"}, elsewhere=True)
    assert elsewhere == LoadSettings(n_ctx=512, n_gpu_layers="all", type_k="q8_0")
    assert wished_for(here, tiny, settings).n_gpu_layers == 7


@pytest.mark.parametrize(
    ("wished", "given", "moves"),
    [
        ({}, (), {"kv", "experts", "split"}),
        ({"n_ctx": 4096}, (), {"kv", "experts", "split"}),
        ({"n_ctx": 4096, "n_gpu_layers": "all"}, (), {"split"}),
        ({"type_v": "q8_0"}, (), {"experts", "split"}),
        ({"flash_attn": "off"}, (), {"experts", "split"}),
        ({}, ("type_k",), {"experts", "split"}),
        ({}, ("n_cpu_moe",), {"kv", "split"}),
        ({"n_cpu_moe": 3}, (), {"kv", "split"}),
        ({"devices": ("CUDA1",)}, (), {"kv", "experts"}),
        ({"tensor_split": (1.0, 2.0)}, (), {"kv", "experts"}),
        ({"split_mode": "none"}, (), {"kv", "experts"}),
    ],
)
def test_what_a_person_has_set_does_not_move(wished: dict[str, Any], given: Collection[str], moves: set[str]) -> None:
    assert may_move(LoadSettings(**wished), given) == moves
    assert may_move(LoadSettings(**wished), given, asked=False) == moves - {"split"}


class CountingSpawn:
    """Starts `module` in place of the dry run's."""

    def __init__(self, module: str = "") -> None:
        self._module = module
        self.n_started = 0

    async def __call__(self, module: str, arguments: Sequence[str], *, incoming: Any) -> Child:
        self.n_started += 1
        return await spawn(self._module or module, arguments, incoming=incoming)


class Asking:
    """A fitting that is closed at the end."""

    def __init__(self, here: Paths, dry_run: DryRun | None = None) -> None:
        self._fitting = Fitting(here, dry_run)

    async def __aenter__(self) -> Fitting:
        return self._fitting

    async def __aexit__(self, *_: object) -> None:
        await self._fitting.close()


async def prepared(
    fitting: Fitting, here: Paths, model: Model, monkeypatch: pytest.MonkeyPatch, snapshot: Snapshot, **more: Any
) -> prepare_module.Prepared:
    monkeypatch.setattr(prepare_module, "look", lambda _: snapshot)
    options = {"wished": LoadSettings(), "settings": Settings(), **more}
    return await prepare(fitting, here, model, **options)


async def test_where_llama_cpp_has_no_gpu_and_there_is_room_it_is_asked_once(
    here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That no card is seen says nothing: a container may have CUDA without the library that lists cards."""
    for source in ("dry-run", "estimate"):
        spawned = CountingSpawn()
        async with Asking(here, DryRun(spawn=spawned)) as fitting:
            made = await prepared(fitting, here, tiny, monkeypatch, ROOMY, light=True)
        assert made.prediction is not None
        assert made.prediction.source == source
        assert spawned.n_started == (1 if source == "dry-run" else 0)
        assert (made.settings.n_ctx, made.settings.n_gpu_layers, made.said) == (4096, 0, ())


async def test_gpus_that_no_meter_sees_are_used(here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        async with Asking(here, DryRun(spawn=CountingSpawn("tests.rigs.gpus_for_children"))) as fitting:
            made = await prepared(fitting, here, tiny, monkeypatch, ROOMY, light=True)
        assert made.settings.n_gpu_layers == 3


async def test_where_llama_cpp_cannot_be_asked_the_cards_that_are_seen_count_and_it_is_said(
    here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = tuple(Gpu(n, f"GPU-{n}", "NVIDIA H100", "nvidia", 80 * GIB, 0, 80 * GIB) for n in range(2))
    snapshot = Snapshot(time=1.0, gpus=cards, ram=ROOMY.ram, cpu=ROOMY.cpu)
    async with Asking(here, DryRun(spawn=CountingSpawn("tests.rigs.without_llama_cpp"))) as fitting:
        made = await prepared(fitting, here, tiny, monkeypatch, snapshot, light=True)
    assert made.prediction is not None
    assert (made.prediction.source, made.settings.n_gpu_layers) == ("estimate", 3)
    assert made.prediction.reason.startswith("llama.cpp cannot be used: ")
    assert (made.settings.devices, made.settings.tensor_split) == ((), ())  # its names and order are not known
    assert made.said == ("Which GPUs this llama.cpp can use could not be asked; it is taken to use NVIDIA H100.",)


@pytest.mark.parametrize("light", [False, True])
async def test_where_it_is_tight_llama_cpp_is_asked(
    here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch, light: bool
) -> None:
    tight = Snapshot(time=1.0, ram=Ram(64 * GIB, GIB + (9 << 20)), cpu=Cpu(cores=2))
    async with Asking(here) as fitting:
        made = await prepared(fitting, here, tiny, monkeypatch, tight, light=light)
    assert made.prediction is not None
    assert made.assessment is not None
    assert (made.prediction.source, made.assessment.verdict) == ("dry-run", "ram")
    assert made.wished == LoadSettings()


async def test_a_card_that_llama_cpp_cannot_drive_takes_nothing(
    here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Gpu(0, "GPU-0", "NVIDIA H100", "nvidia", 80 * GIB, 0, 80 * GIB)
    snapshot = Snapshot(time=1.0, gpus=(card,), ram=ROOMY.ram, cpu=ROOMY.cpu)
    async with Asking(here) as fitting:
        made = await prepared(fitting, here, tiny, monkeypatch, snapshot)
    assert made.seen is not None
    assert (made.seen.machine.devices, made.seen.idle, made.settings.n_gpu_layers) == ((), (card,), 0)


async def test_a_refusal_is_left_to_the_load(here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    wished = LoadSettings(devices=("CUDA7",))
    async with Asking(here) as fitting:
        made = await prepared(fitting, here, tiny, monkeypatch, ROOMY, wished=wished)
    assert (made.prediction, made.settings.n_ctx, made.settings.n_gpu_layers) == (None, 8192, 0)
    assert made.settings.devices == ("CUDA7",)


async def test_a_header_that_ends_llama_cpp_is_planned_by_formula(
    here: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Asking(here) as fitting:
        made = await prepared(fitting, here, entry_for(killer(tmp_path, 4000)), monkeypatch, ROOMY)
    assert made.prediction is not None
    assert made.prediction.source == "estimate"
    assert "SIGABRT" in made.prediction.reason


async def test_a_header_that_cannot_be_read_leaves_usual_numbers(
    here: Paths, tiny: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny_model(tmp_path / "gone.gguf")
    model = entry_for(path)
    path.unlink()
    async with Asking(here) as fitting:
        made = await prepared(fitting, here, model, monkeypatch, ROOMY, wished=LoadSettings(n_gpu_layers="all"))
    blind = LoadSettings(n_gpu_layers="all", n_ctx=8192, mmproj="none")
    assert (made.subject, made.prediction, made.settings) == (None, None, blind)


async def test_a_draft_model_is_left_out_and_said(here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    wished = LoadSettings(draft_model="/models/small.gguf")
    fitting = Fitting(here)
    await fitting.close()
    made = await prepared(fitting, here, tiny, monkeypatch, ROOMY, wished=wished)
    assert (made.settings.draft_model, made.wished) == ("", wished)
    assert made.said == ("The draft model small.gguf is not used: this version answers without one.",)


async def test_less_context_than_the_persons_minimum_is_said(
    here: Paths, tiny: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(fit=FitSettings(min_n_ctx=4096, margin_host_mib=0))
    tight = Snapshot(time=1.0, ram=Ram(GIB, 5 << 20), cpu=Cpu(cores=2))
    async with Asking(here) as fitting:
        made = await prepared(fitting, here, tiny, monkeypatch, tight, settings=settings)
    assert isinstance(made.settings.n_ctx, int)
    assert made.settings.n_ctx < 4096
    assert any("not the 4096 asked for" in sentence for sentence in made.said), made.said
