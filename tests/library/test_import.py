"""Bringing models into the library folder: every file or none, nothing written over, nothing taken from others."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from tests.library.conftest import Home
from tests.library.test_owners import ollama
from tests.rigs.gguf_maker import tiny_model
from tui.library import LibraryError
from tui.library.importing import How, Import, Step, plan_every_import, plan_import
from tui.library.model import Place
from tui.library.transfer import carry_out


@pytest.fixture
def library(home: Home) -> Path:
    """The person's first library folder, which is not there yet."""
    return home.folder / "library"


@pytest.fixture
def one(tmp_path: Path, tiny: Path) -> Path:
    """A model somewhere else."""
    (tmp_path / "downloads").mkdir()
    return Path(shutil.copy(tiny, tmp_path / "downloads" / "one.gguf"))


def plan(home: Home, path: Path, library: Path, how: How) -> Import:
    return plan_import(str(path), str(library), how, home.environ, home.system)


@pytest.mark.parametrize("how", ["copy", "move", "link", "symlink"])
def test_a_file_arrives_each_way(home: Home, one: Path, library: Path, how: How) -> None:
    data, inode = one.read_bytes(), one.stat().st_ino
    planned = plan(home, one, library, how)
    assert not library.exists()
    assert planned.needed_bytes == (len(data) if how == "copy" else 0)
    (target,) = carry_out(planned)
    assert target == library / "one.gguf"
    assert target.read_bytes() == data
    assert one.exists() == (how != "move")
    assert target.is_symlink() == (how == "symlink")
    assert (target.stat().st_ino == inode) == (how != "copy")
    assert sorted(home.look(library)) == ["one"]
    assert [file.name for file in library.iterdir()] == ["one.gguf"]


def test_a_copy_tells_how_far_it_is(home: Home, one: Path, library: Path) -> None:
    seen: list[int] = []
    carry_out(plan(home, one, library, "copy"), seen.append)
    assert sum(seen) == one.stat().st_size


def test_all_shards_go_together(home: Home, tmp_path: Path, library: Path) -> None:
    tiny_model(tmp_path / "x" / "big.gguf", shards=3)
    files = carry_out(plan(home, tmp_path / "x" / "big-00002-of-00003.gguf", library, "move"))
    assert [file.name for file in files] == [f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    assert list((tmp_path / "x").iterdir()) == []
    assert home.look(library)["big"].problem is None


def test_a_folder_keeps_its_order(home: Home, tmp_path: Path, tiny: Path, library: Path) -> None:
    (tmp_path / "set" / "a").mkdir(parents=True)
    shutil.copy(tiny, tmp_path / "set" / "a" / "m.gguf")
    tiny_model(tmp_path / "set" / "n.gguf", n_layer=3)
    (tmp_path / "set" / "notes.txt").touch()
    files = carry_out(plan(home, tmp_path / "set", library, "link"))
    assert {file.relative_to(library).as_posix() for file in files} == {"set/a/m.gguf", "set/n.gguf"}


def test_an_ollama_model_gets_its_name(home: Home, tiny: Path, library: Path) -> None:
    blob = ollama(home.user / ".ollama" / "models", "registry.ollama.ai/library/small/1b", tiny)
    (target,) = carry_out(plan(home, blob, library, "link"))
    assert target.name == "small-1b.gguf"
    (model,) = home.look(library).values()
    assert (model.path, model.source) == (target, "folder")
    assert model.also == (Place(blob, "ollama", "small:1b"),)


def test_a_link_in_the_cache_is_followed(home: Home, tiny: Path, library: Path) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny)
    (target,) = carry_out(plan(home, link, library, "link"))
    assert not target.is_symlink()
    assert target.stat().st_ino == link.stat().st_ino


@pytest.mark.parametrize("whose", ["the Hugging Face cache", "Ollama", "LM Studio"])
def test_nothing_is_moved_away_from_another_program(home: Home, tiny: Path, library: Path, whose: str) -> None:
    if whose == "Ollama":
        file = ollama(home.user / ".ollama" / "models", "registry.ollama.ai/library/small/1b", tiny)
    elif whose == "LM Studio":
        file = home.user / ".lmstudio/models/org/m/m.gguf"
        file.parent.mkdir(parents=True)
        shutil.copy(tiny, file)
    else:
        file = home.hub.put("org/m", "m.gguf", tiny)
    with pytest.raises(LibraryError, match=f"belongs to {whose}, which would miss it"):
        plan(home, file, library, "move")


@pytest.mark.parametrize("how", ["copy", "move", "link", "symlink"])
def test_nothing_is_written_over(home: Home, one: Path, library: Path, how: How) -> None:
    library.mkdir()
    (library / "one.gguf").write_text("mine")
    with pytest.raises(LibraryError, match="is there already"):
        plan(home, one, library, how)
    planned = Import(how, plan_steps(home, one, library), 0, 1)
    with pytest.raises(LibraryError, match="nothing was changed"):
        carry_out(planned)
    assert (library / "one.gguf").read_text() == "mine"
    assert one.exists()


