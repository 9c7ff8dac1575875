"""Reading `config.toml`: what is good counts, what is wrong is told, all of it; nothing is raised or written."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.patience import patient
from tui.config.document import Document
from tui.config.errors import ConfigError, nearest_of
from tui.config.fields import known_keys, sections_of
from tui.config.glance import Glance, glance
from tui.config.paths import Paths
from tui.config.reading import read_struct
from tui.config.settings import Settings, load_config, problem_at

Write = Callable[[str | bytes], Path]


def test_without_a_file_the_defaults_count(home: Paths) -> None:
    loaded = load_config(home)
    assert loaded.settings == Settings()
    assert loaded.problems == ()
    assert not home.config.exists(), "reading makes nothing"


def test_what_the_file_says_counts_and_the_rest_is_default(home: Paths, write_config: Write) -> None:
    write_config("""
        [ui]
        theme = "nord"
        [load]
        n_ctx = 8192
        devices = ["CUDA0", "CUDA1"]
        [chat]
        temperature = 0
        [keys]
        quit = "ctrl+q"
        chat.stop = "escape"
        "chat.copy" = "y"
    """)
    loaded = load_config(home)
    assert loaded.problems == ()
    assert loaded.settings.ui.theme == "nord"
    assert loaded.settings.ui.mouse is True
    assert loaded.settings.load.n_ctx == 8192
    assert loaded.settings.load.devices == ("CUDA0", "CUDA1")
    assert repr(loaded.settings.chat.temperature) == "0.0"
    assert loaded.settings.keys == {"quit": "ctrl+q", "chat.stop": "escape", "chat.copy": "y"}


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(home: Paths, write_config: Write) -> None:
    write_config('\ufeff[ui]\r\ntheme = "nord"\r\n')
    assert load_config(home).settings.ui.theme == "nord"
    assert load_config(home).problems == ()


MANY_SLIPS = """\
theme = "nord"
[ui]
theem = "nord"
ascii = true
mouse = "yes"
refresh = 900
[loads]
n_ctx = 1
[load]
type_k = "q8"
n_ctx = true
threads = 99999999999999999999999
devices = [
  "CUDA0",
  3,
]
type_v = "q8_0"
[chat]
temperature = nan
system = 1979-05-27
[library]
folders = "~/models"
[monitor]
interval_s = inf
[keys]
quit = 3
"""


def test_all_problems_are_told_in_order_and_good_keys_still_count(home: Paths, write_config: Write) -> None:
    file = write_config(MANY_SLIPS)
    loaded = load_config(home)
    told = [(problem.line, problem.key, problem.nearest) for problem in loaded.problems]
    assert told == [
        (1, "theme", "ui.theme"),
        (3, "ui.theem", "ui.theme"),
        (5, "ui.mouse", ""),
        (6, "ui.refresh", ""),
        (7, "loads", "load"),
        (10, "load.type_k", '"q8_0"'),
        (11, "load.n_ctx", ""),
        (12, "load.threads", ""),
        (15, "load.devices", ""),
        (19, "chat.temperature", ""),
        (20, "chat.system", ""),
        (22, "library.folders", ""),
        (24, "monitor.interval_s", ""),
        (26, "keys.quit", ""),
    ]
    assert all(problem.file == file for problem in loaded.problems)
    assert str(loaded.problems[1]) == (
        f"{file}, line 3: ui.theem: there is no such setting; did you mean ui.theme? "
        "Correct the name or delete the line; until then it is not read."
    )
    assert str(loaded.problems[2]) == (
        f'{file}, line 5: ui.mouse: expects true or false, not "yes". Correct the value; until then the default counts.'
    )
    expected = msgspec.structs.replace(
        Settings(),
        ui=msgspec.structs.replace(Settings().ui, ascii=True),
        load=msgspec.structs.replace(Settings().load, type_v="q8_0"),
    )
    assert loaded.settings == expected


def test_a_large_limit_is_told_in_full(home: Paths, write_config: Write) -> None:
    write_config('[fit]\nmin_n_ctx = "many"\n')
    (problem,) = load_config(home).problems
    assert problem.message == 'expects a whole number from 0 to 4194304, not "many"'


def test_each_problem_says_what_was_expected_and_what_is_there(home: Paths, write_config: Write) -> None:
    write_config(MANY_SLIPS)
    assert [problem.message for problem in load_config(home).problems[3:]] == [
        "expects a whole number from 1 to 60, not 900",
        "there is no such setting",
        'expects "f32", "f16", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0" or "iq4_nl", not "q8"',
        'expects "auto" or a whole number, not true',
        'expects "auto" or a whole number, and 99999999999999999999999 does not fit 64 bits',
        "expects text in quotes here, not 3",
        "expects a number, not nan",
        "expects text in quotes, not a date",
        'expects a list of texts in quotes, not "~/models"',
        "expects a number from 0.2 to 10, not inf",
        "expects text in quotes, not 3",
    ]


def test_a_value_where_a_table_belongs(home: Paths, write_config: Write) -> None:
    file = write_config('ui = "nord"\n[[load]]\nn_ctx = 1\n')
    loaded = load_config(home)
    assert [str(problem) for problem in loaded.problems] == [
        f'{file}, line 1: ui: expects a table, not "nord". '
        "Write [ui] on a line of its own and its keys below; until then the defaults count.",
        f"{file}, line 2: load: expects a table, not [a table]. "
        "Write [load] on a line of its own and its keys below; until then the defaults count.",
    ]
    assert loaded.settings == Settings()


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("[ui]\ntheme = nord\n", 2, "ui.theme", "this is no value; text needs quotes"),
        ("[ui]\ntheme = 'nord\n", 2, "ui.theme", "the closing quote is missing"),
        ('[ui]\n\ntheme = "nord\n', 3, "ui.theme", "the closing quote is missing"),
        ("[ui]\ntheme\n", 2, "ui.theme", "expected '=' after a key"),
        ("[ui]\nmouse = true\nmouse = false\n", 3, "ui.mouse", "this key is set twice"),
        ("[ui]\nmouse = true\nmouse = false", 3, "ui.mouse", "this key is set twice"),
        ("[ui]\n[load]\n[ui]\n", 3, "", "this table is opened twice"),
        ("[library]\nfolders = [\n  'a',\n", 2, "library.folders", "the file ends before this value does"),
        ('[chat]\nsystem = """\nnever\nclosed\n', 2, "chat.system", "the closing quotes are missing"),
        ("[chat]\ntop_k = " + "9" * 5000 + "\n", 2, "", "too long"),
        ("x = " + "[" * 5000, None, "", "nested too deeply"),
        (b"[ui]\ntheme = '\xff'\n", 2, "", "not UTF-8"),
        (b"\x00\x01\x02", 1, "", "not valid TOML"),
    ],
)
def test_a_broken_file_gives_defaults_and_one_problem_that_names_the_place(
    home: Paths, write_config: Write, text: str | bytes, line: int | None, key: str, words: str
) -> None:
    file = write_config(text)
    loaded = load_config(home)
    assert loaded.settings == Settings()
    (problem,) = loaded.problems
    assert (problem.file, problem.line) == (file, line)
    assert problem.key == key or not key
    assert words in problem.message
    assert problem.hint
    assert glance(home) == Glance()
    assert file.read_bytes() == (text if isinstance(text, bytes) else text.encode())


