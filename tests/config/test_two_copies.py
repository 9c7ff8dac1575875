"""Two running copies of puna write to the same files at the same moment, and neither loses what the other wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

from tui.config.paths import Paths
from tui.config.settings import load_config

WRITER = """
    import sys
    from tui.config.model_file import update_model
    from tui.config.paths import paths
    from tui.config.settings import set_value
    home, name, rounds = paths(), sys.argv[1], int(sys.argv[2])
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(rounds):
        if "config" in sys.argv[3:]:
            set_value(home, f"keys.{name}{number}", str(number))
        if "models" in sys.argv[3:]:
            update_model(home, "shared.gguf:1", {f"{name}{number}": number, f"{name}{number - 1}": None})
            update_model(home, f"{name}.gguf:1", {"n_ctx": number})
"""


def run_together(home: Paths, rounds: int, *what: str) -> None:
    """Start two writers, wait until both have imported everything, and let them go at the same time."""
    environ = {**os.environ, "PUNA_HOME": str(home.config.parent)}
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), name, str(rounds), *what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        for name in ("left", "right")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, told = writer.communicate(timeout=60)
        assert (writer.returncode, told) == (0, "")


def leftovers(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.suffix not in (".toml", ".lock")]


def test_settings_of_both_are_there(home: Paths) -> None:
    home.config.mkdir(parents=True)
    home.config_file.write_text("# mine\n[keys] # my keys\nquit = 'q' # as in less\n")
    run_together(home, 20, "config")
    loaded = load_config(home)
    assert loaded.problems == ()
    expected = {f"{name}{number}": str(number) for name in ("left", "right") for number in range(20)}
    assert loaded.settings.keys == {"quit": "q", **expected}
    text = home.config_file.read_text()
    assert text.startswith("# mine\n[keys] # my keys\nquit = 'q' # as in less\n")
    assert leftovers(home.config) == []


def test_models_of_both_are_there_also_in_one_models_table(home: Paths) -> None:
    run_together(home, 30, "models")
    assert tomllib.loads(home.models_file.read_text()) == {
        "shared.gguf:1": {"left29": 29, "right29": 29},
        "left.gguf:1": {"n_ctx": 29},
        "right.gguf:1": {"n_ctx": 29},
    }
    assert leftovers(home.config) == []
