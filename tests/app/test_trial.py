"""A trial of a model's speed beside everything else: its memory counts for no price, and it ends before a load."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.app.described import DescribedDryRun, a_published, cards, describe, machine_with, opened, priced
from tests.app.rig import Bench, workbench
from tui.app.flows import trial
from tui.app.messages import Sampled
from tui.fit.phantom import NoRoom
from tui.library import Model
from tui.llama.phantom_messages import PhantomSpeed

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEFORE = machine_with(cards(48))
MEANWHILE = machine_with(cards(1))


@pytest.fixture(scope="module")
def eight_b(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model that takes about 6 GiB."""
    return a_published(tmp_path_factory.mktemp("published"), "llama3-8b")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dry_run() -> AsyncIterator[DescribedDryRun]:
    """The one process that every test here asks."""
    async with DescribedDryRun() as running:
        yield running


class Held:
    """Trials that go on until they are let go, and whose process takes until then to end, too."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.go, self.end = asyncio.Event(), asyncio.Event()

    async def try_speed(self, *_asked: object) -> PhantomSpeed:
        self.log.append("begun")
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            await self.end.wait()
            raise
        finally:
            self.log.append("ended")
        return PhantomSpeed(
            prefill_tok_s=90.0, prefill_tokens=64, decode_tok_s=20.0, decode_tokens=16, n_past=72, load_s=0.1
        )


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """What is tried in this test."""
    trials = Held()
    monkeypatch.setattr(trial, "try_speed", trials.try_speed)
    return trials


async def begun(bench: Bench, held: Held) -> None:
    """A trial runs, and its memory has been seen."""
    await bench.press("T")
    await bench.until(lambda: held.log == ["begun"])
    bench.app.desk.on_sampled(Sampled(MEANWHILE))


async def test_what_it_takes_counts_for_no_price(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun, held: Held
) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, BEFORE, dry_run)
        panel = await opened(bench)
        await begun(bench, held)
        assert not panel.answer.waiting, "nothing is asked anew"
        await bench.press("down", "right")
        price = await priced(bench)
        assert (price.settings.n_ctx, price.assessment.verdict) == (9216, "gpu")
        held.go.set()
        await bench.shows("Measured without weights: 20.0 tok/s.")
        assert (await priced(bench)).assessment.verdict == "gpu", "the last look at memory was while it ran"
        bench.app.desk.on_sampled(Sampled(machine_with(cards(1))))
        await bench.until(lambda: panel.answer.price and panel.answer.price.assessment.verdict != "gpu")


async def test_what_to_do_where_a_model_is_in_memory_is_said(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    async def try_speed(*arguments: object) -> PhantomSpeed:
        asked.append(arguments[-1])
        raise NoRoom(3 << 30, 1 << 30)

    monkeypatch.setattr(trial, "try_speed", try_speed)
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, BEFORE, dry_run)
        bench.app.desk.loading.load(eight_b, anyway=True)
        await bench.until(lambda: bench.app.desk.loading.ready)
        panel = await opened(bench)
        await bench.press("T")
        await bench.until(lambda: "u takes that out of memory; then press T again" in panel._words)
        assert "beside llama3-8b, which is in memory: 3.0 GiB too much" in panel._words
        assert asked == [bench.app.desk.loading.pid] != [None]
        await bench.press("u")
        await bench.until(lambda: bench.app.desk.loading.model is None)
        await bench.press("T")
        await bench.until(lambda: "beside what is in memory now that does not fit" in panel._words)
        assert asked[-1] is None


async def test_a_load_ends_it_and_waits_for_its_end(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun, held: Held
) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, BEFORE, dry_run)
        await opened(bench)
        await begun(bench, held)
        bench.app.desk.loading.load(eight_b, anyway=True)
        await bench.shows("It is not measured: a model is loaded first.")
        assert bench.world.log == []
        assert bench.app.desk.loading.loading
        held.end.set()
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert held.log == ["begun", "ended"]


async def test_one_that_is_asked_for_again_begins_when_the_first_has_ended(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun, held: Held
) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, BEFORE, dry_run)
        await opened(bench)
        await begun(bench, held)
        await bench.press("T")
        assert held.log == ["begun"]
        held.end.set()
        await bench.until(lambda: held.log == ["begun", "ended", "begun"])
        held.go.set()
        await bench.shows("Measured without weights: 20.0 tok/s.")
