"""The list of downloads: what it keeps, what it does with damage, and that it is one list for every puna."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tui.config.errors import ConfigError
from tui.config.paths import Paths
from tui.hub.downloads.queue import KEPT, Queue
from tui.hub.downloads.values import Item, Told, Wanted


def made(number: int, **more: object) -> Item:
    files = (Wanted(f"m{number}-Q4_K_M.gguf", 1000, f"{number:064x}"),)
    known: dict[str, object] = {"id": f"item{number}", "name": f"org/m{number}:Q4_K_M", "repo": f"org/m{number}"}
    return Item(**{**known, "commit": "c" * 40, "revision": "main", "files": files, **more})  # type: ignore[arg-type]


@pytest.fixture
def queue(puna_home: Paths) -> Queue:
    return Queue(puna_home)


def ids(queue: Queue) -> list[str]:
    return [item.id for item in queue.read()]


def test_what_is_put_stays_in_its_order_and_is_put_once(queue: Queue, puna_home: Paths) -> None:
    for number in range(3):
        queue.put(made(number))
    queue.put(made(1, paused=True))
    assert Queue(puna_home).read() == (made(0), made(1, paused=True), made(2))


def test_items_move_up_and_down_and_not_beyond(queue: Queue) -> None:
    for number in range(4):
        queue.put(made(number))
    queue.move("item3", -2)
    assert ids(queue) == ["item0", "item3", "item1", "item2"]
    queue.move("item0", 99)
    assert ids(queue) == ["item3", "item1", "item2", "item0"]
    queue.move("nothing", 1)
    assert len(ids(queue)) == 4


def test_a_change_of_what_is_gone_changes_nothing(queue: Queue) -> None:
    queue.put(made(0))
    assert queue.update("gone", paused=True) is None
    assert queue.remove("gone") is None
    assert queue.remove("item0") == made(0)
    assert queue.read() == ()


def test_of_finished_items_the_last_are_remembered(queue: Queue) -> None:
    for number in range(KEPT + 5):
        queue.put(made(number, outcome="done"))
    queue.put(made(1000))
    assert ids(queue) == [f"item{number}" for number in (*range(5, KEPT + 5), 1000)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "[" * 9000,
        '[{"id":"a"}]',
        msgspec.json.encode([made(0, repo="../x")]).decode(),
        msgspec.json.encode([made(0, id="../../x")]).decode(),
        msgspec.json.encode([made(0, files=(Wanted("../x.gguf", 1, "0" * 64),))]).decode(),
        msgspec.json.encode([made(0, files=(Wanted("x.gguf", 1, "../../x"),))]).decode(),
        msgspec.json.encode([made(0, files=())]).decode(),
    ],
    ids=range(10),
)
def test_a_damaged_list_counts_as_empty_and_is_kept_when_a_new_one_begins(queue: Queue, text: str) -> None:
    queue.file.parent.mkdir(parents=True)
    queue.file.write_text(text)
    assert queue.read() == ()
    assert queue.file.read_text() == text, "reading changes nothing"
    queue.put(made(1))
    assert queue.read() == (made(1),)
    assert queue.file.with_suffix(".damaged").read_text() == text


def test_a_list_that_cannot_be_written_is_told_with_its_file(queue: Queue) -> None:
    queue.file.mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"downloads\.json"):
        queue.put(made(0))


def test_an_item_belongs_to_one_at_a_time_and_names_its_owner(queue: Queue, puna_home: Paths) -> None:
    assert queue.owner("item0") is None
    claim = queue.claim("item0")
    assert claim is not None
    assert Queue(puna_home).claim("item0") is None
    own = multiprocessing.current_process().pid
    assert queue.owner("item0") == (own, None)
    for told in (Told(reason="a long reason " * 9, again_at=5.5, tries=2), Told(done_bytes=7)):
        claim.say(msgspec.json.encode(told))
        assert queue.owner("item0") == (own, told)
    claim.say(b"{half")
    assert queue.owner("item0") == (own, None)
    claim.release()
    claim.say(b"{}")
    assert queue.owner("item0") is None
    again = queue.claim("item0")
    assert again is not None
    again.release()
    assert list((puna_home.state / "downloads").iterdir()) == [], "nothing stays behind"


_HOLD = """
import sys
from pathlib import Path
from tui.hub.downloads.claim import claim
assert claim(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_what_belonged_to_a_killed_process_is_free(queue: Queue, puna_home: Paths) -> None:
    path: Path = puna_home.state / "downloads" / "item0.lock"
    pipe = subprocess.PIPE
    child = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdin=pipe, stdout=pipe, text=True)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert (queue.claim("item0"), queue.owner("item0")) == (None, (child.pid, None))
        child.kill()
        child.wait()
        assert queue.owner("item0") is None
        claim = queue.claim("item0")
    assert claim is not None
    claim.release()
