"""The load panel with a real dry run behind it: from the row of a model to its ghost, its price, its changes and its
load, on machines that are described.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from rich.cells import cell_len
from textual.widgets import Static

from tests.app.described import (
    Answers,
    DescribedDryRun,
    a_published,
    cards,
    describe,
    held,
    machine_with,
    opened,
    priced,
)
from tests.app.rig import GIB, Bench, World, home_paths, workbench
from tests.rigs.architectures import published_model
from tui.app.flows.pricing import AHEAD
from tui.app.messages import LoadNoted, Sampled
from tui.app.panels.load.details import DetailsScreen
from tui.app.panels.load.panel import LoadPanel
from tui.app.panels.load.price import device_names
from tui.config.model_file import read_models, update_model
from tui.fit.questions import KnownDevice
from tui.fit.receipts import LoadRecord, Parts
from tui.hardware.history import RAM
from tui.library import Model
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings
from tui.models.fit_words import explained
from tui.models.lessons import keep_load

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOMY = machine_with(cards(48))
TIGHT = machine_with(cards(7.2))
FULL = machine_with((held(cards(24)[0], 50),), ram_gib=128, ram_free_gib=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the headers of this module's models lie."""
    return tmp_path_factory.mktemp("published")


@pytest.fixture(scope="module")
def eight_b(folder: Path) -> Model:
    """A model of 33 layers that takes about 6 GiB."""
    return a_published(folder, "llama3-8b")


@pytest.fixture(scope="module")
def seventy_b(folder: Path) -> Model:
    """A model of 81 layers that takes about 43 GiB."""
    return a_published(folder, "llama3-70b")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dry_run() -> AsyncIterator[DescribedDryRun]:
    """The one process that every test here asks."""
    async with DescribedDryRun(answers=Answers()) as running:
        yield running


