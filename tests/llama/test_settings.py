"""Everything that would kill or stall native code and can be given as a setting is refused here, in a sentence that
names the setting.
"""

from __future__ import annotations

import ast
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.llama import settings
from tui.llama.settings import (
    KV_TYPES,
    MAX_N_CTX,
    UNQUANTIZED_KV,
    LoadSettings,
    LoraAdapter,
    SamplingSettings,
    SettingsError,
)

BAD_LOAD: list[tuple[str, Any, str]] = [
    ("type_k", "iq2_xxs", "q8_0"),
    ("type_v", "IQ2_XXS", "q8_0"),
    ("type_k", 99, "q8_0"),
    ("type_k", "F16", "f16"),
    ("type_k", "", "f16"),
    ("type_v", "q4_k", "q4_0"),
    ("n_batch", 0, "2048"),
    ("n_batch", -1, "2048"),
    ("n_batch", 1 << 31, "2048"),
    ("n_ubatch", 0, "512"),
    ("n_ubatch", 4096, "n_batch"),
    ("n_gpu_layers", -1, "RAM"),
    ("n_gpu_layers", 1 << 31, "RAM"),
    ("n_gpu_layers", "some", "all"),
    ("n_gpu_layers", 1.5, "whole"),
    ("n_gpu_layers", True, "whole"),
    ("n_gpu_layers", None, "whole"),
    ("n_ctx", 0, "auto"),
    ("n_ctx", -512, "auto"),
    ("n_ctx", 1 << 31, "auto"),
    ("n_ctx", 1 << 24, "auto"),
    ("n_ctx", 4096.0, "whole"),
    ("n_ctx", "big", "auto"),
    ("n_ctx", "4096", "auto"),
    ("n_ctx", math.inf, "whole"),
    ("panes", 0, "together"),
    ("panes", 1000, "together"),
    ("threads", 0, "auto"),
    ("threads", -2, "auto"),
    ("threads", 100_000, "auto"),
    ("threads", "many", "auto"),
    ("flash_attn", "maybe", "auto"),
    ("flash_attn", True, "auto"),
    ("split_mode", "column", "layer"),
    ("load_mode", "direct", "mmap"),
    ("devices", ("CUDA0", "CUDA0"), "twice"),
    ("devices", ("",), "puna doctor"),
    ("devices", ("CUDA0", "none"), "cannot be named with others"),
    ("main_device", -1, "index"),
    ("tensor_split", (math.nan, 1.0), "shares"),
    ("tensor_split", (math.inf, 1.0), "shares"),
    ("tensor_split", (-1.0, 2.0), "shares"),
    ("tensor_split", (0.0, 0.0), "share"),
    ("n_cpu_moe", -1, "experts"),
    ("n_cpu_moe", 1 << 20, "experts"),
    ("rope_scaling", "more", "yarn"),
    ("rope_freq_base", -1.0, "file"),
    ("rope_freq_base", math.nan, "file"),
    ("rope_freq_scale", math.inf, "file"),
    ("rope_freq_scale", "half", "number"),
    ("yarn_ext_factor", 5.0, "file"),
    ("yarn_orig_ctx", -1, "file"),
    ("lora", (LoraAdapter(""),), "path"),
    ("mmproj", " ", "projector"),
    ("lora", (LoraAdapter("a.gguf", math.nan),), "scale"),
    ("lora", (LoraAdapter("a.gguf", -1.0),), "scale"),
    ("lora", (LoraAdapter("a.gguf", 1e9),), "scale"),
]

BAD_SAMPLING: list[tuple[str, Any]] = [
    ("temperature", math.nan),
    ("temperature", -0.1),
    ("temperature", "hot"),
    ("top_k", -1),
    ("top_k", 1 << 31),
    ("top_k", 1.5),
    ("top_p", 1.1),
    ("top_p", math.nan),
    ("min_p", -0.5),
    ("repeat_penalty", 0.0),
    ("repeat_penalty", math.inf),
    ("repeat_last_n", -2),
    ("repeat_last_n", 1 << 31),
    ("presence_penalty", math.nan),
    ("frequency_penalty", 1e9),
    ("dry_multiplier", -1.0),
    ("dry_base", 0.5),
    ("dry_allowed_length", -1),
    ("dry_penalty_last_n", -7),
    ("xtc_probability", 2.0),
    ("xtc_threshold", math.nan),
    ("seed", -1),
    ("seed", 1 << 32),
    ("seed", 1.0),
]


@pytest.mark.parametrize(("setting", "value", "advice"), BAD_LOAD)
def test_a_load_setting_that_llama_cpp_cannot_take(setting: str, value: Any, advice: str) -> None:
    with pytest.raises(SettingsError) as caught:
        LoadSettings(**{setting: value})
    assert caught.value.setting == setting
    assert str(caught.value).startswith(f"{setting}: ")
    assert advice in str(caught.value)
    assert len(str(caught.value).split()) >= 4, "a sentence, not a code"


