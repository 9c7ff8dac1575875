"""Headers kept in the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.rigs.gguf_maker import tiny_model
from tui.gguf.errors import GgufError
from tui.models.headers import header_of_file, keep, recall, remote_key


def test_a_header_is_read_once_and_then_known(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", tiny_model(tmp_path / "tiny.gguf")
    first = header_of_file(path, cache)
    assert len(list(cache.glob("*.gguf"))) == 1
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = header_of_file(path, cache)
    assert again.stripped == first.stripped, "the file itself says nothing any more"
    assert again.shape.weights_bytes == first.shape.weights_bytes
    assert again.shape.file_bytes == before.st_size


def test_a_file_that_was_replaced_is_read_again(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", tiny_model(tmp_path / "tiny.gguf", n_layer=2)
    assert header_of_file(path, cache).shape.n_layer == 2
    shutil.move(tiny_model(tmp_path / "other.gguf", n_layer=3), path)
    assert header_of_file(path, cache).shape.n_layer == 3


def test_shards_are_one_model_and_each_of_them_counts(tmp_path: Path) -> None:
    cache, whole = tmp_path / "cache", tiny_model(tmp_path / "whole.gguf")
    first = tiny_model(tmp_path / "split.gguf", shards=3)
    known = header_of_file(first, cache)
    assert known.shape.weights_bytes == header_of_file(whole, cache).shape.weights_bytes
    assert known.shape.file_bytes == sum(shard.stat().st_size for shard in tmp_path.glob("split-*.gguf"))
    assert header_of_file(first, cache).stripped == known.stripped
    next(tmp_path.glob("split-00002*")).unlink()
    with pytest.raises(GgufError, match="split-00002-of-00003"):
        header_of_file(first, cache)


def test_a_damaged_cache_is_read_past(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", tiny_model(tmp_path / "tiny.gguf")
    first = header_of_file(path, cache)
    kept = next(cache.glob("*.gguf"))
    for damaged in (b"", b"GGUF", kept.read_bytes()[:-200]):
        kept.write_bytes(damaged)
        assert header_of_file(path, cache).stripped == first.stripped


def test_a_cache_that_cannot_be_written_costs_speed_only(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    assert header_of_file(tiny_model(tmp_path / "tiny.gguf"), tmp_path / "cache").shape.n_layer == 2


def test_the_cache_does_not_grow_for_ever(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    stripped = header_of_file(tiny_model(tmp_path / "tiny.gguf"), cache).stripped
    for number in range(7):
        keep(cache, remote_key("org/repo", str(number), "model.gguf"), stripped, most=4)
    assert len(list(cache.glob("*.gguf"))) == 4
    last = recall(cache, remote_key("org/repo", "6", "model.gguf"), 5)
    assert last is not None
    assert last.stripped == stripped
