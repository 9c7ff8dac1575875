"""The example file says what the structs say, every word of it, and means exactly the defaults."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from tui.config import example as example_module
from tui.config.document import Document
from tui.config.example import example, to_toml
from tui.config.fields import describe, sections_of
from tui.config.paths import Paths, share
from tui.config.reading import read_struct
from tui.config.settings import Settings, load_config


def test_the_committed_file_is_the_generated_one() -> None:
    committed = share("config.example.toml").read_text(encoding="utf-8")
    assert committed == example(), "run `python -m tui.config.example`"


def test_it_means_exactly_the_defaults() -> None:
    table = tomllib.loads(example())
    settings, problems = read_struct(Settings, Document(Path("config.example.toml"), example(), table))
    assert problems == ()
    assert settings == Settings()
    assert repr(settings) == repr(Settings()), "not even 1 for 1.0"


def test_every_key_is_there_in_order_below_a_comment_of_its_own() -> None:
    lines = example().split("\n")
    table = tomllib.loads(example())
    assert list(table) == list(sections_of(Settings))
    for name, section in sections_of(Settings).items():
        header = lines.index(f"[{name}]")
        assert lines[header - 1].startswith("# ")
        assert list(table[name]) == list(section.fields)
        for field in section.fields.values():
            place = next(i for i in range(header, len(lines)) if lines[i].startswith(f"{field.name} ="))
            assert lines[place - 1].startswith("# "), field.key
    assert max(map(len, lines)) <= 100


def test_types_that_a_default_does_not_show_are_told() -> None:
    text = example()
    assert '# Takes "auto", "all" or a whole number.\nn_gpu_layers = "auto"' in text
    assert "# Takes a whole number from 1 to 60.\nrefresh = 25" in text
    assert '# Takes "auto", "on" or "off".\nflash_attn = "auto"' in text


def test_every_type_has_words_and_no_other_type_is_accepted() -> None:
    for section in sections_of(Settings).values():
        for field in section.fields.values():
            assert describe(field.annotation)
    with pytest.raises(TypeError, match="settings cannot hold"):
        describe(bytes)


def test_settings_written_out_are_read_back_the_same(home: Paths) -> None:
    settings = msgspec.convert(
        {"ui": {"theme": 'a"b\\c\n'}, "load": {"n_ctx": 5, "devices": ["x", "y"]}, "keys": {"a.b": "é", "": "q"}},
        Settings,
    )
    home.config.mkdir(parents=True)
    home.config_file.write_text(to_toml(settings), encoding="utf-8")
    again = load_config(home)
    assert again.settings == msgspec.structs.replace(settings, keys={"a.b": "é"})
    assert [problem.key for problem in again.problems] == ['keys.""']


def test_the_module_writes_the_file(tmp_path: Path) -> None:
    """In a copy of the package, so that the checkout's own file is left alone."""
    package = Path(example_module.__file__).parent
    copy = tmp_path / "tui/config"
    copy.mkdir(parents=True)
    (tmp_path / "tui/__init__.py").touch()
    for source in package.glob("*.py"):
        (copy / source.name).write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "tui.config.example"]
    subprocess.run(command, cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (tmp_path / "config.example.toml").read_text(encoding="utf-8") == example()
    (tmp_path / "config.example.toml").unlink()
    (tmp_path / "config.example.toml").mkdir()
    refused = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "A folder is in the way" in refused.stderr