@pytest.mark.parametrize(("setting", "value"), BAD_SAMPLING)
def test_a_sampling_setting_out_of_bounds(setting: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        SamplingSettings(**{setting: value})
    assert caught.value.setting == setting


def test_settings_that_are_wrong_together() -> None:
    with pytest.raises(SettingsError, match="flash_attn") as caught:
        LoadSettings(type_v="q8_0", flash_attn="off")
    assert caught.value.setting == "type_v"
    LoadSettings(type_k="q8_0", flash_attn="off")  # keys do not need it
    with pytest.raises(SettingsError, match="lower it or raise n_batch"):
        LoadSettings(n_batch=256)
    with pytest.raises(SettingsError, match="3 shares for 2 devices"):
        LoadSettings(devices=("CUDA0", "CUDA1"), tensor_split=(1, 1, 1))


@pytest.mark.parametrize(("setting", "value", "advice"), BAD_LOAD)
def test_no_bad_setting_comes_in_through_a_file_or_a_socket(setting: str, value: Any, advice: str) -> None:
    try:
        body = msgspec.msgpack.encode({setting: value})
    except TypeError:
        pytest.skip("cannot be written")
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(body, type=LoadSettings)


@pytest.mark.parametrize("document", [b'{"n_ctxx": 5}', b'{"n_ctx": null}', b'{"devices": "CUDA0"}', b"[]", b"7"])
def test_an_unknown_or_misshapen_document_is_refused(document: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(document, type=LoadSettings)


fractions = st.floats(0, 1, width=32)
load_settings = st.builds(
    LoadSettings,
    n_gpu_layers=st.sampled_from(["auto", "all"]) | st.integers(0, 200),
    n_ctx=st.just("auto") | st.integers(1, MAX_N_CTX),
    n_batch=st.integers(512, 4096),
    n_ubatch=st.integers(1, 512),
    type_k=st.sampled_from(KV_TYPES),
    type_v=st.sampled_from(sorted(UNQUANTIZED_KV)),
    flash_attn=st.sampled_from(["auto", "on", "off"]),
    swa_full=st.booleans(),
    panes=st.integers(1, 4),
    threads=st.just("auto") | st.integers(1, 64),
    devices=st.lists(st.sampled_from(["CUDA0", "CUDA1", "Vulkan0"]), unique=True).map(tuple),
    load_mode=st.sampled_from(["none", "mmap"]),
    mlock=st.booleans(),
    rope_scaling=st.sampled_from(["model", "none", "linear", "yarn", "longrope"]),
    rope_freq_base=st.floats(0, 1e6),
    yarn_ext_factor=st.floats(-1, 1),
    lora=st.lists(st.builds(LoraAdapter, path=st.text(min_size=1), scale=st.floats(0, 2))).map(tuple),
    chat_template=st.text(),
)
sampling_settings = st.builds(
    SamplingSettings,
    temperature=st.floats(0, 2),
    top_k=st.integers(0, 1000),
    top_p=fractions,
    min_p=fractions,
    repeat_last_n=st.integers(-1, 5000),
    dry_base=st.floats(1, 4),
    seed=st.none() | st.integers(0, 0xFFFFFFFF),
)


@given(load_settings, sampling_settings)
def test_settings_come_back_as_they_went(load: LoadSettings, sampling: SamplingSettings) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(load), type=LoadSettings) == load
    assert msgspec.json.decode(msgspec.json.encode(load), type=LoadSettings) == load
    assert msgspec.convert(msgspec.to_builtins(load), LoadSettings) == load
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sampling), type=SamplingSettings) == sampling


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert msgspec.to_builtins(LoadSettings()) == {}
    assert msgspec.to_builtins(LoadSettings(n_ctx=8192)) == {"n_ctx": 8192}


def test_every_setting_is_described() -> None:
    classes = {node.name: node for node in ast.parse(Path(settings.__file__).read_text()).body if _is_class(node)}
    for struct in (LoadSettings, SamplingSettings, LoraAdapter):
        body = classes[struct.__name__].body
        fields = [index for index, line in enumerate(body) if isinstance(line, ast.AnnAssign)]
        assert len(fields) == len(msgspec.structs.fields(struct))
        for index in fields:
            following = body[index + 1]
            assert isinstance(following, ast.Expr), ast.unparse(body[index])
            assert isinstance(following.value, ast.Constant), ast.unparse(body[index])


def _is_class(node: ast.stmt) -> TypeGuard[ast.ClassDef]:
    return isinstance(node, ast.ClassDef)


def test_the_modules_that_a_front_end_imports_stay_free_of_native_code() -> None:
    names = ("settings", "receipt", "errors")
    imports = "; ".join(f"import tui.llama.{name}" for name in names)
    code = f"{imports}; import tui.engine.client, sys; print('llama_cpp' in sys.modules, 'numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