def test_a_break_in_an_unknown_key_names_the_nearest_known_one(home: Paths, write_config: Write) -> None:
    write_config("[ui]\ntheem = nord\n")
    assert load_config(home).problems[0].nearest == "ui.theme"


def test_things_in_the_files_place_are_told(home: Paths) -> None:
    home.config_file.mkdir(parents=True)
    loaded = load_config(home)
    assert loaded.settings == Settings()
    assert "it is a folder" in str(loaded.problems[0])
    assert glance(home) == Glance()


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("ui.theem", "ui.theme"),
        ("theme", "ui.theme"),
        ("load.temperature", "chat.temperature"),
        ("load.gpu_layers", "load.n_gpu_layers"),
        ("temp_erature", "chat.temperature"),
        ("mon_itor", "monitor"),
        ("xyzzy", ""),
    ],
)
def test_the_nearest_known_key(text: str, nearest: str) -> None:
    assert nearest_of(text, known_keys(Settings)) == nearest


def test_an_upper_floors_problem_gets_the_keys_line(home: Paths, write_config: Write) -> None:
    file = write_config('[keys]\nquit = "q"\nchat.stop = "x"\n[ui]\ntheme = "nrod"\n')
    problem = problem_at(home, "ui.theme", 'there is no theme "nrod"', nearest="nord", hint="Choose another.")
    assert str(problem) == f'{file}, line 5: ui.theme: there is no theme "nrod"; did you mean nord? Choose another.'
    assert problem_at(home, "keys.chat.stop", "no such action").line == 3
    assert problem_at(home, "load.n_ctx", "too large").line is None
    assert problem_at(home, "load", "cannot be").line is None
    write_config("[broken")
    assert problem_at(home, "ui.theme", "unknown").line is None


