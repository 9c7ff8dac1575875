"""`puna config`: results on standard output, messages on standard error, and exit codes that can be relied on."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tui.cli import config
from tui.config.paths import Paths, paths
from tui.config.settings import Settings
from tui.llama.settings import LoadSettings, SamplingSettings

Puna = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("PUNA_HOME", str(tmp_path / "home"))
    places = paths()
    places.config.mkdir(parents=True)
    return places


@pytest.fixture
def puna(home: Paths, capsys: pytest.CaptureFixture[str]) -> Puna:
    """Runs `puna config` with these words; answers exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser("puna config")
        config.add_arguments(parser)
        try:
            code = config.run(parser.parse_args(words))
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_check_and_set_know_what_keys_can_be_given_to(puna: Puna, home: Paths) -> None:
    home.config_file.write_text('[keys]\nagain = "ctrl+a"\nlibrarx = "x"\nhelp = "ctrl+d"\n')
    code, out, err = puna("check")
    assert (code, out) == (1, "")
    assert f"{home.config_file}, line 2: keys.again: ctrl+a belongs to screen. Choose another key.\n" in err
    assert f"{home.config_file}, line 3: keys.librarx: there is no such action; did you mean library?" in err
    assert len(err.splitlines()) == 2
    code, _, err = puna("set", "keys.chat", "l")
    assert code == 1
    assert "keys.chat: l is already 'library'" in err
    assert puna("set", "keys.chat", "f11")[0] == 0


def test_path_says_where_everything_is(puna: Puna, home: Paths) -> None:
    code, out, err = puna("path")
    assert (code, err) == (0, "")
    assert f"config_file      {home.config_file}\n" in out
    assert f"history_file     {home.history_file}\n" in out
    code, out, err = puna("path", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["models_file"] == str(home.models_file)


def test_show_prints_what_counts_as_toml_and_as_json(puna: Puna, home: Paths) -> None:
    home.config_file.write_text('[ui]\ntheme = "nord"\n[library]\nfolders = ["~/m"]\n[keys]\n"chat.stop" = "x"\n')
    code, out, err = puna("show")
    assert (code, err) == (0, "")
    shown = msgspec.convert(tomllib.loads(out), Settings)
    assert (shown.ui.theme, shown.library.folders, shown.keys) == ("nord", ("~/m",), {"chat.stop": "x"})
    assert shown.chat == Settings().chat
    code, out, err = puna("show", "--json")
    assert (code, err) == (0, "")
    assert msgspec.convert(json.loads(out), Settings) == shown


def test_show_tells_problems_beside_what_counts(puna: Puna, home: Paths) -> None:
    home.config_file.write_text("[ui]\nmouse = 3\n")
    code, out, err = puna("show", "--json")
    assert code == 0
    assert json.loads(out)["ui"]["mouse"] is True
    assert err.startswith(f"{home.config_file}, line 2: ui.mouse: expects true or false, not 3")


def test_check_without_problems(puna: Puna, home: Paths) -> None:
    assert puna("check") == (0, "no problems\n", "")
    home.config_file.write_text("[load]\nn_ctx = 8192\ntype_v = 'q8_0'\n")
    assert puna("check") == (0, "no problems\n", "")


def test_check_tells_every_problem_of_both_files(puna: Puna, home: Paths) -> None:
    home.config_file.write_text("""\
[load]
n_ctx = -5
threads = 0
type_v = "q8_0"
flash_attn = "off"
n_gpu_layers = "some"
[chat]
top_p = 2
repeat_penalty = 1e9
""")
    home.models_file.write_text("version = 1\n")
    code, out, err = puna("check")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert [line.partition(": ")[0].removeprefix(f"{home.config}/") for line in lines] == [
        "config.toml, line 6",
        "config.toml, line 2",
        "config.toml, line 3",
        "config.toml, line 8",
        "config.toml, line 9",
        "models.toml, line 1",
    ]
    assert "load.n_ctx: -5 is outside 1 to 4194304 (in tokens; auto chooses for you)" in lines[1]


def test_check_tells_of_a_theme_that_is_nowhere_and_of_settings_no_model_can_be_loaded_with(
    puna: Puna, home: Paths
) -> None:
    home.config_file.write_text('[ui]\ntheme = "punna"\n')
    home.models_file.write_text('["org/m"]\nn_ctx = "lots"\n\n["org/n"]\ntype_k = "q8_0"\n')
    code, _, said = puna("check")
    assert code == 1
    assert "there is no such theme" in said
    assert "puna" in said
    assert "models.toml" in said
    assert "org/m.n_ctx" in said
    assert "org/n" not in said
    assert puna("set", "ui.theme", "nosuch")[0] == 1
    assert "punna" in home.config_file.read_text()


def test_check_tells_values_that_do_not_go_together(puna: Puna, home: Paths) -> None:
    home.config_file.write_text('[load]\ntype_v = "q8_0"\nflash_attn = "off"\n')
    code, out, err = puna("check")
    assert (code, out) == (1, "")
    assert err.startswith(f"{home.config_file}, line 2: load.type_v: q8_0 needs flash attention")


def test_set_prints_what_changed(puna: Puna, home: Paths) -> None:
    assert puna("set", "load.n_ctx", "8192") == (0, 'load.n_ctx = 8192 (was "auto")\n', "")
    assert puna("set", "load.n_ctx", "auto") == (0, 'load.n_ctx = "auto" (was 8192)\n', "")
    assert puna("set", "keys.quit", "ctrl+q") == (0, 'keys.quit = "ctrl+q" (was not set)\n', "")
    assert puna("set", "library.folders", "a,b") == (0, 'library.folders = ["a", "b"] (was [])\n', "")
    assert tomllib.loads(home.config_file.read_text()) == {
        "load": {"n_ctx": "auto"},
        "keys": {"quit": "ctrl+q"},
        "library": {"folders": ["a", "b"]},
    }


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("ui.theem", "x"), 2, "did you mean ui.theme?"),
        (("load.n_ctx", "abc"), 2, 'expects "auto" or a whole number'),
        (("load.n_ctx", "-5"), 1, "-5 is outside 1 to 4194304"),
        (("load.n_ctx", "4194305"), 1, "outside 1 to 4194304"),
        (("load.type_k", "iq2_xxs"), 1, "expects"),
        (("load.devices", "CUDA0,CUDA0"), 1, "the same device is named twice"),
        (("chat.temperature", "11"), 1, "outside 0.0 to 10.0"),
        (("ui.refresh", "61"), 1, "from 1 to 60"),
        (("ui.theme",), 2, "usage:"),
    ],
)
def test_set_refuses_and_changes_nothing(puna: Puna, home: Paths, words: tuple[str, ...], code: int, told: str) -> None:
    home.config_file.write_text("# mine\n")
    found, out, err = puna("set", *words)
    assert (found, out) == (code, "")
    assert told in err
    assert home.config_file.read_text() == "# mine\n"


