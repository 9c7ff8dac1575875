"""What is written while one works: all of it, in order, beside another puna, and never in the way of the screen."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.app.rig import LLAMA, QWEN, World, home_paths, workbench
from tests.chat.scripted import Gate
from tui.app import remember
from tui.config.model_file import read_models
from tui.config.settings import load_config


async def test_writes_that_follow_each_other_are_all_done_and_the_last_one_counts(tmp_path: Path) -> None:
    here = home_paths(tmp_path)
    async with workbench(tmp_path) as bench:
        background = bench.app.desk.background
        for n_ctx in (1024, 2048, 4096):
            background.remember(LLAMA, {"n_ctx": n_ctx})
        background.remember(QWEN, {"threads": 3})
        background.keep_setting("ui.theme", "laguna")
        background.keep_setting("ui.theme", "puna")
        background.keep_model(QWEN)
        background.keep_model(LLAMA)
        await bench.until(lambda: remember.read(here).get("model") == LLAMA.identity)
    assert read_models(here)[0] == {LLAMA.identity: {"n_ctx": 4096}, QWEN.identity: {"threads": 3}}
    assert load_config(here).settings.ui.theme == "puna"


def test_copies_that_remember_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    here, together = home_paths(tmp_path), threading.Barrier(8)

    def copy(number: int) -> None:
        together.wait()
        remember.keep(here, **{f"key {number}": number})

    threads = [threading.Thread(target=copy, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert remember.read(here) == {f"key {number}": number for number in range(8)}


def test_a_pipe_in_its_place_holds_nothing_up(tmp_path: Path) -> None:
    here = home_paths(tmp_path)
    here.state.mkdir(parents=True)
    os.mkfifo(here.state / "screen.json")
    assert remember.read(here) == {}
    remember.keep(here, model="a model")


async def test_nothing_is_synced_to_the_disk_in_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writers: list[int] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        writers.append(threading.get_ident())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    async with workbench(tmp_path, World(["The first words", Gate()])) as bench:
        await bench.write("Tell me.")
        await bench.shows("The first words")
        bench.app.leave_soon(129)
        await bench.until(lambda: not bench.app.is_running)
    async with workbench(tmp_path) as bench:
        await bench.until(lambda: any("continues it" in words for words in bench.notices))
        assert remember.read(home_paths(tmp_path)) == {"model": LLAMA.identity}, "it is offered once"
    assert writers
    assert threading.get_ident() not in writers
