"""Changing one value: the file keeps every comment and its order, and whatever cannot be done leaves it as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.config.errors import ConfigError, ConfigUsageError
from tui.config.example import example
from tui.config.paths import Paths
from tui.config.settings import Settings, load_config, set_value

Write = Callable[[str | bytes], Path]


def test_the_first_change_makes_the_file(home: Paths) -> None:
    change = set_value(home, "ui.theme", "nord")
    assert (change.key, change.before, change.after) == ("ui.theme", "puna", "nord")
    assert home.config_file.read_text() == '[ui]\ntheme = "nord"\n'
    assert sorted(entry.name for entry in home.config.iterdir()) == ["config.toml", "config.toml.lock"]


MINE = """\
# My settings.

[load]   # how models are loaded
  n_ctx   = 4096      # small card
  devices = [
    "CUDA0",   # the big one
    "CUDA1",   # the small one
  ]

# The screen of the laptop.
[ui]
theme = 'nord' # not "gruvbox"
"""

MINE_CHANGED = """\
# My settings.

[load]   # how models are loaded
  n_ctx   = 8192      # small card
  devices = [
    "CUDA0",   # the big one
    "CUDA2",
  ]
  type_k = "q8_0"

# The screen of the laptop.
[ui]
theme = "gruvbox" # not "gruvbox"
mouse = false