def test_set_refuses_what_does_not_go_with_the_rest(puna: Puna, home: Paths) -> None:
    assert puna("set", "load.flash_attn", "off")[0] == 0
    code, out, err = puna("set", "load.type_v", "q8_0")
    assert (code, out) == (1, "")
    assert "load.type_v: q8_0 needs flash attention" in err
    assert puna("set", "load.flash_attn", "on")[0] == 0
    assert puna("set", "load.type_v", "q8_0")[0] == 0
    code, out, err = puna("set", "load.flash_attn", "off")
    assert (code, out) == (1, "")
    assert "load.type_v: q8_0 needs flash attention" in err


def test_a_value_that_was_wrong_before_does_not_stand_in_the_way_of_others(puna: Puna, home: Paths) -> None:
    home.config_file.write_text("[load]\nn_ctx = -5\n")
    assert puna("set", "load.threads", "4")[0] == 0
    assert puna("set", "load.n_ctx", "-5")[0] == 1, "but it is refused when it is set again"
    assert puna("set", "load.n_ctx", "4096")[0] == 0
    assert puna("check") == (0, "no problems\n", "")


def test_set_refuses_a_broken_file(puna: Puna, home: Paths) -> None:
    home.config_file.write_text("[ui\n")
    code, out, err = puna("set", "ui.theme", "nord")
    assert (code, out) == (1, "")
    assert err.startswith(f"{home.config_file}, line 1: ")
    assert "puna does not write to it" in err
    assert home.config_file.read_text() == "[ui\n"


def test_no_action_is_a_usage_error(puna: Puna) -> None:
    code, out, err = puna()
    assert (code, out) == (2, "")
    assert "usage:" in err


def test_config_and_llama_agree_on_names_and_defaults() -> None:
    load, chat = Settings().load.values(), Settings().chat.sampling()
    assert {name: getattr(LoadSettings(), name) for name in load} == load
    assert {name: getattr(SamplingSettings(), name) for name in chat} == chat
    ours = {field.name: field.type for field in msgspec.structs.fields(type(Settings().load))}
    del ours["mmproj"]  # a path is that of one model
    theirs = {field.name: field.type for field in msgspec.structs.fields(LoadSettings)}
    assert {name: theirs[name] for name in ours} == ours


def test_declaring_the_arguments_imports_nothing_heavy() -> None:
    program = textwrap.dedent("""
        import argparse, sys
        from tui.cli import config
        config.add_arguments(argparse.ArgumentParser())
        heavy = {"textual", "llama_cpp", "huggingface_hub", "msgspec", "tomlkit", "platformdirs", "asyncio"}
        print(sorted(heavy & set(sys.modules)))
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_projector_that_is_none_is_found_by_check(home: Paths, puna: Puna) -> None:
    home.models_file.write_text('["m.gguf:1"]\nmmproj = "/nowhere/gone.gguf"\n')
    code, _, told = puna("check")
    assert code == 1
    assert "mmproj" in told
    assert "gone.gguf" in told
