"""Whose word counts when a model is loaded."""

from __future__ import annotations

import pytest

from tui.llama.settings import LoadSettings, SettingsError
from tui.models.wishes import sampling, wished_settings


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


def test_sampling_by_flag_over_default() -> None:
    made = sampling({"temperature": 0.0, "seed": None}, {"temperature": 0.7, "top_k": 5})
    assert (made.temperature, made.top_k, made.seed) == (0.0, 5, None)
    with pytest.raises(SettingsError, match="temperature"):
        sampling({"temperature": -1.0}, {})