[fit]
margin_host_mib = 2048
"""


def test_comments_order_and_spacing_stay(home: Paths, write_config: Write) -> None:
    file = write_config(MINE)
    set_value(home, "load.n_ctx", "8192")
    set_value(home, "load.type_k", "q8_0")
    set_value(home, "ui.mouse", "off")
    set_value(home, "ui.theme", "gruvbox")
    set_value(home, "load.devices", "CUDA0,CUDA2")
    set_value(home, "fit.margin_host_mib", "2048")
    assert file.read_text() == MINE_CHANGED


@pytest.mark.parametrize(
    ("before", "key", "value", "after"),
    [
        ("ui.theme = 'a' # dotted\n", "ui.theme", "b", 'ui.theme = "b" # dotted\n'),
        ("ui = { theme = 'a' } # inline\n", "ui.theme", "b", 'ui = { theme = "b" } # inline\n'),
        ("[ui]", "ui.theme", "b", '[ui]\ntheme = "b"\n'),
        ("[ui]\r\nascii = true\r\n\r\n[fit]\r\n", "ui.theme", "b", None),
        ("\ufeff[ui]\ntheme = 'a'\n", "ui.theme", "b", '\ufeff[ui]\ntheme = "b"\n'),
        ("[keys]\nquit = 'q'\n[keys.chat]\nstop = 's' # c\n", "keys.chat.stop", "x", None),
        ("[keys]\nquit = 'q'\n", "keys.chat.stop", "x", '[keys]\nquit = \'q\'\n"chat.stop" = "x"\n'),
        ("[ 'ui' ] # odd\nascii = true\n", "ui.theme", "b", "[ 'ui' ] # odd\nascii = true\ntheme = \"b\"\n"),
        ("# only a comment", "ui.theme", "b", '# only a comment\n\n[ui]\ntheme = "b"\n'),
        ("[ui]\nascii = true\n\n\n", "ui.theme", "b", '[ui]\nascii = true\ntheme = "b"\n\n\n'),
        ("[chat]\nsystem = '''\ntwo\nlines'''\n# end\n", "chat.top_k", "3", None),
        ("[chat]\ntemperature = nan\n", "ui.theme", "b", '[chat]\ntemperature = nan\n\n[ui]\ntheme = "b"\n'),
    ],
)
def test_however_the_file_is_laid_out(
    home: Paths, write_config: Write, before: str, key: str, value: str, after: str | None
) -> None:
    file = write_config(before)
    set_value(home, key, value)
    text = file.read_bytes().decode()
    if after is not None:
        assert text == after
    if "\r\n" in before:
        assert text.count("\n") == text.count("\r\n")
    for line in before.splitlines():
        if "#" in line:
            assert line.partition("#")[2] in text
    settings = load_config(home).settings
    section, _, name = key.partition(".")
    part = getattr(settings, section)
    assert str(part[name] if isinstance(part, dict) else getattr(part, name)) == value


@pytest.mark.parametrize(
    "before", ["ui.ascii = true # dotted\n[fit]\n", "ui = { ascii = true } # inline\n", "[keys.chat]\nstop = 's' # c\n"]
)
def test_a_new_key_in_a_table_without_a_header(home: Paths, write_config: Write, before: str) -> None:
    file = write_config(before)
    set_value(home, "ui.theme", "nord")
    set_value(home, "keys.quit", "q")
    loaded = load_config(home)
    assert loaded.problems == ()
    assert (loaded.settings.ui.theme, loaded.settings.keys["quit"]) == ("nord", "q")
    assert before.partition("#")[2].split("\n")[0] in file.read_text()


def test_a_value_that_is_there_already_writes_nothing(home: Paths, write_config: Write) -> None:
    file = write_config('[ui]\ntheme = "nord"\n')
    stamp = file.stat().st_ino, file.stat().st_mtime_ns
    set_value(home, "ui.theme", "nord")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == stamp


def test_a_link_to_the_dotfiles_stays_a_link(home: Paths, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles/puna.toml"
    target.parent.mkdir()
    target.write_text("# mine\n")
    home.config.mkdir(parents=True)
    home.config_file.symlink_to(target)
    set_value(home, "ui.theme", "nord")
    assert home.config_file.is_symlink()
    assert target.read_text() == '# mine\n\n[ui]\ntheme = "nord"\n'
    assert [entry.name for entry in target.parent.iterdir()] == ["puna.toml"]


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("ui.mouse", "true", True),
        ("ui.mouse", " Off ", False),
        ("load.n_ctx", "auto", "auto"),
        ("load.n_ctx", "8192", 8192),
        ("load.n_ctx", "8_192", 8192),
        ("load.n_gpu_layers", "all", "all"),
        ("load.flash_attn", "on", "on"),
        ("chat.temperature", "1", 1.0),
        ("chat.temperature", "0.3", 0.3),
        ("chat.system", '  "Be brief." # not a comment\n', '  "Be brief." # not a comment\n'),
        ("library.folders", "~/a, /b c ,", ("~/a", "/b c")),
        ("library.folders", "[\"with, comma\", 'b']", ("with, comma", "b")),
        ("library.folders", "", ()),
        ("library.folders", "[]", ()),
        ("keys.quit", "ctrl+q,q", "ctrl+q,q"),
        ("keys.a.b c", "x", "x"),
    ],
)
def test_texts_are_read_by_the_type_of_the_key(home: Paths, key: str, text: str, value: Any) -> None:
    change = set_value(home, key, text)
    assert change.after == value
    assert type(change.after) is type(value)
    section, _, name = key.partition(".")
    part = getattr(load_config(home).settings, section)
    assert (part[name] if isinstance(part, dict) else getattr(part, name)) == value


@pytest.mark.parametrize(
    ("key", "text", "usage", "words"),
    [
        ("ui.theem", "x", True, "no such setting; did you mean ui.theme?"),
        ("theme", "x", True, "did you mean ui.theme?"),
        ("ui", "x", True, "no such setting"),
        ("keys.", "x", True, "no such setting"),
        ("", "x", True, "no such setting"),
        ("ui.mouse", "banana", True, 'expects true or false, not "banana"'),
        ("load.n_ctx", "8k", True, 'expects "auto" or a whole number, not "8k"'),
        ("chat.temperature", "warm", True, 'expects a number, not "warm"'),
        ("library.folders", "[1", True, "expects a list of texts in quotes"),
        ("library.folders", '["a"]\nb = 1', True, "expects a list of texts in quotes"),
        ("ui.theme", "na\udcefve", True, "expects UTF-8 text"),
        ("keys.na\udcefve", "x", True, "expects UTF-8 text"),
        ("library.folders", "[1]", False, "expects text in quotes here, not 1"),
        ("chat.temperature", "nan", False, "expects a number, not nan"),
        ("ui.refresh", "0", False, "expects a whole number from 1 to 60, not 0"),
        ("load.type_k", "iq2_xxs", False, 'or "iq4_nl", not "iq2_xxs"'),
        ("load.n_ctx", "9" * 25, False, "does not fit 64 bits"),
        ("load.n_ctx", "9" * 5000, True, 'expects "auto" or a whole number'),
    ],
)
def test_what_is_no_value_is_refused(
    home: Paths, write_config: Write, key: str, text: str, usage: bool, words: str
) -> None:
    file = write_config('[ui]\ntheme = "nord"\n')
    with pytest.raises(ConfigError) as caught:
        set_value(home, key, text)
    assert isinstance(caught.value, ConfigUsageError) is usage
    assert words in str(caught.value)
    assert caught.value.file == file
    assert len(str(caught.value)) < 600
    assert file.read_text() == '[ui]\ntheme = "nord"\n'


@pytest.mark.parametrize(
    "broken",
    ['[ui]\ntheme = "nord\n', b"\xff\xfe", "[ui]\n[ui]\n", "ui = 3\n", "[[ui]]\nascii = true\n", "x = " + "[" * 5000],
)
def test_a_broken_file_is_never_written_to(home: Paths, write_config: Write, broken: str | bytes) -> None:
    file = write_config(broken)
    before = file.read_bytes(), file.stat().st_ino
    with pytest.raises(ConfigError) as caught:
        set_value(home, "ui.mouse", "false")
    assert caught.value.file == file
    assert (file.read_bytes(), file.stat().st_ino) == before
    assert sorted(entry.name for entry in home.config.iterdir()) == ["config.toml", "config.toml.lock"]


def test_other_wrong_keys_do_not_stand_in_the_way_and_stay(home: Paths, write_config: Write) -> None:
    file = write_config('[ui]\ntheem = "x" # a slip\nmouse = 3\n')
    set_value(home, "ui.mouse", "false")
    assert file.read_text() == '[ui]\ntheem = "x" # a slip\nmouse = false\n'


def test_a_check_from_above_sees_both_states_and_can_refuse(home: Paths, write_config: Write) -> None:
    file = write_config("[load]\nflash_attn = 'off'\n")
    seen: list[tuple[Settings, Settings]] = []

    def refuse(before: Settings, after: Settings) -> None:
        seen.append((before, after))
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        set_value(home, "load.type_v", "q8_0", check=refuse)
    ((before, after),) = seen
    assert (before.load.type_v, after.load.type_v, after.load.flash_attn) == ("f16", "q8_0", "off")
    assert file.read_text() == "[load]\nflash_attn = 'off'\n"
    with pytest.raises(ConfigError, match="no"):
        set_value(home, "keys.quit", "q", check=refuse)
    assert seen[1][1].keys == {"quit": "q"}


def test_the_example_file_can_be_copied_and_then_edited(home: Paths, write_config: Write) -> None:
    """Every key of the example is changed in its own line, below its own comment."""
    file = write_config(example())
    values = {"load.n_ctx": "8192", "chat.temperature": "0.1", "library.folders": "~/models", "ui.mouse": "no"}
    for key, text in values.items():
        set_value(home, key, text)
    assert file.read_text() == (
        example()
        .replace('n_ctx = "auto"', "n_ctx = 8192")
        .replace("temperature = 0.8", "temperature = 0.1")
        .replace("folders = []", 'folders = ["~/models"]')
        .replace("mouse = true", "mouse = false")
    )


def test_a_write_that_fails_leaves_the_file_and_no_litter(home: Paths, write_config: Write) -> None:
    file = write_config('[ui]\ntheme = "nord"\n')
    program = """
        import resource, sys
        from tui.config.errors import ConfigError
        from tui.config.paths import paths
        from tui.config.settings import set_value
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
        try:
            set_value(paths(), "chat.system", "x" * 5000)
        except ConfigError as error:
            print(error)
    """
    environ = {**os.environ, "PUNA_HOME": str(home.config.parent)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    assert done.stdout.startswith(f"{file}: cannot be written: file too large")
    assert file.read_text() == '[ui]\ntheme = "nord"\n'
    assert sorted(entry.name for entry in home.config.iterdir()) == ["config.toml", "config.toml.lock"]
