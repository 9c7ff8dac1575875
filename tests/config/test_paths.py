"""Places: one folder under PUNA_HOME, the platform's own otherwise, and cheap to ask for."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tui.config.paths import Paths, paths, share


def test_puna_home_puts_everything_under_one_folder(tmp_path: Path) -> None:
    places = paths({"PUNA_HOME": str(tmp_path)})
    assert places == Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache", tmp_path / "state")
    assert places.config_file == tmp_path / "config/config.toml"
    assert places.models_file == tmp_path / "config/models.toml"
    assert places.user_themes_dir == tmp_path / "config/themes"
    assert places.history_file == tmp_path / "data/history.db"
    assert places.library_file == tmp_path / "data/library.json"
    assert places.engines_dir == tmp_path / "state/engines"
    assert places.log_file == tmp_path / "state/puna.log"
    assert list(tmp_path.iterdir()) == [], "asking for paths makes none of them"


def test_a_relative_puna_home_and_a_tilde_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert paths({"PUNA_HOME": "here"}).config == tmp_path / "here/config"
    assert paths({"PUNA_HOME": "~/puna"}).config == tmp_path / "me/puna/config"
    assert paths({"PUNA_HOME": "~no-such-user/x"}).config == tmp_path / "~no-such-user/x/config"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no XDG folders")
def test_without_puna_home_the_platform_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    assert paths({"PUNA_HOME": ""}).config_file == tmp_path / "config/puna/config.toml"
    assert paths({}).log_file == tmp_path / "state/puna/puna.log"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS always finds a home folder")
def test_a_user_without_a_home_folder_is_told_what_to_set(tmp_path: Path) -> None:
    """No HOME and no entry in the password file, as in a container that runs under any number."""
    program = textwrap.dedent("""
        import os, sys
        from tui.config.errors import ConfigError
        from tui.config.paths import paths
        paths({})  # imports what it needs while this process may still read it
        try:
            os.setuid(54321)
        except PermissionError:
            print("not root"); sys.exit()
        try:
            paths({})
        except ConfigError as error:
            print(error)
    """)
    environ = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("XDG_")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=True)
    if done.stdout.strip() == "not root":
        pytest.skip("only root can become a user that does not exist")
    assert "Set PUNA_HOME" in done.stdout
    assert done.stderr == ""


def test_asking_for_paths_imports_nothing_heavy() -> None:
    program = textwrap.dedent("""
        import sys
        from tui.config.paths import paths, share
        paths(), share("themes")
        heavy = {"platformdirs", "msgspec", "tomlkit", "tomli_w", "tomllib", "filelock", "asyncio", "json"}
        print(sorted(heavy & set(sys.modules)))
    """)
    environ = {**os.environ, "PUNA_HOME": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=True)
    assert done.stdout.strip() == "[]"


def test_shipped_files_are_found_in_a_checkout() -> None:
    assert share("config.example.toml").is_file()
    assert share("themes").is_dir()
    assert share("themes").parent == Path(__file__).parents[2]


def test_shipped_files_are_found_in_an_installed_package(tmp_path: Path) -> None:
    """The package as a wheel lays it out: the shipped files below the package itself."""
    package = tmp_path / "tui"
    source = Path(__file__).parents[2] / "tui"
    for name in ("__init__.py", "config/__init__.py", "config/errors.py", "config/paths.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_bytes((source / name).read_bytes())
    (package / "_share/themes").mkdir(parents=True)
    (tmp_path / "themes").mkdir()  # somebody else's, beside the package
    program = "from tui.config.paths import share; print(share('themes'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == str(package / "_share/themes")
