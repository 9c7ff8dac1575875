"""`models.toml`: merged, never half, never written over when broken."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.patience import patient
from tui.config.errors import ConfigError
from tui.config.model_file import read_models, update_model
from tui.config.paths import Paths, paths

MODEL = "unsloth/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q4_K_M.gguf"


def test_nothing_is_known_of_any_model_at_first(home: Paths) -> None:
    assert read_models(home) == ({}, ())
    assert not home.config.exists()


def test_keys_are_set_changed_and_deleted_and_others_stay(home: Paths) -> None:
    update_model(home, MODEL, {"n_ctx": 8192, "n_gpu_layers": "all", "proven": {"tok_s": 61.5, "devices": ["CUDA0"]}})
    update_model(home, "local.gguf:98123456", {"n_ctx": "auto", "tensor_split": (3.0, 1.0)})
    update_model(home, MODEL, {"n_ctx": 4096, "n_gpu_layers": None, "never_there": None})
    models, problems = read_models(home)
    assert problems == ()
    assert models == {
        MODEL: {"n_ctx": 4096, "proven": {"tok_s": 61.5, "devices": ["CUDA0"]}},
        "local.gguf:98123456": {"n_ctx": "auto", "tensor_split": [3.0, 1.0]},
    }
    assert home.models_file.read_text().startswith("# Settings of each model, written by puna.")


def test_a_model_of_which_nothing_is_left_to_say_is_dropped(home: Paths) -> None:
    update_model(home, MODEL, {"n_ctx": 4096})
    update_model(home, MODEL, {"n_ctx": None})
    assert read_models(home) == ({}, ())
    update_model(home, MODEL, {"n_ctx": None})
    assert read_models(home) == ({}, ())


def test_what_is_there_already_is_not_written_again(home: Paths) -> None:
    update_model(home, MODEL, {"n_ctx": 4096})
    before = home.models_file.stat().st_ino
    update_model(home, MODEL, {"n_ctx": 4096, "threads": None})
    update_model(home, "unknown", {"threads": None})
    assert home.models_file.stat().st_ino == before
    assert list(read_models(home)[0]) == [MODEL]


@pytest.mark.parametrize("broken", ["[a]\nn_ctx = \n", b"\xff", "[a]\n[a]\n"])
def test_a_broken_file_is_told_and_never_written_over(home: Paths, broken: str | bytes) -> None:
    content = broken if isinstance(broken, bytes) else broken.encode()
    home.config.mkdir(parents=True)
    home.models_file.write_bytes(content)
    models, problems = read_models(home)
    assert models == {}
    assert problems[0].file == home.models_file
    assert problems[0].line in (1, 2)
    with pytest.raises(ConfigError) as caught:
        update_model(home, MODEL, {"n_ctx": 1})
    assert str(caught.value) == str(problems[0])
    assert home.models_file.read_bytes() == content


def test_a_value_where_a_models_table_belongs_is_told_and_kept(home: Paths) -> None:
    home.config.mkdir(parents=True)
    home.models_file.write_text('version = 1\n"a.gguf" = "no table"\n["b.gguf"]\nn_ctx = 1\n')
    models, problems = read_models(home)
    assert models == {"b.gguf": {"n_ctx": 1}}
    assert [(problem.line, problem.key) for problem in problems] == [(1, "version"), (2, "a.gguf")]
    with pytest.raises(ConfigError, match="expects a table of settings"):
        update_model(home, "a.gguf", {"n_ctx": 1})
    update_model(home, "b.gguf", {"n_ctx": 2})
    assert tomllib.loads(home.models_file.read_text()) == {
        "version": 1,
        "a.gguf": "no table",
        "b.gguf": {"n_ctx": 2},
    }


@pytest.mark.parametrize(
    ("identity", "changes"),
    [
        (MODEL, {"n_ctx": object()}),
        (MODEL, {"n_ctx": [None]}),
        (MODEL, {"proven": {1: 2}}),
        (MODEL, {"lora": "na\udcefve.gguf"}),
        ("na\udcefve.gguf:123", {"n_ctx": 1}),
    ],
)
def test_what_toml_cannot_hold_is_refused_and_nothing_is_lost(
    home: Paths, identity: str, changes: dict[str, Any]
) -> None:
    update_model(home, MODEL, {"n_ctx": 4096})
    before = home.models_file.read_bytes()
    with pytest.raises(ConfigError, match="cannot be written down") as caught:
        update_model(home, identity, changes)
    assert caught.value.key == identity
    assert home.models_file.read_bytes() == before
    assert sorted(entry.name for entry in home.config.iterdir()) == ["models.toml", "models.toml.lock"]


PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@patient
@given(
    st.lists(
        st.tuples(st.sampled_from([MODEL, "ü:1", '"', ""]), st.dictionaries(st.text(), st.none() | PLAIN)), max_size=4
    )
)
def test_any_changes_add_up_like_in_a_dict(
    tmp_path_factory: pytest.TempPathFactory, updates: list[tuple[str, dict[str, Any]]]
) -> None:
    home = paths({"PUNA_HOME": str(tmp_path_factory.mktemp("models"))})
    expected: dict[str, dict[str, Any]] = {}
    for identity, changes in updates:
        update_model(home, identity, changes)
        merged = {key: value for key, value in {**expected.get(identity, {}), **changes}.items() if value is not None}
        expected = {**expected, identity: merged}
    assert read_models(home) == ({name: table for name, table in expected.items() if table}, ())