def test_a_problem_without_a_place_reads_well() -> None:
    assert str(ConfigError("it is so")) == "it is so"
    assert str(ConfigError("it is so", hint="Do this.")) == "it is so. Do this."


VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.sampled_from(["auto", "f16"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from([name for key in known_keys(Settings) for name in key.split(".")]) | st.text(max_size=6)


@patient
@given(st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=6), max_size=6))
def test_any_tables_give_settings_of_the_right_types(table: dict[str, Any]) -> None:
    settings, problems = read_struct(Settings, Document(Path("config.toml"), "", table))
    assert msgspec.convert(msgspec.to_builtins(settings), Settings) == settings
    for problem in problems:
        assert str(problem)
        assert problem.key


def test_values_and_sampling_carry_the_names_of_the_floors_above() -> None:
    assert Settings().load.values() == msgspec.to_builtins(Settings().load) | {"devices": ()}
    assert set(Settings().chat.sampling()) == {"temperature", "top_k", "top_p", "min_p", "repeat_penalty"}


# ---- the look before the first frame


def test_a_glance_knows_the_same_defaults() -> None:
    ui = sections_of(Settings)["ui"].fields
    for name in ("theme", "mouse", "ascii"):
        assert getattr(Glance(), name) == ui[name].default
    assert dict(Glance().keys) == Settings().keys


@patient
@given(
    st.dictionaries(
        st.sampled_from(["theme", "mouse", "ascii", "refresh", "other"]), st.booleans() | st.text() | st.integers()
    ),
    st.dictionaries(st.text(min_size=1), st.text() | st.integers() | st.dictionaries(st.text(min_size=1), st.text())),
)
def test_a_glance_agrees_with_the_whole_reading(
    tmp_path_factory: pytest.TempPathFactory, ui: dict[str, Any], keys: dict[str, Any]
) -> None:
    import tomli_w

    from tui.config.paths import paths

    home = paths({"PUNA_HOME": str(tmp_path_factory.mktemp("glance"))})
    home.config.mkdir()
    home.config_file.write_text(tomli_w.dumps({"ui": ui, "keys": keys}), encoding="utf-8")
    tomllib.loads(home.config_file.read_text(encoding="utf-8"))
    seen, settings = glance(home), load_config(home).settings
    assert (seen.theme, seen.mouse, seen.ascii) == (settings.ui.theme, settings.ui.mouse, settings.ui.ascii)
    assert seen.keys == settings.keys
