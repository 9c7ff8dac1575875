"""A header, a machine and the person's wishes joined: plans, verdicts to the byte, fixes and what is said."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tests.rigs.lora_maker import tiny_lora
from tests.rigs.projector_maker import tiny_projector
from tui.config.paths import Paths, paths
from tui.config.settings import FitSettings, Settings
from tui.config.sizes import size
from tui.fit.plan import Plan
from tui.fit.speed import measurement
from tui.fit.values import DeviceSpec, Machine, Refused
from tui.hardware.snapshot import Cpu, Ram, Snapshot
from tui.library.single import entry_for
from tui.llama.settings import LoadSettings, LoraAdapter
from tui.models.fit_report import to_json
from tui.models.fit_words import explained, settings_words
from tui.models.fitting import Fitting, margins_of
from tui.models.lessons import keep_speed, speeds
from tui.models.prepare import may_move
from tui.models.subject import Subject, subject_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB, GIB = 1 << 20, 1 << 30
FIXED = LoadSettings(n_gpu_layers="all", n_ctx=2048)
SETTINGS = Settings()
MARGINS = margins_of(SETTINGS)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    folder = tmp_path_factory.mktemp("tiny")
    return subject_of(entry_for(tiny_model(folder / "tiny.gguf")), folder / "headers")


def machine(device: int | None = 24 * GIB, host: int = 64 * GIB) -> Machine:
    card = DeviceSpec(name="x", total_bytes=device or 0, free_bytes=device or 0, bandwidth_bytes_s=1e12)
    return Machine(
        devices=(card,) if device is not None else (),
        host_total_bytes=host,
        host_available_bytes=host,
        margins=MARGINS,
        cores=4,
    )


async def verdict(fitting: Fitting, subject: Subject, wished: LoadSettings, where: Machine) -> str:
    made = await fitting.plan(subject, wished, where, SETTINGS, may_move=may_move(wished))
    return made.assessment.verdict


async def test_what_a_device_must_have_free_to_the_byte(fitting: Fitting, demo: Subject) -> None:
    made = await fitting.plan(demo, FIXED, machine(), SETTINGS, may_move=may_move(FIXED))
    (device,) = made.assessment.devices
    assert made.prediction.source == "dry-run"
    assert device.need_bytes == made.prediction.devices[0].sum_bytes + machine().devices[0].overhead_bytes
    enough = device.need_bytes + MARGINS.device_bytes
    assert await verdict(fitting, demo, FIXED, machine(enough)) == "gpu"
    assert await verdict(fitting, demo, FIXED, machine(enough - 1)) == "no"


@pytest.mark.parametrize(("device", "layers", "fits"), [(None, 0, "ram"), (24 * GIB, 12, "partial")])
async def test_what_the_host_must_have_free_to_the_byte(
    fitting: Fitting, demo: Subject, device: int | None, layers: int, fits: str
) -> None:
    wished = msgspec.structs.replace(FIXED, n_gpu_layers=layers)
    made = await fitting.plan(demo, wished, machine(device), SETTINGS, may_move=may_move(wished))
    host = made.prediction.host.sum_bytes + made.prediction.output_bytes
    assert await verdict(fitting, demo, wished, machine(device, host + MARGINS.host_bytes)) == fits
    assert await verdict(fitting, demo, wished, machine(device, host + MARGINS.host_bytes - 1)) == "no"


async def test_margins_are_the_persons(fitting: Fitting) -> None:
    settings = Settings(fit=FitSettings(margin_device_mib=7, margin_host_mib=9))
    found = await fitting.seen(Snapshot(time=1.0, ram=Ram(8 * GIB, 4 * GIB)), settings)
    assert (found.machine.margins.device_bytes, found.machine.margins.host_bytes) == (7 * MIB, 9 * MIB)


async def test_what_is_given_stays_and_what_would_help_is_offered(fitting: Fitting, demo: Subject) -> None:
    wished = LoadSettings(n_gpu_layers="all", n_ctx=8192)
    where = machine(1310 * MIB)
    made = await fitting.plan(demo, wished, where, SETTINGS, may_move=may_move(wished))
    report = await fitting.report(demo, made, where, notes=("worth knowing",))
    assert (report.settings.type_k, report.prediction.n_ctx, report.assessment.verdict) == ("f16", 8192, "no")
    assert report.said[0].startswith("It does not fit")
    assert report.said[-1] == "worth knowing"
    assert "KV cache q8_0" in [fix.change for fix in report.fixes or ()]
    for fix in report.fixes or ():
        if fix.settings is not None:
            assert await verdict(fitting, demo, fix.settings, where) != "no"


async def test_a_smaller_context_than_asked_for_is_said(fitting: Fitting, demo: Subject) -> None:
    settings = Settings(fit=FitSettings(min_n_ctx=8192))
    where = machine(None, 1024 * MIB + 180 * MIB)
    made = await fitting.plan(demo, LoadSettings(), where, settings, may_move=frozenset())
    assert made.prediction.n_ctx < 8192
    assert any(f"{made.prediction.n_ctx} tokens, not the 8192 asked for" in sentence for sentence in made.said)


async def test_more_layers_than_there_are_is_all(fitting: Fitting, demo: Subject) -> None:
    wished = msgspec.structs.replace(FIXED, n_gpu_layers=999)
    made = await fitting.plan(demo, wished, machine(), SETTINGS, may_move=may_move(wished))
    assert (made.prediction.n_gpu_layers, made.settings.n_gpu_layers) == (31, 31)


async def test_by_formula_nobody_is_asked(home: Paths, demo: Subject) -> None:
    fitting = Fitting(home)
    made = await fitting.plan(demo, FIXED, machine(), SETTINGS, may_move=frozenset(), unasked=True)
    assert made.prediction.source == "estimate"
    assert fitting.dry_run.pid is None


async def test_where_llama_cpp_cannot_be_asked_it_is_an_estimate_with_the_reason(home: Paths, demo: Subject) -> None:
    fitting = Fitting(home)
    await fitting.close()
    made = await fitting.plan(demo, FIXED, machine(), SETTINGS, may_move=frozenset())
    assert (made.prediction.source, made.prediction.reason) == ("estimate", "the dry run is closed")


async def test_measurements_count_on_this_machine_alone(tmp_path: Path, demo: Subject) -> None:
    here = paths({"PUNA_HOME": str(tmp_path)})
    fitting, where = Fitting(here), machine()
    made = await fitting.plan(demo, FIXED, where, SETTINGS, may_move=frozenset(), unasked=True)
    facts = measurement(
        demo.shape,
        made.settings,
        made.prediction,
        where,
        model=demo.identity,
        kind="bench",
        time=1.0,
        n_past=512,
        decode_tok_s=123.0,
        prefill_tok_s=None,
    )
    keep_speed(here, facts)
    await fitting.seen(Snapshot(time=1.0), SETTINGS, without_gpus=True)
    known, there = (
        fitting.priced(demo, made.settings, where, made.prediction, here=counts).speed for counts in (True, False)
    )
    assert known is not None
    assert there is not None
    assert (known.source, there.source) == ("measured", "roofline")
    assert known.decode_tok_s[0] <= 123.0 <= known.decode_tok_s[1]


async def test_adapters_count_and_one_that_is_replaced_is_another(
    fitting: Fitting, tiny: Subject, tmp_path: Path
) -> None:
    lora = tiny_lora(tmp_path / "lora.gguf")
    plain = LoadSettings(n_gpu_layers=0, n_ctx=512)

    async def weights(settings: LoadSettings) -> int:
        made = await fitting.plan(tiny, settings, machine(None), SETTINGS, may_move=frozenset())
        return made.prediction.host.weights_bytes

    without, adapted = await weights(plain), msgspec.structs.replace(plain, lora=(LoraAdapter(str(lora)),))
    assert await weights(adapted) - without == 2 * 2 * 4 * 64 * 4
    tiny_lora(lora, rank=8)
    assert await weights(adapted) - without == 2 * 2 * 8 * 64 * 4


@pytest.mark.parametrize(
    ("setting", "file", "why"),
    [
        ("lora", "missing.gguf", "there is no such file"),
        ("draft_model", "missing.gguf", "there is no such file"),
        ("draft_model", "mmproj.gguf", "is a projector"),
        ("mmproj", "missing.gguf", "there is no such file"),
        ("mmproj", "tiny.gguf", r"is no projector but a model \(llama\)"),
    ],
)
async def test_a_file_that_is_not_what_its_setting_wants(
    fitting: Fitting, tiny: Subject, tmp_path: Path, setting: str, file: str, why: str
) -> None:
    tiny_projector(tmp_path / "mmproj.gguf")
    tiny_model(tmp_path / "tiny.gguf")
    named = str(tmp_path / file)
    value = (LoraAdapter(named),) if setting == "lora" else named
    wished = msgspec.structs.replace(FIXED, **{setting: value})
    with pytest.raises(Refused, match=rf"{setting}: .*{re.escape(file)}: {why}"):
        await fitting.plan(tiny, wished, machine(None), SETTINGS, may_move=frozenset())


async def test_the_projector_beside_a_model_counts_where_there_is_room(fitting: Fitting, tmp_path: Path) -> None:
    model = entry_for(tiny_model(tmp_path / "tiny.gguf"))
    bare = subject_of(model, tmp_path / "headers")
    file = tiny_projector(tmp_path / "mmproj-tiny.gguf")
    subject = subject_of(model, tmp_path / "headers")
    assert (bare.projector, subject.projector) == (None, file)

    async def made(subject: Subject, free: int, mmproj: str = "auto") -> Plan:
        wished = msgspec.structs.replace(FIXED, n_ctx=512, mmproj=mmproj)
        return await fitting.plan(subject, wished, machine(None, free), SETTINGS, may_move=frozenset())

    without, seeing = await made(bare, GIB << 4), await made(subject, GIB << 4)
    assert (without.settings.mmproj, seeing.settings.mmproj) == ("none", str(file))
    more = seeing.assessment.host.need_bytes - without.assessment.host.need_bytes
    assert more > file.stat().st_size * 0.9
    enough = seeing.assessment.host.need_bytes + MARGINS.host_bytes
    assert (await made(subject, enough)).settings.mmproj == str(file)
    tight = await made(subject, enough - 1)
    assert (tight.settings.mmproj, tight.assessment.verdict) == ("none", "ram")
    assert tight.said[-1] == f"{file.name} is left out, so that this load sees no images: there is no room for it."
    named = await made(subject, enough - 1, str(file))
    assert (named.settings.mmproj, named.assessment.verdict) == (str(file), "no")
    report = await fitting.report(subject, seeing, machine(None, GIB << 4))
    assert f"projector {file.name} ({size(more)})" in settings_words(report)
    assert any(f"projector {file.name}" in line for line in explained(report))
    assert to_json(report)["settings"]["mmproj"] == str(file)


async def test_a_projector_that_cannot_be_used_is_left_out_with_the_reason(fitting: Fitting, tmp_path: Path) -> None:
    model = entry_for(tiny_model(tmp_path / "tiny.gguf"))
    file, keys = tmp_path / "mmproj.gguf", {"clip.has_vision_encoder": True}
    for tensors, why in (
        ({"v.patch_embd.weight": (64, 8)}, "llama.cpp cannot load"),
        ({"v.patch_embd.weight": (96, 8)}, "belongs to another model, as nothing in it is 64 wide"),
    ):
        plain_gguf(file, keys, architecture="clip", tensors=tensors)
        subject = subject_of(model, tmp_path / "headers")
        made = await fitting.plan(subject, FIXED, machine(None), SETTINGS, may_move=frozenset())
        assert (made.settings.mmproj, made.prediction.source) == ("none", "dry-run")
        assert made.said[-1].startswith(f"mmproj.gguf is left out, so that this load sees no images: {why}")


async def test_a_device_that_is_not_there_is_refused_by_name(fitting: Fitting, demo: Subject) -> None:
    wished = msgspec.structs.replace(FIXED, devices=("CUDA7",))
    with pytest.raises(Refused, match="CUDA7"):
        await fitting.plan(demo, wished, machine(), SETTINGS, may_move=may_move(wished))


async def test_what_is_known_of_memorys_speed_is_not_measured_again(tmp_path: Path) -> None:
    here = paths({"PUNA_HOME": str(tmp_path)})
    speeds(here).keep_bandwidth(ram_bytes_s=3e10)
    fitting = Fitting(here)
    assert not await fitting.measure_memory(machine(None))
    snapshot = Snapshot(time=1.0, ram=Ram(8 * GIB, 4 * GIB), cpu=Cpu(cores=2))
    found = await fitting.seen(snapshot, SETTINGS, without_gpus=True)
    assert (found.machine.host_bandwidth_bytes_s, found.machine.host_bandwidth_origin) == (3e10, "measured")
    assert fitting.dry_run.pid is None
