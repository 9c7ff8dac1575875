"""Disks that are full and folders that cannot be written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chat.rig import assert_sound, child, lines
from tui.chat.errors import StoreError
from tui.chat.store import Store


def test_a_limit_on_the_file_is_told_and_what_was_kept_back_is_stored_later(history: Path) -> None:
    with child("no_room", history) as process:
        kind, words, kept_back, stored = lines(process)
        assert process.wait() == 0
    assert kind == "full"
    assert str(history) in words
    assert "cannot grow" in words
    assert "Make room on that disk" in words
    assert int(kept_back) > 50
    assert stored == "200"
    assert_sound(history)


def test_a_full_database_refuses_a_message_and_keeps_what_it_has(store: Store, history: Path) -> None:
    conversation = store.create_conversation()
    store.add_message(conversation.id, None, "user", "before")
    (pages,) = store._database.rows("PRAGMA page_count")
    store._database.execute(f"PRAGMA max_page_count = {pages[0] + 3}")
    with pytest.raises(StoreError) as caught:
        store.add_message(conversation.id, None, "user", "x" * 100_000)
    assert caught.value.kind == "full"
    assert [m.content for m in store.children(conversation.id, None)] == ["before"]
    store._database.execute("PRAGMA max_page_count = 1000000")
    store.add_message(conversation.id, None, "user", "x" * 100_000)
    assert_sound(history)


@pytest.fixture
def open_to_all() -> Path:
    """A folder that everybody may enter: pytest's own lets nobody in, and the stranger must get as far as ours."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    return folder


def refusal(history: Path) -> tuple[str, str]:
    with child("stranger", history) as process:
        kind, words = lines(process)
        assert process.wait() == 0
    return kind, words


def test_a_folder_without_write_permission_is_told(open_to_all: Path) -> None:
    open_to_all.chmod(0o555)
    kind, words = refusal(open_to_all / "history.db")
    assert kind == "read_only"
    assert f"no permission to write in {open_to_all}" in words
    assert "PUNA_HOME" in words


def test_a_folder_that_cannot_be_made_is_told(open_to_all: Path) -> None:
    open_to_all.chmod(0o555)
    kind, words = refusal(open_to_all / "data" / "history.db")
    assert kind == "read_only"
    assert f"the folder {open_to_all / 'data'}" in words


def test_a_file_without_write_permission_is_told(open_to_all: Path) -> None:
    history = open_to_all / "history.db"
    Store(history).close()
    history.chmod(0o444)
    open_to_all.chmod(0o555)
    kind, words = refusal(history)
    assert kind == "read_only"
    assert f"chmod u+rw {history}" in words


def in_a_file(tmp_path: Path) -> Path:
    (tmp_path / "data").write_text("a file where the folder should be")
    return tmp_path / "data" / "history.db"


def is_a_folder(tmp_path: Path) -> Path:
    (tmp_path / "history.db").mkdir()
    return tmp_path / "history.db"


@pytest.mark.parametrize("place", [in_a_file, is_a_folder])
def test_something_in_the_way_is_told(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    history = place(tmp_path)
    with pytest.raises(StoreError) as caught:
        Store(history)
    assert caught.value.kind == "read_only"
    assert str(history.parent) in str(caught.value)
