"""The same model in two places is one row that knows both; sums are only worked out when they are asked for."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.library.conftest import Home
from tests.library.test_owners import ollama
from tests.rigs.gguf_maker import tiny_model
from tui.library import LibraryError, cached
from tui.library.digests import DigestStore, sha256_of
from tui.library.model import Place
from tui.library.scanner import digest_file
from tui.library.watching import changed


def test_a_hard_link_is_one_model_with_two_places(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "a.gguf")
    os.link(home.folder / "a.gguf", home.folder / "b.gguf")
    (model,) = home.look(home.folder).values()
    assert model.name == "a"
    assert model.also == (Place(home.folder / "b.gguf", "folder", "b"),)
    assert [kept.also for kept in cached(home.paths) if kept.source != "demo"] == [model.also]


def test_copies_in_content_stores_are_known_without_reading(home: Home, tiny: Path) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny)
    blob = ollama(home.user / ".ollama" / "models", "registry.ollama.ai/library/m/latest", tiny)
    (model,) = home.look().values()
    assert (model.path, model.source) == (link, "hf-cache")
    assert model.also == (Place(blob, "ollama", "m:latest"),)


def test_a_persons_own_place_comes_before_another_programs(home: Home, tiny: Path) -> None:
    blob = ollama(home.user / ".ollama" / "models", "registry.ollama.ai/library/m/latest", tiny)
    os.link(blob, home.folder / "mine.gguf")
    (model,) = home.look(home.folder).values()
    assert (model.name, model.source) == ("mine", "folder")
    assert model.also == (Place(blob, "ollama", "m:latest"),)


def test_a_store_whose_file_is_cut_short_is_no_copy(home: Home, tiny: Path) -> None:
    home.hub.put("org/m", "m.gguf", tiny)
    os.truncate(ollama(home.user / ".ollama/models", "registry.ollama.ai/library/m/latest", tiny), 200_000)
    assert len(home.look()) == 2


def test_other_copies_are_known_once_they_were_summed(home: Home, tiny: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(tiny, home.folder / f"{name}.gguf")
    assert set(home.look(home.folder)) == {"a", "b"}
    store = DigestStore(digest_file(home.paths))
    for name in ("a", "b"):
        assert store.learn(home.folder / f"{name}.gguf") == hashlib.sha256(tiny.read_bytes()).hexdigest()
    store.save()
    assert set(home.look(home.folder)) == {"a"}
    tiny_model(home.folder / "b.gguf", n_layer=3)
    assert set(home.look(home.folder)) == {"a", "b"}


def test_shards_are_copies_when_all_of_them_are(home: Home, tmp_path: Path) -> None:
    first = tiny_model(home.folder / "a" / "big.gguf", shards=2)
    shutil.copytree(home.folder / "a", home.folder / "b")
    store = DigestStore(digest_file(home.paths))
    files = sorted(home.folder.rglob("*.gguf"))
    for file in files[:-1]:
        store.learn(file)
    store.save()
    assert len(home.look(home.folder)) == 2
    store.learn(files[-1])
    store.save()
    (model,) = home.look(home.folder).values()
    assert (model.path, model.also) == (first, (Place(home.folder / "b" / first.name, "folder", "big"),))


def test_a_sum_is_worked_out_once(home: Home, tiny: Path) -> None:
    seen: list[int] = []
    store = DigestStore(digest_file(home.paths))
    store.learn(tiny, seen.append)
    store.save()
    assert sum(seen) == tiny.stat().st_size
    DigestStore(digest_file(home.paths)).learn(tiny, seen.append)
    assert sum(seen) == tiny.stat().st_size


def test_a_file_that_cannot_be_summed_says_so(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"gone\.gguf: cannot be read"):
        sha256_of(tmp_path / "gone.gguf")


def aged(home: Home) -> None:
    """Let every folder and file of the last scan have changed long ago, and scan again."""
    for place in home.found.stamps:
        if place.exists():
            os.utime(place, (1_000_000, 1_000_000))
    home.look(home.folder)


def test_nothing_new_is_no_reason_to_look_again(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "a.gguf")
    home.hub.put("org/m", "m.gguf", tiny)
    home.look(home.folder)
    aged(home)
    assert not changed(home.found.stamps)


@pytest.mark.parametrize("what", ["new", "gone", "below", "hub", "tool", "first"])
def test_what_comes_and_goes_is_a_reason(home: Home, tiny: Path, what: str) -> None:
    shutil.copy(tiny, home.folder / "a.gguf")
    (home.folder / "below").mkdir()
    home.hub.put("org/m", "m.gguf", tiny)
    blob = ollama(home.user / ".ollama" / "models", "registry.ollama.ai/library/m/latest", tiny)
    home.look(home.folder)
    aged(home)
    if what == "new":
        (home.folder / "b.gguf").touch()
    elif what == "gone":
        (home.folder / "a.gguf").unlink()
    elif what == "below":
        (home.folder / "below" / "b.gguf").touch()
    elif what == "hub":
        home.hub.put("org/m", "other.gguf", tiny)
    elif what == "tool":
        (blob.parent.parent / "manifests/registry.ollama.ai/library/m/other").touch()
    else:
        (home.user / ".lmstudio" / "models").mkdir(parents=True)
    assert changed(home.found.stamps)


def test_a_folder_that_was_just_written_to_is_looked_at_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.library.walking._TICK_NS", 3600 * 10**9)
    (home.folder / "a.gguf").touch()
    home.look(home.folder)
    assert home.found.stamps[home.folder] == 0
    assert changed(home.found.stamps)


def test_a_file_that_is_written_in_place_is_a_reason(home: Home, tiny: Path) -> None:
    file, sound = home.folder / "coming.gguf", home.folder / "sound.gguf"
    file.write_bytes(tiny.read_bytes()[:200_000])
    shutil.copy(tiny, sound)
    assert home.look(home.folder)["coming"].problem is not None
    aged(home)
    assert not changed(home.found.stamps)
    with file.open("ab") as stream:
        stream.write(tiny.read_bytes()[200_000:])
    assert changed(home.found.stamps)
    assert home.look(home.folder)["coming"].problem is None
    aged(home)
    os.utime(sound)
    assert changed(home.found.stamps)


def test_what_is_unfinished_is_watched_whatever_else_there_is(
    home: Home, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.library.watching.MAX_LOOKED", 3)
    for number in range(9):
        shutil.copy(tiny, home.folder / f"{number}.gguf")
    (home.folder / "z.gguf").touch()
    home.look(home.folder)
    assert len(home.found.stamps) == 3
    assert next(iter(home.found.stamps)) == home.folder / "z.gguf"
