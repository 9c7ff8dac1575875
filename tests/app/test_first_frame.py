"""The first frame shows what it promises, and has paid for nothing that only comes after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.rig import LLAMA, home_paths, workbench
from tui.library.index import save_index

SCRIPT = """
import json, os, sys
from tui.app.main import Options, _make
from tui.config.glance import glance
from tui.config.paths import paths

where = paths()
app = _make(where, glance(where), Options(theme="laguna"), "workbench", None, None)

async def look():
    lines = [strip.text for strip in app.screen._compositor.render_strips()]
    found = {"lines": lines, "modules": sorted(sys.modules), "theme": [app.theme]}
    print(json.dumps(found), file=sys.__stdout__, flush=True)
    os._exit(0)

app._settle = look
app.run(headless=True, size=(120, 40))
"""
HEAVY = {
    "textual.widgets._text_area", "textual.widgets._data_table", "textual.widgets._markdown", "msgspec", "sqlite3",
    "pynvml", "markdown_it", "pygments", "tui.config.settings", "tui.engine.client", "tui.chat.store", "argparse",
    "tomli_w", "tomlkit", "filelock", "huggingface_hub", "llama_cpp", "tui.app.desk", "tui.config.actions",
    "tui.hardware.sampler",
}  # fmt: skip


def first_frame(home: Path) -> dict[str, list[str]]:
    """What is on the screen, and which modules are loaded, when the first frame has been drawn."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
        env={"PUNA_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_meter_first_model_and_prompt_are_there_and_nothing_heavy_is(tmp_path: Path) -> None:
    save_index(home_paths(tmp_path), [LLAMA])
    found = first_frame(tmp_path)
    text = "\n".join(found["lines"])
    assert "RAM" in found["lines"][0]
    assert " GiB" in found["lines"][0]
    assert "tiny-llama" in found["lines"][2]
    assert "❯ Write here" in text
    assert found["theme"] == ["laguna"]
    assert HEAVY & set(found["modules"]) == set()
    assert not any(name.startswith(("llama_cpp", "huggingface_hub", "pynvml")) for name in found["modules"])


def test_it_is_drawn_without_anything_on_the_disk(tmp_path: Path) -> None:
    found = first_frame(tmp_path / "nothing")
    assert "Looking for models" in "\n".join(found["lines"])
    assert not (tmp_path / "nothing").exists()


def test_a_broken_config_does_not_keep_it_from_being_drawn(tmp_path: Path) -> None:
    folder = home_paths(tmp_path).config
    folder.mkdir(parents=True)
    (folder / "config.toml").write_bytes(b"[ui\n\xff")
    (home_paths(tmp_path).cache).mkdir(parents=True)
    (home_paths(tmp_path).cache / "library-cache.json").write_text("{")
    assert "Looking for models" in "\n".join(first_frame(tmp_path)["lines"])


@pytest.mark.parametrize("kind", ["nested", "pipe"])
def test_a_config_that_is_no_settings_file_does_not_hold_it_up(tmp_path: Path, kind: str) -> None:
    file = home_paths(tmp_path).config_file
    file.parent.mkdir(parents=True)
    if kind == "nested":
        file.write_text("a = " + "[" * 100_000)
    else:
        os.mkfifo(file)
    assert "Looking for models" in "\n".join(first_frame(tmp_path)["lines"])


async def test_nothing_ticks_and_nothing_is_pending_when_nothing_happens(tmp_path: Path) -> None:
    async with workbench(tmp_path) as bench:
        await bench.until(lambda: not any(worker.is_running for worker in bench.app.workers))
        assert not bench.app.desk.ticker.waiting
        nodes = (bench.app, bench.app.screen, *bench.app.screen.walk_children())
        assert [timer for node in nodes for timer in node._timers if timer._active.is_set()] == []
