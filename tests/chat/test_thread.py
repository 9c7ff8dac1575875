"""The store in its thread: cancellation, refusals, closing."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.chat.rig import values
from tui.chat.errors import StoreError
from tui.chat.store import Store
from tui.chat.thread import AsyncStore


async def test_all_calls_run_in_one_thread_that_is_not_the_loops(threaded: AsyncStore) -> None:
    idents = await asyncio.gather(*[threaded.call(lambda _store: threading.get_ident()) for _ in range(8)])
    assert len(set(idents)) == 1
    assert threading.get_ident() not in idents


async def test_a_refusal_while_opening_is_raised(tmp_path: Path) -> None:
    (tmp_path / "history.db").mkdir()
    with pytest.raises(StoreError, match="is a folder"):
        await AsyncStore.open(tmp_path / "history.db")


async def test_a_cancelled_task_still_gets_its_result_and_is_cancelled_at_its_next_wait(threaded: AsyncStore) -> None:
    at_work, go_on, steps = threading.Event(), threading.Event(), list[str]()

    def job(store: Store) -> int:
        at_work.set()
        go_on.wait()
        return store.create_conversation(title="made").id

    async def work() -> None:
        steps.append(f"made {await threaded.call(job)}")
        await threaded.call(lambda store: store.rename(1, "renamed"))
        steps.append("renamed")
        await asyncio.sleep(0)
        steps.append("never")

    task = asyncio.create_task(work())
    await asyncio.to_thread(at_work.wait)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["made 1", "renamed"]
    assert (await threaded.call(lambda store: store.conversation(1))).title == "renamed"


async def test_a_time_limit_around_a_call_is_still_a_time_limit(threaded: AsyncStore) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def job(_store: Store) -> None:
        at_work.set()
        go_on.wait()

    async def limited() -> None:
        async with asyncio.timeout(None) as limit:
            calling = asyncio.create_task(asyncio.to_thread(at_work.wait))
            calling.add_done_callback(lambda _task: limit.reschedule(0))
            asyncio.get_running_loop().call_later(0.05, go_on.set)
            await threaded.call(job)
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await limited()


async def test_a_closed_history_says_so_and_closes_once(history: Path) -> None:
    store = await AsyncStore.open(history)
    await store.call(lambda s: s.create_conversation(title="kept"))
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed already"):
        await store.call(lambda s: s.conversations())
    assert values(history, "SELECT title FROM conversations") == [("kept",)]


async def test_what_is_unsaved_is_tried_again_until_it_succeeds(
    threaded: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.chat.thread.RETRY_S", 0.001)
    attempts, saved = 0, asyncio.Event()

    def job(store: Store) -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 4:
            raise StoreError("full", "no room")
        store.create_conversation(title="at last")

    threaded.keep_trying(1, job, saved.set)
    assert threaded.unsaved == {1}
    await saved.wait()
    assert (attempts, threaded.unsaved) == (4, frozenset())
    assert [c.title for c in await threaded.call(lambda store: store.conversations())] == ["at last"]


async def test_what_is_unsaved_is_tried_once_more_on_closing(history: Path) -> None:
    store, saved = await AsyncStore.open(history), asyncio.Event()
    store.keep_trying(1, lambda s: s.create_conversation(title="just in time"), saved.set)
    await store.close()
    assert saved.is_set()
    assert values(history, "SELECT title FROM conversations") == [("just in time",)]


async def test_closing_tells_what_could_not_be_stored(history: Path) -> None:
    def full(_store: Store) -> None:
        raise StoreError("full", "no room")

    store = await AsyncStore.open(history)
    store.keep_trying(1, full, lambda: None)
    with pytest.raises(StoreError, match="no room"):
        await store.close()
    assert store.unsaved == {1}


async def test_a_message_that_was_removed_for_good_is_not_tried_again(history: Path) -> None:
    store, saved = await AsyncStore.open(history), asyncio.Event()
    store.keep_trying(9, lambda s: s.finish(9, "eog"), saved.set)
    await store.close()
    assert (store.unsaved, saved.is_set()) == (frozenset(), False)
