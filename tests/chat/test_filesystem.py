"""Which folders other machines may see too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chat.rig import values
from tui.chat import filesystem
from tui.chat.filesystem import is_shared
from tui.chat.store import Store

TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:41 / {home} rw,relatime shared:9 master:2 - nfs4 server:/home rw,vers=4.2
31 30 0:42 / {home}/my\\040local\\134disk rw - xfs /dev/vdb rw
40 22 0:43 / {home}/project rw - tmpfs tmpfs rw
41 40 0:44 / {home}/project rw - fuse.sshfs me@there:/ rw
not a line of the table
"""


@pytest.mark.parametrize(
    ("folder", "shared"),
    [("", True), ("deep/inside", True), ("my local\\disk/data", False), ("project/x", True), ("../elsewhere", False)],
)
def test_the_deepest_and_latest_mount_decides(tmp_path: Path, folder: str, shared: bool) -> None:
    home = os.path.realpath(tmp_path / "home")
    table = tmp_path / "mountinfo"
    table.write_text(TABLE.format(home=home))
    assert is_shared(Path(home, folder), table) is shared


def test_without_a_table_nothing_is_shared(tmp_path: Path) -> None:
    assert is_shared(tmp_path, tmp_path / "missing") is False


def test_a_history_on_a_shared_disk_has_no_write_ahead_log(
    tmp_path: Path, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(history).close()
    table = tmp_path / "mountinfo"
    table.write_text(TABLE.format(home=os.path.realpath(tmp_path)))
    monkeypatch.setattr(filesystem, "MOUNTS", table)
    store = Store(history)
    question = store.add_message(store.create_conversation().id, None, "user", "On the network")
    answer = store.begin_answer(question.id)
    store.append(answer.id, "it works, too")
    store.finish(answer.id, "eog")
    assert not history.with_name("history.db-wal").exists()
    store.close()
    assert values(history, "PRAGMA journal_mode") == [("delete",)]
    assert values(history, f"SELECT content FROM messages WHERE id = {answer.id}") == [("it works, too",)]
