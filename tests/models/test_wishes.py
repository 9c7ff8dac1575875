"""How a load is planned: whose word counts, and what "auto" becomes on machines that are made of plain values."""

from __future__ import annotations

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.fit.values import Margins
from tui.gguf.header import Header, read_header
from tui.hardware.snapshot import Gpu, Ram, Snapshot
from tui.llama.settings import LoadSettings, SettingsError
from tui.models.plan import AUTO_N_CTX, LEAST_N_CTX, ModelFacts, resolve, sampling, wished_settings

GIB = 1 << 30
PLENTY = Ram(total_bytes=64 * GIB, available_bytes=60 * GIB)
NO_GPU = Snapshot(0.0, ram=PLENTY)


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> Header:
    return read_header(tiny_model(tmp_path_factory.mktemp("plan") / "m.gguf", n_ctx_train=2048, n_layer=3))


def _with_ram(available_bytes: int) -> Snapshot:
    return Snapshot(0.0, ram=Ram(total_bytes=64 * GIB, available_bytes=available_bytes))


def _machine(*free_bytes: int | None) -> Snapshot:
    gpus = (
        Gpu(index=index, uuid=f"GPU-{index}", name="card", vendor="nvidia", free_bytes=free)
        for index, free in enumerate(free_bytes)
    )
    return Snapshot(0.0, gpus=tuple(gpus), ram=PLENTY)


def test_a_flag_wins_over_what_is_kept_and_that_over_the_defaults() -> None:
    defaults = {"n_ctx": 1024, "type_k": "q8_0", "threads": 3}
    wished = wished_settings({"n_ctx": 256, "n_gpu_layers": None}, {"n_ctx": 512, "type_k": "f16"}, defaults)
    assert wished == LoadSettings(n_ctx=256, type_k="f16", threads=3)


def test_what_is_kept_besides_settings_is_left_alone() -> None:
    kept = {"n_ctx": 512, "proven": {"device": "CUDA0"}, "sampling": "writing"}
    assert wished_settings({}, kept, {}) == LoadSettings(n_ctx=512)


@pytest.mark.parametrize(
    ("kept", "setting"), [({"n_ctx": "many"}, "n_ctx"), ({"type_k": "iq2_xxs"}, "type_k"), ({"n_ctx": -1}, "n_ctx")]
)
def test_a_value_that_cannot_be_is_refused_by_name(kept: dict[str, object], setting: str) -> None:
    with pytest.raises(SettingsError) as caught:
        wished_settings({}, kept, {})
    assert caught.value.setting == setting


def test_auto_context_is_what_the_model_was_trained_for_up_to_a_limit(header: Header) -> None:
    assert resolve(LoadSettings(), ModelFacts(1, header), NO_GPU).n_ctx == 2048
    assert resolve(LoadSettings(), ModelFacts(1, None), NO_GPU).n_ctx == AUTO_N_CTX
    assert resolve(LoadSettings(n_ctx=99), ModelFacts(1, header), NO_GPU).n_ctx == 99


def test_auto_context_shrinks_until_it_fits_and_no_further_than_makes_sense(header: Header) -> None:
    # 3 layers, 64 wide, all heads with keys and values of their own in f16: 768 bytes a token at most
    facts = ModelFacts(GIB, header)
    full = resolve(LoadSettings(), facts, _with_ram(3 * GIB)).n_ctx
    tight = resolve(LoadSettings(), facts, _with_ram(2 * GIB + (1 << 20))).n_ctx
    none = resolve(LoadSettings(), facts, _with_ram(GIB)).n_ctx
    assert (full, none) == (2048, LEAST_N_CTX)
    assert isinstance(tight, int)
    assert LEAST_N_CTX < tight <= 2048


def test_the_margins_are_left_free(header: Header) -> None:
    facts = ModelFacts(4 * GIB, header)
    machine = _machine(5 * GIB)
    assert resolve(LoadSettings(), facts, machine, Margins(device_bytes=512 << 20)).n_gpu_layers == "all"
    assert resolve(LoadSettings(), facts, machine, Margins(device_bytes=GIB)).n_gpu_layers == 3


@pytest.mark.parametrize(
    ("free", "layers"),
    [((), 0), ((None,), 0), ((GIB // 2,), 0), ((6 * GIB,), "all"), ((3 * GIB, 3 * GIB), "all"), ((3 * GIB,), 2)],
)
def test_auto_layers_follow_what_is_free(header: Header, free: tuple[int | None, ...], layers: int | str) -> None:
    facts = ModelFacts(4 * GIB, header)  # 3 layers and the output
    assert resolve(LoadSettings(), facts, _machine(*free)).n_gpu_layers == layers


def test_a_resolved_plan_has_numbers(header: Header) -> None:
    assert not LoadSettings().is_resolved
    assert resolve(LoadSettings(n_gpu_layers=2), ModelFacts(1, header), NO_GPU).is_resolved


def test_sampling_by_flag_over_default() -> None:
    made = sampling({"temperature": 0.0, "seed": None}, {"temperature": 0.7, "top_k": 5})
    assert (made.temperature, made.top_k, made.seed) == (0.0, 5, None)
    with pytest.raises(SettingsError, match="temperature"):
        sampling({"temperature": -1.0}, {})
