"""The finder in the workbench: opened, priced on a machine that is described, asking a hub of this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.app.described import Answers, DescribedDryRun, cards, describe, machine_with
from tests.app.rig import GIB, LLAMA, QWEN, Bench, a_model, home_paths, workbench
from tests.rigs.hub import LoopbackHub, Stall
from tui.app.messages import ModelsFound, Sampled
from tui.app.panels.finder.panel import FinderPanel
from tui.app.panels.finder.wanted import PullWanted
from tui.hub.catalogue import keep_catalogue, starter

pytestmark = pytest.mark.asyncio(loop_scope="module")

GPU = machine_with(cards(24))
TINY = "Lama-Lama-1M"
NAMES = frozenset(
    {"gemma-3-27b-it", "gemma-2-27b-it", "Qwen3-8B", "Qwen2.5-Coder-7B-Instruct", "DeepSeek-V3",
     "Llama-3.3-70B-Instruct", "SmolLM2-1.7B-Instruct", "Yi-1.5-34B-Chat"}
)  # fmt: skip
"""A catalogue that is priced in no time."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dry_run() -> AsyncIterator[DescribedDryRun]:
    """The one process that every test here asks."""
    async with DescribedDryRun(answers=Answers()) as running:
        yield running


@asynccontextmanager
async def finder(
    home: Path, dry_run: DescribedDryRun, *, size: tuple[int, int] = (80, 24), settled: bool = True
) -> AsyncIterator[tuple[Bench, FinderPanel]]:
    """A workbench with the finder open; everything of the catalogue has its price when it is `settled`."""
    few = tuple(listing for listing in starter().listings if listing.name in NAMES)
    keep_catalogue(home_paths(home), few, "2026-12-24")
    async with workbench(home, size=size) as bench:
        describe(bench.app, GPU, dry_run)
        await bench.press("f10")
        panel = bench.app.desk.finder.panel
        assert panel is not None
        if settled:
            await bench.until(lambda: panel.total >= len(NAMES) and all(row.verdict for row in panel.shelf.rows))
        yield bench, panel


def pulls(bench: Bench) -> list[PullWanted]:
    """Downloads that are asked for from now on."""
    found: list[PullWanted] = []
    post = bench.app.post_message

    def kept(message: object) -> bool:
        if isinstance(message, PullWanted):
            found.append(message)
        return post(message)  # type: ignore[arg-type]

    bench.app.post_message = kept  # type: ignore[method-assign]
    return found


async def test_without_a_network_it_works_on_the_catalogue(
    tmp_path: Path, dry_run: DescribedDryRun, no_hub: None
) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.shows("Find · 8", "catalogue of 2026-12-24", "the Hub cannot be reached", "tries again")
        assert panel.found.selected is not None
        assert panel.found.selected.verdict == "gpu", "what fits best comes first"
        await bench.press(*"gemma 27b")
        assert {"gemma" in row.listing.name.casefold() for row in panel.found.rows} == {True}
        await bench.press("escape", "enter")
        await bench.until(lambda: panel.pane.about and panel.pane.about.problem)
        assert panel.pane.about is not None
        assert panel.pane.about.note == "Estimated from what its card says.", "it is not asked again and again"
        assert len(panel.pane.about.rows) == 7


