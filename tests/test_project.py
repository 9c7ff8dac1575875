"""The project's own promises: one set of pins, a wheel that runs by itself, and imports that stay where they belong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return project


def _constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {_canonical(name): version for name, version in pins}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_pinned_in_the_constraints() -> None:
    project = _project()["project"]
    wanted = [
        *project["dependencies"],
        *(need for extra in project["optional-dependencies"].values() for need in extra),
    ]
    names = {_canonical(re.split(r"[<>=!~\[; ]", need, maxsplit=1)[0]) for need in wanted}
    assert names - _constraints().keys() == set()


@pytest.mark.parametrize("name", ["textual", "llama-cpp-python"])
def test_the_exact_pins_agree(name: str) -> None:
    (need,) = [need for need in _project()["project"]["dependencies"] if need.startswith(f"{name}==")]
    assert need == f"{name}=={_constraints()[name]}"


def test_the_readme_commands_exist_in_the_makefile() -> None:
    commands = set(re.findall(r"make (\w+)", (ROOT / "README.md").read_text())) - {"changes"}
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert commands
    assert commands <= targets


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the unpacked wheel, as pip lays it out."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    site = out / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def _run(site: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "PUNA_HOME": str(home), "HF_HOME": str(home)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, check=False)


def test_the_wheel_carries_themes_and_the_example(installed: Path, tmp_path: Path) -> None:
    script = (
        "import tui; from tui.config.paths import share;"
        "print(tui.__file__); print(len(list(share('themes').glob('*.toml')))); print(share('config.example.toml'))"
    )
    lines = _run(installed, tmp_path, "-c", script).stdout.splitlines()
    assert lines[0].startswith(str(installed))
    assert int(lines[1]) >= 6
    assert Path(lines[2]).read_text() == (ROOT / "config.example.toml").read_text()


def test_the_wheel_carries_the_starter_catalogue_and_its_licence(installed: Path, tmp_path: Path) -> None:
    script = "from tui.hub.catalogue import starter; print(len(starter().listings))"
    assert int(_run(installed, tmp_path, "-c", script).stdout) > 700
    assert (installed / "tui" / "hub" / "catalogue" / "NOTICE").is_file()
    (notice,) = installed.glob("puna-*.dist-info/licenses/tui/hub/catalogue/NOTICE")
    assert "llmfit" in notice.read_text()


@pytest.mark.live
def test_an_installed_wheel_runs_a_model(installed: Path, tmp_path: Path) -> None:
    done = _run(installed, tmp_path, "-m", "tui", "run", "smollm2-demo", "Say hi.", "--max-tokens", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_wheel_has_an_entry_point(installed: Path) -> None:
    (entry_points,) = installed.glob("puna-*.dist-info/entry_points.txt")
    assert "puna = tui.__main__:main" in entry_points.read_text()


def test_every_module_of_the_engine_is_a_front_ends_or_the_childs() -> None:
    child = {
        "beginning", "generation", "host", "limits", "pictures", "prefix", "prompt_text", "prompts", "saved",
        "schedule", "sequence", "step", "template", "text", "worker",
    }  # fmt: skip
    contracts = (ROOT / ".importlinter").read_text().split("[importlinter:contract:")
    (contract,) = (text for text in contracts if text.startswith("llama_cpp]"))
    kept_clean = set(re.findall(r"^    tui\.engine\.(\w+)$", contract, re.MULTILINE))
    modules = {path.stem for path in (ROOT / "tui" / "engine").glob("*.py")} - {"__init__"}
    assert modules == kept_clean | child
    assert not kept_clean & child