async def test_from_the_row_to_the_load(tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        fit = bench.app.desk.fit
        describe(bench.app, ROOMY, dry_run)
        await bench.until(lambda: fit.ghost.get("GPU-0", 0) > 5 * GIB)
        panel = await opened(bench)
        await bench.shows("all on the GPU", "tok/s", "H100", "dry run of the header", "auto → all 33", "auto → 8 192")
        first = await priced(bench)
        await bench.press("down", "right")
        second = await priced(bench)
        assert second.settings.n_ctx == 9216, "a step from auto begins at what it came to"
        assert second.assessment.devices[0].context_bytes > first.assessment.devices[0].context_bytes
        assert fit.ghost["GPU-0"] == second.assessment.devices[0].need_bytes
        await bench.press("4", "0", "9", "6")
        assert (await priced(bench)).settings.n_ctx == 4096
        await bench.press("backspace", "backspace", "backspace", "backspace")
        assert panel.fields.form.values["n_ctx"] == "auto"
        await bench.press("right", "up", "left", "a")
        assert panel.fields.form.values["n_ctx"] == panel.fields.form.values["n_gpu_layers"] == "auto"
        assert (await priced(bench)).settings == first.settings
        await bench.press("enter")
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert bench.app.bench.load is None
        assert fit.ghost == {}, "what is in memory adds nothing"


async def test_an_old_price_is_marked_and_gives_no_orders(
    tmp_path: Path, seventy_b: Model, dry_run: DescribedDryRun
) -> None:
    update_model(home_paths(tmp_path), seventy_b.identity, {"n_gpu_layers": "all", "n_ctx": 8192})
    async with workbench(tmp_path, models=(seventy_b,), size=(100, 40)) as bench:
        describe(bench.app, FULL, dry_run)
        panel = await opened(bench)
        assert panel.offers("A")
        panel.wait()
        await bench.pilot.pause()
        assert "● does not fit" not in bench.text()
        assert "… does not fit" in bench.text()
        assert not panel.offers("A"), "a change to other settings is not taken over"
        before = panel.fields.form
        await bench.press("A")
        assert panel.fields.form == before
        await bench.press("enter")
        await bench.shows("It is loaded as soon as it is known to fit; L does not wait for that.")
        assert not bench.app.desk.loading.loading
        panel.show(panel.answer.price)
        await bench.shows("It does not fit.")
        assert not bench.app.desk.loading.loading


async def test_what_does_not_fit_is_refused_and_a_letter_makes_it_fit(
    tmp_path: Path, seventy_b: Model, dry_run: DescribedDryRun
) -> None:
    update_model(home_paths(tmp_path), seventy_b.identity, {"n_gpu_layers": "all", "n_ctx": 8192})
    async with workbench(tmp_path, models=(seventy_b,), size=(120, 40)) as bench:
        describe(bench.app, FULL, dry_run)
        await opened(bench)
        await bench.shows("does not fit", "To make it fit:", "of 81 layers on the GPU", "PID 4121 of ana", "L anyway")
        assert bench.app.desk.fit.ghost["GPU-0"] > 24 * GIB
        await bench.press("enter")
        await bench.shows("It does not fit. Choose one of the changes by its letter, or other settings; L loads it")
        assert not bench.app.desk.loading.loading
        await bench.press("A")
        price = await priced(bench)
        assert price.assessment.verdict == "partial"
        layers = price.settings.n_gpu_layers
        await bench.shows("part on the GPU", f"n_gpu_layers = {layers}")
        assert "L anyway" not in bench.text()
        await bench.press("enter")
        await bench.until(lambda: bench.app.desk.loading.ready)
        assert bench.world.engine.settings.n_gpu_layers != 81
        await bench.until(lambda: read_models(home_paths(tmp_path))[0][seventy_b.identity]["n_gpu_layers"] == layers)


async def test_who_writes_to_a_model_that_does_not_fit_is_told_what_helps(
    tmp_path: Path, seventy_b: Model, dry_run: DescribedDryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = machine_with(cards(2), ram_gib=16, ram_free_gib=8)
    monkeypatch.setattr("tui.models.prepare.look", lambda _paths: small)
    async with workbench(tmp_path, World(["Hi."]), models=(seventy_b,)) as bench:
        describe(bench.app, small, dry_run)
        await bench.write("Hello there")
        await bench.shows("llama3-70b does not fit: ", " GiB are missing", "F4 opens the load panel", "L loads it")
        await bench.until(lambda: not bench.app.desk.chatting.busy)
        assert bench.world.log == [], "nothing was begun"
        assert not bench.app.desk.loading.loading
        await bench.press("f4")
        await priced(bench)
        await bench.press("L")
        await bench.until(lambda: bench.app.desk.loading.ready)
        await bench.shows("Hello there")
        await bench.press("f5")
        await bench.shows("Hi.")


async def test_a_load_from_elsewhere_that_does_not_fit_is_told_in_a_notice(
    tmp_path: Path, seventy_b: Model, dry_run: DescribedDryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = machine_with(cards(2), ram_gib=16, ram_free_gib=8)
    monkeypatch.setattr("tui.models.prepare.look", lambda _paths: small)
    async with workbench(tmp_path, models=(seventy_b,)) as bench:
        describe(bench.app, small, dry_run)
        bench.app.desk.loading.load(seventy_b)
        await bench.until(lambda: any(words.startswith("llama3-70b does not fit: ") for words in bench.notices))
        assert bench.world.log == []


async def test_loading_anyway(tmp_path: Path, seventy_b: Model, dry_run: DescribedDryRun) -> None:
    update_model(home_paths(tmp_path), seventy_b.identity, {"n_gpu_layers": "all", "n_ctx": 8192})
    async with workbench(tmp_path, models=(seventy_b,)) as bench:
        describe(bench.app, FULL, dry_run)
        await opened(bench)
        await bench.press("L")
        await bench.until(lambda: bench.app.desk.loading.ready)


async def test_a_change_brings_all_of_it_to_the_gpu(tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun) -> None:
    update_model(home_paths(tmp_path), eight_b.identity, {"n_ctx": 32768, "type_k": "q8_0", "type_v": "q8_0"})
    async with workbench(tmp_path, models=(eight_b,), size=(120, 40)) as bench:
        describe(bench.app, TIGHT, dry_run)
        panel = await opened(bench)
        price = await priced(bench)
        assert price.assessment.verdict == "partial"
        await bench.shows("To have it all on the GPU:", "n_ctx", "A change")
        at = next(n for n, fix in enumerate(price.offered) if "context" in fix.change)
        await bench.press("ABCDEF"[at])
        assert (await priced(bench)).assessment.verdict == "gpu"
        assert panel.fields.form.values["n_gpu_layers"] == "all"
        assert panel.fields.form.values["flash_attn"] == "auto", "only the change was taken over"


async def test_memory_that_changes_is_priced_anew(tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, ROOMY, dry_run)
        await opened(bench)
        before = bench.app.bench.load
        bench.app.desk.on_sampled(Sampled(machine_with(cards(2))))
        assert before is not None
        await bench.until(lambda: before.answer.price and before.answer.price.assessment.verdict != "gpu")
        bench.app.desk.on_sampled(Sampled(machine_with(cards(2.1))))
        assert (await priced(bench)).machine.devices[0].free_bytes == 2 * GIB, "little more changes nothing"


async def test_what_the_model_in_memory_holds_is_free_for_the_next(
    tmp_path: Path, eight_b: Model, seventy_b: Model, dry_run: DescribedDryRun
) -> None:
    class Here(World):
        pid = 5170

    ours = machine_with((held(cards(40)[0], 39, pid=5170, user="you", mine=True),), ram_gib=128, ram_free_gib=100)
    async with workbench(tmp_path, Here(), models=(eight_b, seventy_b)) as bench:
        describe(bench.app, ours, dry_run)
        bench.app.desk.loading.load(eight_b, anyway=True)
        await bench.until(lambda: bench.app.desk.loading.ready)
        for model in (eight_b, seventy_b):
            bench.app.desk.fit.open_panel(model)
            await bench.shows(f"Load {model.name}")
            price = await priced(bench)
            assert price.machine.devices[0].free_bytes == 79 * GIB
            assert price.assessment.verdict == "gpu"
            more = max(0, price.assessment.devices[0].need_bytes - 39 * GIB)
            assert bench.app.desk.fit.ghost["GPU-0"] == more, "it is not added to itself"


async def test_a_model_whose_header_cannot_be_read(tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun) -> None:
    gone = replace(eight_b, path=tmp_path / "gone.gguf", name="gone")
    async with workbench(tmp_path, models=(gone,)) as bench:
        describe(bench.app, ROOMY, dry_run)
        await bench.press("f4")
        await bench.shows("What it would take cannot be told beforehand: its header cannot be read.")
        assert bench.app.desk.fit.ghost == {}
        await bench.press("enter")
        await bench.until(lambda: bench.app.desk.loading.ready)


async def test_a_file_that_was_replaced_is_priced_as_what_it_is_now(tmp_path: Path, dry_run: DescribedDryRun) -> None:
    model = a_published(tmp_path, "llama3-8b")
    async with workbench(tmp_path, models=(model,)) as bench:
        describe(bench.app, ROOMY, dry_run)
        panel = await opened(bench)
        assert (await priced(bench)).assessment.devices[0].weights_bytes < 8 * GIB
        published_model(model.path, "llama3-70b")
        await bench.press("down", "right")
        # What is known is told at once, and the file looked at behind that.
        await bench.until(
            lambda: panel.answer.price and panel.answer.price.assessment.devices[0].weights_bytes > 20 * GIB
        )
        model.path.unlink()
        await bench.press("right")
        await bench.shows("its header cannot be read")


async def test_the_last_load_is_told_and_corrects_the_next(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun
) -> None:
    async with workbench(tmp_path, models=(eight_b,), size=(120, 45)) as bench:
        describe(bench.app, ROOMY, dry_run)
        await opened(bench)
        assert "last load" not in bench.text()
        noted(bench, eight_b, more=0)
        await bench.shows("last load: as predicted, to the byte", "driver 412 MiB on H100", "driver measured here")
        noted(bench, eight_b, more=3 << 20)
        await bench.shows("last load: 3 MiB more than predicted")
        keep_load(home_paths(tmp_path), record(eight_b, more=3 << 20))
        for _ in range(7):
            keep_load(home_paths(tmp_path), record(eight_b, more=3 << 20))
        bench.app.desk.fit.on_load_noted(LoadNoted(None))
        await bench.shows("3 MiB are added on CUDA0: the last 8 loads took that much more than predicted.")
        await bench.press("e")
        await bench.shows("What llama3-8b would take", "predicted", "allocated", "+3 MiB", "by the meter")
        await bench.press("escape")
        assert bench.app.bench.load is not None


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_details_tell_all_that_is_known_and_follow_the_price(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun, size: tuple[int, int]
) -> None:
    async with workbench(tmp_path, models=(eight_b,), size=size) as bench:
        describe(bench.app, ROOMY, dry_run)
        price = (await opened(bench)).answer.price
        await bench.press("e")
        await bench.shows("What llama3-8b would take", "33 of 33 layers on GPUs")
        details = bench.app.screen
        assert isinstance(details, DetailsScreen)
        assert price is not None
        for line in explained(price, device_names(price.machine)):
            assert line.strip() in " ".join(shown(details).split()), line
        assert all(part in shown(details) for part in ("weights", "context", "compute", "driver"))
        bench.app.desk.on_sampled(Sampled(machine_with(cards(4))))
        await bench.until(lambda: "part on the GPU" in shown(details))
        await bench.until(lambda: "No single change would have it all on the GPU." in shown(details))
        await bench.pilot.resize_terminal(60, 20)
        await bench.until(lambda: max(cell_len(line) for line in shown(details).splitlines()) <= 50)
        await bench.press("escape")
        assert bench.app.bench.load is not None


def shown(details: DetailsScreen) -> str:
    """The text, all of it."""
    return str(details.query_one("#text Static", Static).content)


def record(model: Model, more: int) -> LoadRecord:
    """A load that took `more` bytes than predicted on the GPU."""
    parts = DeviceBytes(name="CUDA0", weights_bytes=4 * GIB, context_bytes=GIB, compute_bytes=1 << 27)
    host = DeviceBytes(name="host", weights_bytes=1 << 28, compute_bytes=1 << 24)
    taken = msgspec.structs.replace(parts, compute_bytes=parts.compute_bytes + more)
    return LoadRecord(
        time=0.0,
        model=model.identity,
        settings=msgspec.to_builtins(LoadSettings(n_ctx=8192, n_gpu_layers=33)),
        source="dry-run",
        devices=(Parts(name="CUDA0", card="GPU-0", predicted=parts, allocated=taken, driver_bytes=412 << 20),),
        host=Parts(name="host", predicted=host, allocated=host),
    )


def noted(bench: Bench, model: Model, more: int) -> None:
    """Such a load has just happened."""
    made = record(model, more)
    keep_load(bench.app.desk.paths, made)
    bench.app.post_message(LoadNoted(made))


async def test_the_panel_does_not_wait_for_what_the_devices_are(tmp_path: Path, eight_b: Model) -> None:
    asked, known = asyncio.Event(), asyncio.Event()

    class Slow(DescribedDryRun):
        async def devices(self) -> tuple[KnownDevice, ...]:
            asked.set()
            await known.wait()
            return await super().devices()

    async with Slow() as slow, workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, ROOMY, slow)
        await bench.press("f4")
        await bench.shows("Load llama3-8b", "threads")
        await asked.wait()
        await bench.press("down", "down")
        assert "of them" not in bench.text()
        known.set()
        await bench.shows("devices", "all of them", "▸ KV cache keys")
        assert (await priced(bench)).assessment.verdict == "gpu"


async def test_what_prices_come_from_is_started_before_anybody_asks(tmp_path: Path) -> None:
    async with workbench(tmp_path, models=(), watch=True) as bench:
        await bench.until(lambda: bench.app.desk.fit.fitting.dry_run.pid)


async def test_the_price_waits_for_the_memory_to_be_known(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun
) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, ROOMY, dry_run, measured=False)
        await bench.press("f4")
        await bench.shows("when this machine's memory is known")
        bench.app.desk.on_sampled(Sampled(ROOMY))
        await priced(bench)
        await bench.press("escape")
        await bench.until(lambda: bench.app.bench.load is None and bench.app.desk.fit.ghost.get(RAM))


async def test_a_trial_that_has_no_room_says_so(tmp_path: Path, seventy_b: Model, dry_run: DescribedDryRun) -> None:
    update_model(home_paths(tmp_path), seventy_b.identity, {"n_gpu_layers": "all", "n_ctx": 8192})
    async with workbench(tmp_path, models=(seventy_b,)) as bench:
        describe(bench.app, FULL, dry_run)
        await opened(bench)
        await bench.press("T")
        await bench.shows("It cannot be measured: a trial run takes as much memory as the model")


async def test_a_question_that_fails_is_told(
    tmp_path: Path, eight_b: Model, dry_run: DescribedDryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench:
        describe(bench.app, ROOMY, dry_run)
        await opened(bench)

        async def broken(*_asked: object, **_how: object) -> None:
            raise RuntimeError("a mistake")

        monkeypatch.setattr(bench.app.desk.fit.pricing.fitting, "plan", broken)
        await bench.press("down", "right")
        await bench.shows("What it would take could not be worked out.")
        assert any("work out what llama3-8b would take" in notice for notice in bench.notices)
        assert "all on the GPU" not in bench.text()


async def test_where_there_is_little_room_the_rest_is_read_by_a_key(
    tmp_path: Path, seventy_b: Model, dry_run: DescribedDryRun
) -> None:
    update_model(home_paths(tmp_path), seventy_b.identity, {"n_gpu_layers": "all", "n_ctx": 8192})
    async with workbench(tmp_path, models=(seventy_b,), size=(40, 10)) as bench:
        describe(bench.app, FULL, dry_run)
        await opened(bench)
        await bench.shows("does not fit", "over", "e tells more", "A change", "L anyway")
        for name in ("n_ctx", "KV keys", "KV values", "flash attn", "n_ubatch", "devices", "threads"):
            await bench.press("down")
            await bench.shows(f"▸ {name}")
        await bench.press("enter")
        await bench.shows("It does not fit.")
        await bench.press("e")
        await bench.shows("What llama3-70b would take", "not fit")
        await bench.press("end")
        await bench.shows("free: what is free now")


async def test_one_step_to_either_side_is_known_beforehand(tmp_path: Path, eight_b: Model) -> None:
    async with workbench(tmp_path, models=(eight_b,)) as bench, DescribedDryRun() as dry_run:
        describe(bench.app, TIGHT, dry_run)
        panel = await opened(bench)
        await bench.press("down")
        assert panel.fields.form.field.name == "n_ctx"
        await bench.until(lambda: _has_looked_ahead(bench, panel))
        await dry_run.close()
        await bench.press("right")
        right = await priced(bench)
        assert right.prediction.source == "dry-run", "what nobody can be asked any more was asked before"
        await bench.press("left", "left")
        left = await priced(bench)
        assert left.prediction.n_ctx < right.prediction.n_ctx
        assert left.prediction.source == "dry-run"
        await bench.press("left")
        assert (await priced(bench)).prediction.source == "estimate"


def _has_looked_ahead(bench: Bench, panel: LoadPanel) -> bool:
    here = panel.fields.form.neighbours(panel.fields.loaded)
    still = any(worker.group == AHEAD and not worker.is_finished for worker in bench.app.workers)
    return bench.app.desk.fit.ahead == here and not still
