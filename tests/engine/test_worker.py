"""How much there is to read of a model, for the bar of its load."""

from __future__ import annotations

from pathlib import Path

from tui.engine.worker import file_bytes


def test_all_shards_are_counted_and_what_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    for number, n_bytes in ((1, 10), (2, 200)):
        (tmp_path / f"m-0000{number}-of-00002.gguf").write_bytes(bytes(n_bytes))
    assert file_bytes(tmp_path / "m-00001-of-00002.gguf") == 210
    (tmp_path / "m-00002-of-00002.gguf").unlink()
    assert file_bytes(tmp_path / "m-00001-of-00002.gguf") == 0
    assert file_bytes(None) == 0
