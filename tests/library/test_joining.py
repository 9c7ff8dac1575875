"""Two copies made one: only when their bytes are the same, and as they were until it is confirmed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.library.conftest import Home
from tests.rigs.permission import permissions_count
from tui.library import LibraryError
from tui.library.copies import CopyWork, alike, alike_to, copy_work, join_all, learn, undo_all
from tui.library.digests import DigestStore
from tui.library.joining import aside_of, confirm, freed_together, join, unconfirmed, undo
from tui.library.scanner import digest_file


@pytest.fixture
def pair(tmp_path: Path, tiny: Path) -> tuple[Path, Path]:
    """The same model twice."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shutil.copy(tiny, tmp_path / name / "m.gguf")
    return tmp_path / "a" / "m.gguf", tmp_path / "b" / "m.gguf"


def test_copies_become_one_file(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    joined = join(kept, other)
    assert other.samefile(kept)
    assert joined.freed_bytes == kept.stat().st_size
    assert joined.aside.exists()
    confirm(joined)
    assert [file.name for file in other.parent.iterdir()] == ["m.gguf"]
    assert unconfirmed(kept, other) is None
    with pytest.raises(LibraryError, match="is one file with"):
        join(kept, other)


def test_it_can_be_undone_until_it_is_confirmed(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    inode = other.stat().st_ino
    undo(join(kept, other))
    assert other.stat().st_ino == inode
    assert [file.name for file in other.parent.iterdir()] == ["m.gguf"]


def test_what_a_killed_process_left_is_found(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    inode = other.stat().st_ino
    joined = join(kept, other)
    assert unconfirmed(kept, other) == joined
    undo(joined)
    assert other.stat().st_ino == inode


def test_bytes_that_differ_stay_apart(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    with other.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x01")
    with pytest.raises(LibraryError, match="is not the same as"):
        join(kept, other)
    assert not other.samefile(kept)
    assert [file.name for file in other.parent.iterdir()] == ["m.gguf"]


def test_a_file_that_is_written_to_meanwhile_stays(pair: tuple[Path, Path]) -> None:
    kept, other = pair

    def write(_: int) -> None:
        os.utime(other, (1, 1))

    with pytest.raises(LibraryError, match="was written to while it was compared"):
        join(kept, other, write)
    assert not other.samefile(kept)


def test_a_folder_that_may_not_be_written_changes_nothing(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    other.parent.chmod(0o500)
    with permissions_count(), pytest.raises(LibraryError, match=r"permission denied.*nothing was changed"):
        join(kept, other)
    other.parent.chmod(0o700)
    assert [file.name for file in other.parent.iterdir()] == ["m.gguf"]


def test_a_link_in_a_cache_is_followed(home: Home, tiny: Path, pair: tuple[Path, Path]) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny)
    confirm(join(pair[0], link))
    assert link.is_symlink()
    assert link.samefile(pair[0])


def test_a_copy_that_is_gone_says_so(pair: tuple[Path, Path]) -> None:
    pair[1].unlink()
    with pytest.raises(LibraryError, match="no such file"):
        join(*pair)


def test_only_files_of_one_size_are_summed(home: Home, tiny: Path, pair: tuple[Path, Path]) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    (home.folder / "other.gguf").write_bytes(b"GGUF")
    models = home.look(home.folder, pair[0].parent, pair[1].parent)
    candidates = alike(list(models.values()))
    assert {model.path for model in candidates} == {home.folder / "one.gguf", *pair}
    seen: list[int] = []
    learn(candidates, DigestStore(digest_file(home.paths)), seen.append)
    assert sum(seen) == 3 * tiny.stat().st_size
    (model,) = (model for model in home.look(home.folder, pair[0].parent, pair[1].parent).values() if not model.problem)
    work = copy_work(model, model.also)
    pairs = tuple((home.folder / "one.gguf", copy) for copy in pair)
    assert work == CopyWork((), pairs, (), 3 * tiny.stat().st_size)
    seen.clear()
    done = join_all(work.pairs, seen.append)
    assert sum(seen) == work.read_bytes
    assert copy_work(model, model.also).unconfirmed == tuple(done)
    undo_all(done)
    assert copy_work(model, model.also) == work


def test_of_several_pairs_all_are_joined_or_none(home: Home, tiny: Path, pair: tuple[Path, Path]) -> None:
    other = home.folder / "other.gguf"
    shutil.copy(tiny, other)
    with other.open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x01")
    with pytest.raises(LibraryError, match="is not the same as"):
        join_all([pair, (pair[0], other)])
    assert not pair[1].samefile(pair[0])

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join_all([pair], stop)
    assert not pair[1].samefile(pair[0])


def test_every_copy_is_put_back_even_where_one_cannot_be(home: Home, tiny: Path, pair: tuple[Path, Path]) -> None:
    third = home.folder / "third.gguf"
    shutil.copy(tiny, third)
    done = join_all([pair, (pair[0], third)])
    done[0].aside.unlink()
    with pytest.raises(LibraryError, match="cannot be put back"):
        undo_all(done)
    assert not third.samefile(pair[0])


def test_what_may_be_a_copy_has_as_many_bytes(home: Home, tiny: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(tiny, home.folder / f"{name}.gguf")
    (home.folder / "broken.gguf").write_bytes(b"GGUF")
    models = home.look(home.folder)
    assert alike_to(models["a"], list(models.values())) == [models["b"]]
    assert alike_to(models["broken"], list(models.values())) == []


def test_a_copy_that_was_replaced_since_is_neither_unconfirmed_nor_put_back(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    joined = join(kept, other)
    other.unlink()
    other.write_bytes(b"newer")
    assert unconfirmed(kept, other) is None
    with pytest.raises(LibraryError, match="is another file by now"):
        undo(joined)
    assert other.read_bytes() == b"newer"
    assert joined.aside.exists()


def test_a_process_that_was_killed_before_it_joined_is_no_obstacle(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    os.link(other, aside_of(other))
    assert unconfirmed(kept, other) is None
    undo(join(kept, other))
    assert [file.name for file in other.parent.iterdir()] == ["m.gguf"]


def test_a_copy_that_more_people_can_read_stays(pair: tuple[Path, Path]) -> None:
    kept, other = pair
    kept.chmod(0o600)
    other.chmod(0o644)
    with pytest.raises(LibraryError, match="give them permission"):
        join(kept, other)
    kept.chmod(0o640)
    other.chmod(0o600)
    join(kept, other)


def test_a_file_with_several_names_comes_free_when_all_of_them_go(tmp_path: Path) -> None:
    one, alone = tmp_path / "one", tmp_path / "alone"
    one.write_bytes(b"x" * 100)
    alone.write_bytes(b"y" * 10)
    two, link = tmp_path / "two", tmp_path / "link"
    two.hardlink_to(one)
    link.symlink_to(one)
    assert freed_together([one, alone]) == 10, "its other name holds it"
    assert freed_together([one, two, link, alone]) == 110