async def test_what_the_hub_finds_streams_in_while_one_types(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.flows.finder.hub.DEBOUNCE_S", 1.5)  # a busy machine types slowly
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.shows("the Hub")
        await bench.press(*"lama-lama")
        await bench.until(lambda: any(row.listing.name == TINY for row in panel.found.rows))
        await bench.shows(TINY, "● GPU")
        assert hub.count("models") < 9, "not every letter is asked for"
        row = next(row for row in panel.found.rows if row.listing.name == TINY)
        assert (row.listing.downloads, row.listing.licence) == (4321, "apache-2.0")
        # What is in sight is known by its files after a moment, without being looked at, the gated one, too.
        await bench.until(lambda: [row.file for row in panel.found.rows if row.listing.name == TINY] != [None])
        known = next(row for row in panel.found.rows if row.listing.name == TINY)
        assert {row.quant for row in bench.app.desk.finder.now.rows.rows_of(known.listing)} == {"Q4_K_M", "Q8_0"}
        guessed = [row.listing.name for row in panel.shelf.rows if row.file is None]
        assert set(guessed) <= NAMES, "what the Hub does not have stays a guess"


async def test_one_model_is_looked_at_until_its_numbers_are_exact_and_fetched(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub
) -> None:
    async with finder(tmp_path, dry_run, size=(120, 40)) as (bench, panel):
        wanted = pulls(bench)
        await bench.press(*"lama-lama")
        await bench.until(lambda: panel.found.selected and panel.found.selected.listing.name == TINY)
        await bench.press("enter")
        await bench.shows(
            "Exact: a dry run of the file's header.", "A model that answers with nonsense", "is recommended"
        )
        assert hub.endpoint in bench.text(), "the page to open"
        selected = panel.pane.selected
        assert selected is not None
        assert selected.exact
        await bench.press("home", "p")
        await bench.until(lambda: wanted)
        assert (wanted[0].quant, wanted[0].file) == ("Q4_K_M", "Lama-Lama-1M-Q4_K_M.gguf")
        await bench.until(lambda: any(row.item.file == wanted[0].file for row in bench.app.desk.downloads.rows))
        await bench.press("y")
        assert any("clipboard" in words for words in bench.notices)


async def test_each_model_that_is_to_be_fetched_is_whatever_is_looked_at_next(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub
) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        wanted = pulls(bench)
        await bench.press(*"graze")
        await bench.until(lambda: len(panel.found.rows) == 2)
        await bench.press("escape", "p", "down", "p", "enter", "escape")
        await bench.until(lambda: len(wanted) == 2)
        assert {one.repo.partition("/")[2] for one in wanted} == {f"{TINY}-GGUF", "Guarded-2M-GGUF"}


async def test_what_is_fetched_is_here_in_list_and_pane(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub
) -> None:
    async with finder(tmp_path, dry_run, size=(120, 40)) as (bench, panel):
        await bench.press(*"lama-lama")
        await bench.until(lambda: panel.found.selected and panel.found.selected.listing.name == TINY)
        await bench.press("enter")
        await bench.shows("Exact: a dry run of the file's header.")
        await bench.until(lambda: panel.found.selected and panel.found.selected.file)
        row = panel.found.selected
        assert row is not None
        mine = replace(a_model("mine", row.quant, repo=row.listing.repo), file=row.file or "")
        bench.app.post_message(ModelsFound((LLAMA, mine)))
        await bench.until(
            lambda: panel.pane.about and mine.identity in [one.installed for one in panel.pane.about.rows]
        )
        assert panel.found.selected is not None
        assert panel.found.selected.installed == mine.identity
        await bench.press("escape", "o")
        await bench.shows("Load mine")


async def test_of_a_model_that_was_left_nothing_is_said_to_be_on_its_way(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub
) -> None:
    hub.fail("cdn", Stall())
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press(*"graze")
        await bench.until(lambda: len(panel.found.rows) == 2)
        await bench.press("enter")
        await bench.until(lambda: hub.count("cdn"))
        await bench.shows("its header is being read")
        left = panel.listing
        assert left is not None
        await bench.press("escape", "down", "enter")
        await bench.until(lambda: panel.pane.about and panel.pane.about.page)
        assert panel.listing != left
        about = bench.app.desk.finder.now.looking.about(left, panel.n_ctx, (), {})
        assert about.rows
        assert "being read" not in about.note


async def test_a_header_that_is_on_its_way_is_waited_for_while_memory_changes(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.flows.finder.flow.DRIFT_S", 0.0)
    hub.fail("cdn", Stall())
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press(*"lama-lama")
        await bench.until(lambda: panel.found.selected and panel.found.selected.listing.name == TINY)
        await bench.press("enter")
        await bench.until(lambda: hub.count("cdn"))
        for gib in (2, 24, 2):
            before = panel.shelf
            bench.app.desk.on_sampled(Sampled(machine_with(cards(gib))))
            await bench.until(lambda before=before: panel.shelf is not before)  # type: ignore[misc]
        assert hub.count("model") == 1
        assert hub.count("cdn") == 1, "it does not begin anew each time"


async def test_one_key_in_the_list_fetches_what_there_is(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub
) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        wanted = pulls(bench)
        await bench.press(*"lama-lama")
        await bench.until(lambda: panel.found.selected and panel.found.selected.listing.name == TINY)
        await bench.press("escape", "p")
        await bench.until(lambda: wanted)
        assert wanted[0].file.endswith(".gguf")


async def test_what_cannot_be_fetched_says_why(tmp_path: Path, dry_run: DescribedDryRun, no_hub: None) -> None:
    async with finder(tmp_path, dry_run) as (bench, _):
        wanted = pulls(bench)
        await bench.press(*"smollm2", "escape", "p")
        await bench.until(lambda: any("cannot be fetched" in words for words in bench.notices))
        assert not wanted


async def test_what_nobody_may_fetch_says_where_to_ask(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub
) -> None:
    async with finder(tmp_path, dry_run, size=(120, 40)) as (bench, panel):
        await bench.press(*"guarded")
        await bench.until(lambda: panel.found.selected and "Guarded" in panel.found.selected.listing.name)
        await bench.press("enter")
        await bench.until(lambda: panel.pane.about and f"at {hub.endpoint}" in panel.pane.about.problem)


async def test_the_hub_is_asked_once_more_by_a_key(tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub) -> None:
    from tests.rigs.hub import CAPTIVE_PORTAL

    hub.fail("models", CAPTIVE_PORTAL)
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.shows("the Hub cannot be reached")
        hub.heal()
        await bench.press("escape", "R")
        await bench.until(lambda: any(row.listing.name == TINY for row in panel.shelf.rows))
        await bench.until(lambda: "cannot be reached" not in bench.text())


async def test_no_row_left_says_which_filter_is_the_reason(
    tmp_path: Path, dry_run: DescribedDryRun, no_hub: None
) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press(*"deepseek-v3", "escape", "f")
        await bench.until(lambda: not panel.found.rows)
        await bench.shows("No model called 'deepseek-v3' has all of this.", "left out by 'fits GPU'", "0 takes all")
        await bench.press("f10", *"zzz")
        await bench.shows("Nothing is called 'zzz'")
        await bench.press("escape", "0")
        await bench.until(lambda: len(panel.found.rows) == panel.total)


async def test_a_model_that_is_looked_at_stays_when_a_filter_leaves_it_out(
    tmp_path: Path, dry_run: DescribedDryRun, no_hub: None
) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press(*"deepseek-v3", "enter")
        await bench.until(lambda: panel.pane.about and panel.pane.about.rows)
        await bench.press("f")
        await bench.until(lambda: not panel.found.rows)
        await bench.shows("DeepSeek-V3-GGUF")
        await bench.press("f", "escape")
        assert panel.listing is None


async def test_what_the_hub_was_not_asked_yet_it_is_not_said_to_lack(
    tmp_path: Path, dry_run: DescribedDryRun, hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with finder(tmp_path, dry_run) as (bench, _):
        await bench.shows("the Hub")
        monkeypatch.setattr("tui.app.flows.finder.hub.DEBOUNCE_S", 60.0)
        await bench.press(*"zzz")
        await bench.shows("Nothing is called 'zzz' in the catalogue; the Hub is being asked.")


async def test_what_llama_cpp_cannot_do_is_said(tmp_path: Path, dry_run: DescribedDryRun, no_hub: None) -> None:
    async with finder(tmp_path, dry_run) as (bench, _):
        await bench.press(*"image generation")
        await bench.shows("llama.cpp")
        await bench.press("ctrl+u")
        await bench.until(lambda: "llama.cpp" not in bench.text())


async def test_the_ghost_follows_the_cursor_and_the_price_the_context(
    tmp_path: Path, dry_run: DescribedDryRun, no_hub: None
) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press("escape", "home", "down")
        ghost = bench.app.desk.finder
        await bench.until(lambda: (ghost.ghost or {}).get("GPU-0", 0) > 15 * GIB)
        row = panel.found.selected
        assert row is not None
        await bench.press("+", "+")
        await bench.until(lambda: panel.found.selected and panel.found.selected.need_bytes != row.need_bytes)
        await bench.press("f2")
        assert ghost.ghost is None, "the library's own is shown there"


async def test_prices_follow_the_memory_that_is_free(
    tmp_path: Path, dry_run: DescribedDryRun, no_hub: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.app.flows.finder.flow.DRIFT_S", 0.0)
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press(*"qwen3-8b")
        await bench.until(lambda: panel.found.selected and panel.found.selected.verdict == "gpu")
        bench.app.desk.on_sampled(Sampled(machine_with(cards(2))))
        await bench.until(lambda: panel.found.selected and panel.found.selected.verdict not in ("gpu", None))


async def test_what_is_here_is_marked_and_its_options_open(
    tmp_path: Path, dry_run: DescribedDryRun, no_hub: None
) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press(*"smollm2-1.7b-instruct")
        await bench.until(lambda: panel.found.selected)
        row = panel.found.selected
        assert row is not None
        mine = replace(a_model("mine", row.quant, repo=row.listing.repo), file="mine.gguf")
        bench.app.post_message(ModelsFound((LLAMA, QWEN, mine)))
        await bench.until(lambda: panel.found.selected and panel.found.selected.installed == mine.identity)
        assert "✓" in bench.text()
        await bench.press("escape", "o")
        await bench.shows("Load mine")
        await bench.press("escape")
        await bench.until(lambda: panel.found.has_focus)


async def test_all_filters_are_set_in_one_place(tmp_path: Path, dry_run: DescribedDryRun, no_hub: None) -> None:
    async with finder(tmp_path, dry_run) as (bench, panel):
        await bench.press("f8")
        await bench.shows("Filters", "an answer within", "priced with")
        await bench.press("right", "right", "right", "down", "right", "right")
        assert (panel.wishes.use_case, panel.wishes.max_wait_s) == ("code", 20.0)
        await bench.until(lambda: 0 < len(panel.found.rows) < len(NAMES))
        await bench.shows(f"{len(panel.found.rows)} of 8")
        await bench.press("end", "right")
        assert panel.n_ctx == 16384
        await bench.press("home", "backspace", "escape")
        assert panel.wishes.use_case is None
        await bench.shows("≤ 20 s · 16 k")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_one_steps_out_to_where_one_was(
    tmp_path: Path, dry_run: DescribedDryRun, no_hub: None, size: tuple[int, int]
) -> None:
    async with finder(tmp_path, dry_run, size=size) as (bench, panel):
        wide = size[0] >= 160
        assert not bench.app.bench.library.region
        assert bool(bench.app.bench.chat.query_one("#talk").region) is wide
        await bench.press("f3", "f10", "escape", "escape")
        assert bench.app.bench.view == "chat"
        assert bool(panel.region) is wide, "beside the chat it stays"
        await bench.press("f12")
        await bench.until(lambda: bench.app.bench.view == "downloads")
        assert not panel.region
        await bench.press("f2")
        assert not panel.region
        assert bench.app.bench.library.region


async def test_at_40_by_10_it_is_of_use(tmp_path: Path, dry_run: DescribedDryRun, no_hub: None) -> None:
    async with finder(tmp_path, dry_run, size=(40, 10)) as (bench, panel):
        await bench.press(*"qwen3-8b", "enter")
        await bench.until(lambda: panel.pane.about and panel.pane.about.rows)
        await bench.shows("Q8_0", "● GPU")
