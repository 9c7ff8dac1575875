"""Downloads in the workbench: seen, steered, finished and loaded, over a hub of this machine with all its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.app.rig import QWEN, Bench, World, home_paths, workbench
from tests.rigs.gguf_maker import plain_gguf
from tests.rigs.hub import (
    Answer,
    Content,
    Corrupt,
    Cut,
    LoopbackHub,
    Repo,
    Slow,
    Stall,
    gguf_bytes,
    of_bytes,
    of_file,
    rate_limited,
)
from tests.rigs.hub.environment import hub_home
from tests.rigs.pictures import noise_png
from tui.app.panels.downloads.panel import DownloadsPanel
from tui.app.panels.downloads.values import Row
from tui.app.panels.downloads.words import state
from tui.config.settings import DownloadSettings
from tui.hub.client import connect
from tui.hub.downloads.control import Downloads
from tui.hub.downloads.queue import Queue
from tui.models.pulling import order

KIB, MIB = 1 << 10, 1 << 20
Serve = Callable[..., LoopbackHub]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a hub with these repositories, which the client finds as a person's would."""
    with ExitStack() as stack:
        folder = stack.enter_context(hub_home(tmp_path / "hf", monkeypatch))
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder / "hub"))

        def start(*repos: Repo) -> LoopbackHub:
            hub = stack.enter_context(LoopbackHub(*repos))
            monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
            return hub

        yield start


def content(seed: int = 1, size: int = MIB) -> Content:
    return of_bytes(gguf_bytes(size, seed))


def repo(name: str = "org/m-GGUF", seed: int = 1, *, more: Mapping[str, Content] | None = None) -> Repo:
    return Repo(name, {f"{name.partition('/')[2][:1]}-Q4_K_M.gguf": content(seed), **(more or {})})


def rows(bench: Bench) -> tuple[Row, ...]:
    return bench.app.desk.downloads.rows


def phases(bench: Bench) -> list[str]:
    return [row.phase for row in rows(bench)]


def listed(bench: Bench, title: str) -> bool:
    return bool(rows(bench)) and rows(bench)[-1].title == title


async def fetching(bench: Bench, done: int = 1) -> None:
    """Until bytes have come."""
    await bench.until(lambda: rows(bench) and rows(bench)[0].phase == "fetches" and rows(bench)[0].done_bytes >= done)


async def test_a_model_is_named_fetched_told_listed_and_loaded_with_one_key(tmp_path: Path, serve: Serve) -> None:
    file = plain_gguf(tmp_path / "m.gguf", {"llama.block_count": 2}, tensors={"t": (2,)})
    serve(Repo("org/m-GGUF", {"m-Q4_K_M.gguf": of_file(file)}))
    world = World()
    async with workbench(tmp_path / "home", world) as bench:
        await bench.press("ctrl+t")
        await bench.shows("Pull a model from the Hub")
        await bench.press(*"org/m-GGUF", "enter")
        await bench.until(lambda: phases(bench) == ["done"])
        await bench.until(lambda: any("is here" in notice and "^l loads it" in notice for notice in bench.notices))
        await bench.until(lambda: "org/m-GGUF" in [model.repo for model in bench.app.bench.library.rows])
        await bench.press("ctrl+l")
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert world.engine.name == "m-Q4_K_M"
        assert bench.app.desk.downloads.arrived.last is None
        await bench.press("escape", "d")
        await bench.shows("Downloads · 1", "m Q4_K_M", "done")
        await bench.press("e")
        await bench.shows("sha256", "commit")
        await bench.press("escape", "enter")
        await bench.shows("Load m-Q4_K_M")


async def test_a_model_that_is_here_is_known_however_the_library_is_narrowed(tmp_path: Path, serve: Serve) -> None:
    file = plain_gguf(tmp_path / "m.gguf", {"llama.block_count": 2}, tensors={"t": (2,)})
    hub = serve(Repo("org/m-GGUF", {"m-Q4_K_M.gguf": of_file(file)}))
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.until(lambda: "org/m-GGUF" in [model.repo for model in bench.app.bench.library.rows])
        bench.app.bench.library.narrow("another")
        await bench.press("ctrl+t")
        await bench.shows("Pull a model from the Hub")
        await bench.press(*"org/m-GGUF", "enter")
        await bench.until(lambda: any("is here already" in notice for notice in bench.notices))
        bench.app.bench.library.narrow("another")
        await bench.press("escape", "d", "enter")
        await bench.shows("Load m-Q4_K_M")
        assert hub.count("cdn") == 1


async def test_an_address_that_leads_nowhere_is_told_in_the_dialog_which_stays(tmp_path: Path, serve: Serve) -> None:
    serve(repo())
    async with workbench(tmp_path / "home") as bench:
        await bench.press("ctrl+t")
        await bench.press(*"org/m-GGUF:Q9", "enter")
        await bench.shows("has no Q9", "Q4_K_M")
        await bench.press("escape")
        assert rows(bench) == ()


