"""Settings as the C structs that native code gets, read back in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any

import msgspec
import pytest

from tests.rigs.show_params import THREADS
from tui.llama.settings import KV_TYPES, KVType, LoadSettings

RESOLVED = LoadSettings(n_ctx=1000, n_gpu_layers=0)
PLAIN_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20, "bf16": 30}
"""ggml_type (ggml.h)"""


def changed(**changes: Any) -> LoadSettings:
    return msgspec.structs.replace(RESOLVED, **changes)


CASES: dict[str, LoadSettings] = {
    "plain": RESOLVED,
    "all": changed(n_gpu_layers="all"),
    "some": changed(n_gpu_layers=17),
    "panes": changed(panes=3, n_ctx=300),
    "batches": changed(n_batch=100, n_ubatch=50),
    "mmap": changed(load_mode="mmap"),
    "mlock": changed(mlock=True),
    "mmap and mlock": changed(load_mode="mmap", mlock=True),
    "rope": changed(
        rope_scaling="yarn", rope_freq_base=5e5, rope_freq_scale=0.25, yarn_ext_factor=0.5, yarn_orig_ctx=4096
    ),
    "linear": changed(rope_scaling="linear"),
    "longrope": changed(rope_scaling="longrope"),
    "no rope": changed(rope_scaling="none"),
    "swa_full": changed(swa_full=True),
    "split": changed(tensor_split=(3.0, 1.0), split_mode="row", main_device=0),
    "split none": changed(split_mode="none"),
    "experts": changed(n_cpu_moe=2),
    "a device": changed(devices=("CUDA7",)),
    "auto layers": LoadSettings(n_ctx=512),
    "auto context": LoadSettings(n_gpu_layers=0),
    **{f"flash {mode}": changed(flash_attn=mode) for mode in ("auto", "on", "off")},
    **{f"kv {kind}": changed(type_k=kind, type_v=kind) for kind in KV_TYPES},
}


@cache
def shown() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What the build is, and each case as it was translated."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rigs.show_params"],
        input=json.dumps([msgspec.to_builtins(settings) for settings in CASES.values()]),
        capture_output=True,
        text=True,
        check=True,
    )
    build, *lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return build, dict(zip(CASES, lines, strict=True))


def model(case: str) -> dict[str, Any]:
    params: dict[str, Any] = shown()[1][case]["model"]
    return params


def context(case: str) -> dict[str, Any]:
    params: dict[str, Any] = shown()[1][case]["context"]
    return params


def test_what_is_not_a_setting() -> None:
    build = shown()[0]
    params = context("plain")
    assert params["n_outputs_max"] == 1  # llama.cpp's default costs hundreds of megabytes and buys nothing here
    assert params["n_seq_max"] == 1
    assert params["swa_full"] is False
    assert params["kv_unified"] is True
    assert params["n_threads"] == params["n_threads_batch"] == THREADS
    assert params["embeddings"] is False
    assert params["offload_kqv"] is True
    assert model("plain")["no_alloc"] is False
    assert model("plain")["vocab_only"] is False
    assert model("plain")["use_extra_bufts"] is not build["amx"]
    assert model("plain")["overrides"] == []
    assert model("plain")["tensor_split"] is None


def test_layers() -> None:
    assert model("plain")["n_gpu_layers"] == 0
    assert model("some")["n_gpu_layers"] == 17
    assert model("all")["n_gpu_layers"] == 0x7FFFFFFF


def test_the_context_is_padded_and_one_for_each_pane() -> None:
    assert context("plain")["n_ctx"] == 1024
    panes = context("panes")
    assert panes["n_ctx"] == 3 * 512
    assert panes["n_seq_max"] == panes["n_outputs_max"] == 3


def test_batches() -> None:
    assert (context("plain")["n_batch"], context("plain")["n_ubatch"]) == (2048, 512)
    assert (context("batches")["n_batch"], context("batches")["n_ubatch"]) == (100, 50)


@pytest.mark.parametrize("kind", KV_TYPES)
def test_kv_types(kind: KVType) -> None:
    assert context(f"kv {kind}")["type_k"] == context(f"kv {kind}")["type_v"] == PLAIN_TYPES[kind]


def test_flash_attention() -> None:
    assert [context(f"flash {mode}")["flash_attn_type"] for mode in ("auto", "off", "on")] == [-1, 0, 1]


def test_the_file_is_read_or_mapped_and_pinned_or_not() -> None:
    modes = [model(case)["load_mode"] for case in ("plain", "mmap", "mlock", "mmap and mlock")]
    assert modes == [0, 1, 2, 3]


def test_rope() -> None:
    plain, rope = context("plain"), context("rope")
    assert (plain["rope_scaling_type"], plain["rope_freq_base"], plain["rope_freq_scale"]) == (-1, 0.0, 0.0)
    assert (plain["yarn_ext_factor"], plain["yarn_orig_ctx"]) == (-1.0, 0)
    assert (rope["rope_scaling_type"], rope["rope_freq_base"], rope["rope_freq_scale"]) == (2, 5e5, 0.25)
    assert (rope["yarn_ext_factor"], rope["yarn_orig_ctx"]) == (0.5, 4096)
    types = [context(case)["rope_scaling_type"] for case in ("no rope", "linear", "longrope")]
    assert types == [0, 1, 3]


def test_a_full_cache_for_sliding_windows() -> None:
    assert context("swa_full")["swa_full"] is True


def test_shares_of_devices_fill_llama_cpps_whole_array() -> None:
    split = model("split")
    assert split["tensor_split"] == [3.0, 1.0, *[0.0] * (shown()[0]["max_devices"] - 2)]
    assert split["split_mode"] == 2
    assert model("plain")["split_mode"] == 1
    assert model("split none")["split_mode"] == 0


def test_experts_of_the_first_layers_stay_on_the_host() -> None:
    patterns = [(rf"blk\.{layer}\.ffn_(up|down|gate|gate_up)_(ch|)exps", "CPU") for layer in range(2)]
    assert model("experts")["overrides"] == [list(pattern) for pattern in patterns]


def test_what_is_still_auto_is_refused_by_name() -> None:
    assert shown()[1]["auto layers"]["setting"] == "n_gpu_layers"
    assert shown()[1]["auto context"]["setting"] == "n_ctx"


def test_a_device_that_is_not_there_is_refused_with_what_is() -> None:
    build, cases = shown()
    assert cases["a device"]["setting"] == "devices"
    assert "CUDA7" in cases["a device"]["error"]
    if not build["devices"]:
        assert "built for the CPU" in cases["a device"]["error"]


def test_a_build_for_the_cpu_lists_no_device() -> None:
    build = shown()[0]
    if build["devices"]:
        pytest.skip("this llama.cpp was built for a GPU")
    assert build["devices"] == []
