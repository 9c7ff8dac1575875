"""One question to one real child process: its answer, its end in words, and that none is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import threading

import psutil  # type: ignore[import-untyped]
import pytest

from tui.process.once import OnceError, run_once

MODULE = "tests.rigs.once"


async def test_bytes_in_and_bytes_out() -> None:
    answer = await run_once(MODULE, ["echo", "--flag", "a b"], request=b"x" * 1_000_000, timeout_s=60, nice=3)
    facts = json.loads(answer)
    assert facts == {
        "arguments": ["echo", "--flag", "a b"],
        "request": "x" * 1_000_000,
        "nice": min(19, os.nice(0) + 3),
        "session": True,
        "backtrace": "1",
    }


@pytest.mark.parametrize(
    ("way", "words"),
    [("fail", "exit code 1: something native / this cannot be done"), ("die", "SIGABRT")],
)
async def test_its_end_is_told_in_words(way: str, words: str) -> None:
    with pytest.raises(OnceError, match=words):
        await run_once(MODULE, [way], timeout_s=60)


async def test_a_module_that_is_not_there() -> None:
    with pytest.raises(OnceError, match="nowhere"):
        await run_once("tests.rigs.nowhere", timeout_s=60)


async def test_one_that_takes_too_long_is_ended() -> None:
    before = set(psutil.Process().children())
    with pytest.raises(OnceError, match="did not answer within 0 s"):
        await run_once(MODULE, ["wait"], timeout_s=0.2)
    assert set(psutil.Process().children()) <= before


async def test_cancelling_ends_it() -> None:
    before = set(psutil.Process().children())
    task = asyncio.create_task(run_once(MODULE, ["wait"], timeout_s=60))
    while not set(psutil.Process().children()) - before:  # noqa: ASYNC110 - nobody tells of a new process
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert set(psutil.Process().children()) <= before


def test_it_is_refused_off_the_main_thread() -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(run_once(MODULE, ["echo"], timeout_s=60))
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])