async def test_the_projector_is_offered_along(tmp_path: Path, serve: Serve) -> None:
    serve(repo(more={"mmproj-F16.gguf": content(2)}))
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF", "Q4_K_M")
        await bench.shows("with its projector", "the model alone")
        await bench.press("enter")
        await bench.until(lambda: phases(bench) == ["done", "done"])
        assert [row.projector for row in rows(bench)] == [False, True]
        await bench.until(lambda: sum("is here" in notice for notice in bench.notices) == 2)
        fetched = bench.app.desk.downloads.arrived.last
        assert fetched is not None
        assert fetched.id == rows(bench)[0].item.id, "a projector is nothing to load"


async def test_the_projector_of_a_model_that_is_here_is_fetched_alone(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(repo(more={"mmproj-F16.gguf": content(2)}))
    monkeypatch.chdir(noise_png(tmp_path / "cat.png", 30, 20).parent)
    blind = replace(QWEN, repo="org/m-GGUF", file="m-Q4_K_M.gguf")
    async with workbench(tmp_path / "home", models=(blind,)) as bench:
        await bench.write("What is @cat.png?")
        await bench.shows("Fetch its projector")
        await bench.press("enter")
        await bench.until(lambda: phases(bench) == ["done"])
        assert [row.projector for row in rows(bench)] == [True]
        assert bench.app.bench.chat.editor.text == "What is @cat.png?"


async def test_the_finder_asks_for_a_file_by_a_message(tmp_path: Path, serve: Serve) -> None:
    from tui.app.panels.finder.wanted import PullWanted

    serve(repo())
    async with workbench(tmp_path / "home") as bench:
        bench.app.post_message(PullWanted("org/m-GGUF", "Q4_K_M", "m-Q4_K_M.gguf"))
        await bench.until(lambda: phases(bench) == ["done"])


async def test_the_empty_panel_says_what_to_do(tmp_path: Path, serve: Serve) -> None:
    serve()
    async with workbench(tmp_path / "home", size=(80, 24)) as bench:
        await bench.press("escape", "d")
        await bench.shows("Nothing is being fetched.", "fetches a model by its name", "puna pull org/repo:QUANT")


async def test_pause_resume_and_a_limit_by_keys(tmp_path: Path, serve: Serve) -> None:
    hub = serve(repo())
    hub.fail("cdn", Slow(256 * KIB), times=1)
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.press("f12")
        await fetching(bench)
        await bench.shows("⇣ 1", "MiB", "KiB/s")
        await bench.press("space")
        await bench.until(lambda: phases(bench) == ["paused"] and rows(bench)[0].elsewhere is None)
        assert "⇣" not in bench.text(), "nothing is on its way"
        kept = rows(bench)[0].done_bytes
        await bench.press("b")
        await bench.shows("At most, for all downloads together", "no limit")
        await bench.press(*"fast", "enter")
        await bench.shows("'fast' is no speed")
        await bench.press(*["backspace"] * 4, *"100", "enter")
        await bench.shows("at most 100 MiB/s")
        await bench.press("space")
        await bench.until(lambda: phases(bench) == ["done"])
        assert [seen.request.headers["range"] for seen in hub.seen("cdn")][1].startswith(f"bytes={kept}-")
        assert "limit_mib_s = 100" in home_paths(tmp_path / "home").config_file.read_text()


async def test_order_pause_all_and_clear_by_keys(tmp_path: Path, serve: Serve) -> None:
    hub = serve(*(repo(f"org/{name}-GGUF", seed) for seed, name in enumerate("abc")))
    hub.fail("cdn", Stall(after=64 * KIB), within="")
    async with workbench(tmp_path / "home") as bench:
        for name in "abc":
            bench.app.desk.downloads.pull(f"org/{name}-GGUF")
            await bench.until(partial(listed, bench, name))
        await bench.press("escape", "d", "end")
        await bench.until(lambda: phases(bench)[2] == "waits")
        await bench.press("K", "K")
        await bench.until(lambda: [row.title for row in rows(bench)] == ["c", "a", "b"])
        assert bench.app.desk.downloads._panel.rows.index == 0, "the cursor goes along"  # type: ignore[union-attr]
        await bench.press("P")
        await bench.until(lambda: phases(bench) == ["paused"] * 3)
        hub.heal()
        await bench.press("P")
        await bench.until(lambda: phases(bench) == ["done"] * 3)
        await bench.press("X")
        await bench.until(lambda: rows(bench) == ())


@pytest.mark.parametrize(("choice", "left"), [("down", 0), ("up", 1)], ids=["delete", "keep"])
async def test_cancel_asks_what_becomes_of_what_came(tmp_path: Path, serve: Serve, choice: str, left: int) -> None:
    hub = serve(repo())
    hub.fail("cdn", Stall(after=256 * KIB))
    parts = tmp_path / "hf" / "puna-parts"
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.press("f12")
        await fetching(bench)
        await bench.press("x")
        await bench.shows("Cancel org/m-GGUF", "keep", "delete")
        await bench.press(choice, "enter")
        await bench.until(lambda: rows(bench) == ())
        await bench.until(lambda: len(list(parts.glob("*.part"))) == left)


async def test_a_wrong_byte_is_seen_as_a_reason_and_healed(tmp_path: Path, serve: Serve) -> None:
    hub = serve(repo())
    hub.fail("cdn", Corrupt(at=0), times=1)
    hub.fail("cdn", Slow(512 * KIB))
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.press("f12")
        await bench.until(lambda: rows(bench) and "set aside" in rows(bench)[0].last_reason)
        await bench.shows("tries", "has SHA-256")
        await bench.until(lambda: phases(bench) == ["done"])


async def test_too_many_requests_are_waited_for_with_the_reason_and_a_key_hurries(tmp_path: Path, serve: Serve) -> None:
    hub = serve(repo())
    hub.fail("cdn", rate_limited(600, standard=False), times=1)
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.press("f12")
        await bench.shows("again in 601 s")
        await bench.press("r")
        await bench.until(lambda: phases(bench) == ["done"])


async def test_a_failure_is_told_stays_on_the_list_and_is_tried_again_by_key(tmp_path: Path, serve: Serve) -> None:
    hub = serve(repo())
    hub.fail("cdn", Answer(403))
    hub.fail("resolve", Answer(403, "GatedRepo"), times=1)
    async with workbench(tmp_path / "home", size=(80, 24)) as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.until(lambda: any(" failed: " in notice for notice in bench.notices))
        await bench.press("f12")
        assert phases(bench) == ["failed"]
        await bench.shows("! org/m-GGUF", "accept its terms", "r again")
        hub.heal()
        await bench.press("r")
        await bench.until(lambda: phases(bench) == ["done"])


async def test_no_room_is_told_before_anything_is_queued(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.hub.downloads.space import Room

    serve(repo())
    defaults = Downloads.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "look", lambda folder: Room(1, MIB))
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.until(lambda: any("free" in notice and "needs" in notice for notice in bench.notices))
        assert rows(bench) == ()


async def test_quit_in_the_middle_says_so_and_the_next_start_goes_on(tmp_path: Path, serve: Serve) -> None:
    hub = serve(repo())
    hub.fail("cdn", Stall(after=256 * KIB), times=1)
    async with workbench(tmp_path / "home") as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await fetching(bench)
        app = bench.app
    assert "org/m-GGUF:Q4_K_M is stopped with" in app.last_words
    kept = next((tmp_path / "hf" / "puna-parts").glob("*.part")).stat().st_size
    async with workbench(tmp_path / "home") as bench:
        await bench.until(lambda: any("1 download on the way" in notice for notice in bench.notices))
        await bench.until(lambda: phases(bench) == ["done"])
    starts = [seen.request.headers["range"] for seen in hub.seen("cdn")]
    assert starts[1].startswith(f"bytes={kept}-")


async def test_what_was_paused_waits_paused_at_the_next_start(tmp_path: Path, serve: Serve) -> None:
    hub = serve(repo())
    queue = Queue(home_paths(tmp_path / "home"))
    item = order(connect(), "org/m-GGUF", DownloadSettings()).item
    queue.put(item)
    queue.update(item.id, paused=True)
    async with workbench(tmp_path / "home") as bench:
        await bench.until(lambda: any("1 paused" in notice for notice in bench.notices))
        assert hub.count("cdn") == 0
        await bench.press("escape", "d", "enter")
        await bench.until(lambda: phases(bench) == ["done"])


async def test_another_punas_download_is_seen_live_and_steered_from_here(tmp_path: Path, serve: Serve) -> None:
    hub = serve(repo())
    hub.fail("cdn", Slow(256 * KIB), times=1)
    other = Downloads(connect(), home_paths(tmp_path / "home"), DownloadSettings(), lambda event: None)
    async with workbench(tmp_path / "home") as bench:
        other.add(order(connect(), "org/m-GGUF", DownloadSettings()).item)
        other.start()
        try:
            bench.app.desk.downloads.fetching.look()
            await bench.press("f12")
            await bench.until(lambda: rows(bench) and rows(bench)[0].active)
            await bench.press("space")
            await bench.until(lambda: phases(bench) == ["paused"])
            assert hub.count("cdn") <= 2, "the queue is not doubled"
            hub.heal()
            await bench.press("space")
            await bench.until(lambda: phases(bench) == ["done"])
        finally:
            other.close()


async def test_a_cut_is_shown_as_the_reason_while_it_is_waited(
    tmp_path: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = serve(repo())
    hub.fail("cdn", Cut(after=64 * KIB), times=1)
    shown: list[str] = []  # it is there for a second only, in which a busy machine may not look at the screen
    show = DownloadsPanel.show

    def noted(panel: DownloadsPanel, rows: Sequence[Row], *more: Any) -> None:
        shown.extend(state(row) for row in rows)
        show(panel, rows, *more)

    monkeypatch.setattr(DownloadsPanel, "show", noted)
    async with workbench(tmp_path / "home", size=(160, 45)) as bench:
        bench.app.desk.downloads.pull("org/m-GGUF")
        await bench.press("f12")
        await bench.until(lambda: phases(bench) == ["done"])
    assert any(words.startswith("again in 1 s: ") for words in shown)
