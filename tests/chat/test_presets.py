"""Preset files: the shipped ones, a person's own, and broken ones told with their line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tui.chat.presets import SHIPPED, read_preset, read_presets
from tui.chat.store import Store
from tui.chat.values import PresetChoice
from tui.config.errors import ConfigError
from tui.llama.settings import SamplingSettings


def test_four_are_shipped_and_can_be_used() -> None:
    presets, problems = read_presets(None)
    assert problems == ()
    assert [one.name for one in presets] == ["chat", "writing", "code", "reasoning"]
    for one in presets:
        assert one.about
        assert one.system
        SamplingSettings(**one.sampling)


def test_a_person_s_own_hides_a_shipped_one_and_follows_them(tmp_path: Path) -> None:
    (tmp_path / "code.toml").write_text('[preset]\nsystem = "Mine."\n')
    (tmp_path / "zen.toml").write_text("[sampling]\ntemperature = 0\n")
    (tmp_path / "notes.txt").write_text("no preset")
    presets, problems = read_presets(tmp_path)
    assert problems == ()
    assert [one.name for one in presets] == ["chat", "writing", "code", "reasoning", "zen"]
    assert (presets[2].system, presets[2].sampling) == ("Mine.", {})
    assert presets[4].choice == PresetChoice("zen", {"temperature": 0.0})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[sampling]\ntop_k = 4\ntemperatura = 1\n",
            ("line 3", "sampling.temperatura", "did you mean sampling.temperature"),
        ),
        ('[sampling]\ntemperature = "warm"\n', ("line 2", "expects a number", '"warm"')),
        ("[sampling]\n\ntemperature = 40\n", ("line 3", "sampling.temperature", "0 is greedy")),
        ("[preset]\nsystem = Be brief.\n", ("line 2", "not valid TOML")),
        ("[presets]\n", ("line 1", "did you mean preset")),
        ("preset = 3\n", ("line 1", "expects a table")),
    ],
)
def test_a_broken_one_is_told_with_its_line_and_left_out(tmp_path: Path, text: str, told: tuple[str, ...]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_preset(file)
    for words in (str(file), *told):
        assert words in str(caught.value)
    presets, problems = read_presets(tmp_path)
    assert [one.name for one in presets] == ["chat", "writing", "code", "reasoning"]
    assert [str(problem) for problem in problems] == [str(caught.value)]


def test_what_is_no_text_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "b.toml").mkdir()
    _, problems = read_presets(tmp_path)
    assert ["not UTF-8" in str(problems[0]), "folder" in str(problems[1])] == [True, True]


def test_a_conversation_keeps_its_preset(open_store: Callable[[], Store]) -> None:
    store = open_store()
    one = store.create_conversation()
    choice = PresetChoice("code", {"temperature": 0.2, "top_k": 40})
    assert store.set_preset(one.id, choice).preset == choice
    store.close()
    again = open_store()
    assert again.conversation(one.id).preset == choice
    assert again.set_preset(one.id, None).preset is None


def test_shipped_files_lie_in_the_package() -> None:
    assert (SHIPPED / "chat.toml").is_file()
