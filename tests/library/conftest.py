"""What the library tests stand on: a home of their own and a Hugging Face cache made by hand, with real small
models.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.config.paths import Paths, paths
from tui.library import Model, look


class HubCache:
    """A cache in the layout of the Hugging Face client: blobs, snapshots of links, refs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, repo: str, file: str, source: Path, *, commit: str = "a" * 40, main: bool = True) -> Path:
        """Store a copy of `source` as a file of a repository; the link in its snapshot is returned."""
        folder = self.root / f"models--{repo.replace('/', '--')}"
        data = source.read_bytes()
        blob = folder / "blobs" / hashlib.sha256(data).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        link = folder / "snapshots" / commit / file
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
        if main:
            (folder / "refs").mkdir(exist_ok=True)
            (folder / "refs" / "main").write_text(commit)
        return link


class Home:
    """One person's puna, and the models around it."""

    def __init__(self, folder: Path) -> None:
        self.paths: Paths = paths({"PUNA_HOME": str(folder / "home")})
        self.hub = HubCache(folder / "hub")
        self.folder = folder / "models"
        self.folder.mkdir()
        self.system = folder / "system"
        self.user = folder / "user"
        """The home folder that other programs have."""
        self.user.mkdir()
        self.environ = {"HF_HUB_CACHE": str(self.hub.root), "HOME": str(self.user)}

    def look(self, *folders: Path) -> dict[str, Model]:
        """A scan of the cache, `folders` and what was added; the demo model is left out."""
        found = self.found = look(self.paths, [str(folder) for folder in folders], self.environ, self.system)
        self.notes = found.notes
        return {model.name: model for model in found.models if model.source != "demo"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real model to copy from."""
    return tiny_model(tmp_path_factory.mktemp("tiny") / "tiny.gguf")