def plan_steps(home: Home, one: Path, library: Path) -> tuple[Step, ...]:
    """The steps of a plan that was made before something else took the place."""
    (library / "one.gguf").rename(library / "aside")
    steps = plan(home, one, library, "copy").steps
    (library / "aside").rename(library / "one.gguf")
    return steps


def test_a_broken_model_stays_where_it_is(home: Home, tmp_path: Path, library: Path) -> None:
    first = tiny_model(tmp_path / "x" / "big.gguf", shards=3)
    first.with_name("big-00003-of-00003.gguf").unlink()
    with pytest.raises(LibraryError, match="1 of 3 parts are missing"):
        plan(home, first, library, "copy")
    assert not library.exists()


def test_what_is_in_the_library_already_is_refused(home: Home, tiny: Path, library: Path) -> None:
    library.mkdir()
    shutil.copy(tiny, library / "one.gguf")
    with pytest.raises(LibraryError, match="is in your library folder already"):
        plan(home, library / "one.gguf", library, "copy")
    with pytest.raises(LibraryError, match="is in your library folder already, or holds it"):
        plan(home, home.folder, library, "copy")


def test_a_full_disk_is_told_before_anything_is_written(
    home: Home, one: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(home.folder)._replace(free=10)
    monkeypatch.setattr("tui.library.importing.shutil.disk_usage", lambda _: usage)
    with pytest.raises(LibraryError, match="has 10 B free, and"):
        plan(home, one, library, "copy")
    assert plan(home, one, library, "link").needed_bytes == 0


@pytest.mark.parametrize("how", ["copy", "move"])
def test_what_is_interrupted_changes_nothing(home: Home, tmp_path: Path, library: Path, how: How) -> None:
    first = tiny_model(tmp_path / "x" / "big.gguf", shards=2)
    planned = plan(home, first, library, how)
    # The second file goes before its turn.
    second = first.with_name("big-00002-of-00002.gguf")
    second.rename(tmp_path / "aside")
    with pytest.raises(LibraryError, match="nothing was changed"):
        carry_out(planned)
    assert not library.exists()
    assert first.exists()


def test_a_copy_that_is_stopped_leaves_no_part(home: Home, one: Path, library: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    library.mkdir()
    with pytest.raises(KeyboardInterrupt):
        carry_out(plan(home, one, library, "copy"), stop)
    assert list(library.iterdir()) == []


def test_a_copy_can_be_stopped_until_it_has_its_name(home: Home, one: Path, library: Path) -> None:
    written = 0

    def stop(n_bytes: int) -> None:
        nonlocal written
        if written == one.stat().st_size:
            raise KeyboardInterrupt
        written += n_bytes

    library.mkdir()
    with pytest.raises(KeyboardInterrupt):
        carry_out(plan(home, one, library, "copy"), stop)
    assert list(library.iterdir()) == []


def test_what_a_killed_copy_left_is_written_anew(home: Home, one: Path, library: Path) -> None:
    library.mkdir()
    (library / ".one.gguf.part").write_bytes(b"x" * 10_000_000)
    (target,) = carry_out(plan(home, one, library, "copy"))
    assert target.read_bytes() == one.read_bytes()
    assert [file.name for file in library.iterdir()] == ["one.gguf"]


def test_two_copies_at_once_do_not_write_into_one_file(home: Home, one: Path, library: Path) -> None:
    planned = plan(home, one, library, "copy")

    def again(_: int) -> None:
        with pytest.raises(LibraryError, match="nothing was changed"):
            carry_out(planned)

    (target,) = carry_out(planned, again)
    assert target.read_bytes() == one.read_bytes()


def test_a_move_to_another_disk_copies(home: Home, one: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = one.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (target,) = carry_out(plan(home, one, library, "move"))
    assert target.read_bytes() == data
    assert not one.exists()


def test_every_way_has_its_plan_or_what_is_against_it(home: Home, tiny: Path, one: Path, library: Path) -> None:
    planned = plan_every_import(str(one), str(library), home.environ, home.system)
    for how in get_args(How):
        # What is free changes by itself.
        found = planned[how]
        assert isinstance(found, Import)
        assert replace(found, free_bytes=0) == replace(plan(home, one, library, how), free_bytes=0)
    theirs = home.hub.put("org/m", "m.gguf", tiny)
    planned = plan_every_import(str(theirs), str(library), home.environ, home.system)
    assert [how for how, found in planned.items() if isinstance(found, LibraryError)] == ["move"]
    with pytest.raises(LibraryError, match="there is no such file"):
        plan_every_import(str(one.with_name("none.gguf")), str(library), home.environ, home.system)
