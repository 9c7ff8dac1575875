"""A folder of its own for each test, and the settings files in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tui.config.paths import Paths, paths


@pytest.fixture
def home(tmp_path: Path) -> Paths:
    """The places of a person whose puna lives below this test's folder; nothing is there yet."""
    return paths({"PUNA_HOME": str(tmp_path / "home")})


@pytest.fixture
def write_config(home: Paths) -> Callable[[str | bytes], Path]:
    """Puts a text or bytes into `config.toml` and answers where it is."""

    def write(content: str | bytes) -> Path:
        home.config.mkdir(parents=True, exist_ok=True)
        home.config_file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return home.config_file

    return write
