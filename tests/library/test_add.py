"""Places that a person adds: remembered, never copied; every refusal in words."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.library.conftest import Home
from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tests.rigs.permission import permissions_count
from tui.library import LibraryError, add, entry_for
from tui.library.remembered import remember


def test_a_file_is_remembered_where_it_is(home: Home, tiny: Path) -> None:
    file = home.folder / "one.gguf"
    shutil.copy(tiny, file)
    model = add(home.paths, file)
    assert (model.name, model.path, model.source) == ("one", file, "added")
    assert home.look()["one"] == model
    assert json.loads(home.paths.library_file.read_text())["paths"] == [str(file)]
    add(home.paths, str(file))
    assert json.loads(home.paths.library_file.read_text())["paths"] == [str(file)]


def test_a_relative_path_and_a_home_folder_are_made_absolute(
    home: Home, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    monkeypatch.chdir(home.folder)
    assert add(home.paths, "one.gguf").path == home.folder / "one.gguf"
    monkeypatch.setenv("HOME", str(home.folder))
    assert add(home.paths, "~/one.gguf").path == home.folder / "one.gguf"


def test_a_folder_is_remembered_with_what_comes_later(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "b.gguf")
    shutil.copy(tiny, home.folder / "a.gguf")
    assert [model.name for model in remember(home.paths, home.folder)] == ["a", "b"]
    shutil.copy(tiny, home.folder / "c.gguf")
    assert set(home.look()) == {"a", "b", "c"}


def test_any_shard_adds_the_whole(home: Home) -> None:
    first = tiny_model(home.folder / "big.gguf", shards=3)
    model = add(home.paths, first.with_name("big-00003-of-00003.gguf"))
    assert (model.path, model.shards, model.problem) == (first, 3, None)
    assert home.look()["big"] == model


def test_a_file_that_went_away_stays_with_its_reason(home: Home, tiny: Path) -> None:
    file = home.folder / "one.gguf"
    shutil.copy(tiny, file)
    add(home.paths, file)
    file.unlink()
    assert home.look()["one"].problem == "there is no such file"


def test_a_folder_that_went_away_is_noted(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    add(home.paths, home.folder)
    shutil.rmtree(home.folder)
    models = home.look()
    assert [model.problem for model in models.values()] == ["there is no such file"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.gguf", "there is no such file"),
        ("text.gguf", "is not a GGUF file"),
        ("empty-folder", "there is no model"),
        ("mmproj-x.gguf", "mmproj"),
        ("vocab.gguf", "a vocabulary without weights"),
        ("lora.gguf", "LoRA"),
        ("part-00002-of-00002.gguf", "part 1 is not beside it"),
        ("a\0b", "cannot be opened"),
    ],
)
def test_what_cannot_be_added_is_refused_in_words(home: Home, tiny: Path, name: str, words: str) -> None:
    (home.folder / "text.gguf").write_text("hello")
    (home.folder / "empty-folder").mkdir()
    shutil.copy(tiny, home.folder / "mmproj-x.gguf")
    plain_gguf(home.folder / "vocab.gguf")
    plain_gguf(home.folder / "lora.gguf", {"general.type": "adapter"}, tensors={"t": (2,)})
    shutil.copy(tiny, home.folder / "part-00002-of-00002.gguf")
    with pytest.raises(LibraryError, match=words) as caught:
        add(home.paths, home.folder / name)
    assert str(home.folder / name).replace("\0", "") in str(caught.value)
    assert not home.paths.library_file.exists()


def test_a_file_without_permission_is_refused(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    (home.folder / "one.gguf").chmod(0)
    with permissions_count(), pytest.raises(LibraryError, match="may not read"):
        add(home.paths, home.folder / "one.gguf")


def test_a_folder_without_permission_is_refused(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    home.folder.chmod(0)
    with permissions_count():
        with pytest.raises(LibraryError, match="permission denied"):
            add(home.paths, home.folder)
        with pytest.raises(LibraryError, match="may not read"):
            add(home.paths, home.folder / "one.gguf")
    home.folder.chmod(0o700)


@pytest.mark.parametrize("text", ["{", "[]", '{"paths": "x"}', '{"paths": [1]}', "\x00"])
def test_a_damaged_list_is_never_overwritten(home: Home, tiny: Path, text: str) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    home.paths.library_file.parent.mkdir(parents=True)
    home.paths.library_file.write_text(text)
    with pytest.raises(LibraryError, match="damaged"):
        add(home.paths, home.folder / "one.gguf")
    assert home.paths.library_file.read_text() == text
    assert home.look() == {}
    assert "damaged" in home.notes[0]


def test_a_data_folder_that_cannot_be_written_is_told(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    home.paths.data.parent.mkdir(parents=True)
    home.paths.data.write_text("a file in the way")
    with pytest.raises(LibraryError, match=r"library\.json"):
        add(home.paths, home.folder / "one.gguf")


def test_two_copies_adding_at_once_lose_nothing(home: Home, tiny: Path) -> None:
    files = [home.folder / f"m{number}.gguf" for number in range(8)]
    for file in files:
        shutil.copy(tiny, file)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda file: add(home.paths, file), files))
    assert sorted(json.loads(home.paths.library_file.read_text())["paths"]) == [str(file) for file in files]


def test_a_path_given_by_hand(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "odd name without suffix")
    model = entry_for(home.folder / "odd name without suffix")
    assert (model.name, model.architecture) == ("odd name without suffix", "llama")
