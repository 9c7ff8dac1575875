"""What these tests share: a person's puna with real small models around it, as its front end finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.library.conftest import Home, tiny

__all__ = ["tiny"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """One library folder, and folders of other programs below a home of its own. No demo model."""
    made = Home(tmp_path)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("HF_HOME", raising=False)
    monkeypatch.setattr("tui.library.places.DEMO_PACKAGE", "no-such-package-here")
    config = made.paths.config_file
    config.parent.mkdir(parents=True)
    config.write_text(f'[library]\nfolders = ["{made.folder}"]\n', encoding="utf-8")
    return made
