"""A few pictures of the workbench, compared as SVG; `pytest tests/screens --snapshot-update` draws them anew."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.app.rig import BROKEN, KILLED, LLAMA, METER, QWEN, Bench, World, a_model, home_paths
from tests.chat.scripted import Gate
from tui.app.app import Opening, PunaApp
from tui.app.messages import ModelsFound
from tui.app.themes import ThemeBook
from tui.chat.store import Store
from tui.config.paths import share
from tui.engine.registry import RunningEngine
from tui.hardware.history import RAM
from tui.hardware.snapshot import Cpu, Disk, Gpu, GpuProcess, Ram, Snapshot, Swap
from tui.library import Model

GIB = 1 << 30
ANSWER = """Two things keep it **bounded**: a deque and a condition.

```python
class BoundedQueue:
    def __init__(self, size: int) -> None:
        self.items = deque(maxlen=size)
```

- `put` waits while it is full
- `get` waits while it is empty
"""
H100 = Gpu(
    0, "GPU-a", "NVIDIA H100 80GB HBM3", "nvidia", 80 * GIB, 31 * GIB, 48 * GIB, 63, 54, 412.0,
    processes=(GpuProcess(4121, "python", "ana", 13 * GIB, False), GpuProcess(5170, "puna", "you", 18 * GIB, True)),
)  # fmt: skip
RTX = Gpu(1, "GPU-b", "NVIDIA GeForce RTX 4090", "nvidia", 24 * GIB, GIB, 22 * GIB, 2, 38, 21.0)
GPUS = Snapshot(
    0.0, (H100, RTX), Ram(251 * GIB, 213 * GIB), Swap(8 * GIB, GIB), Cpu(16, None, 7), disk=Disk(930 * GIB, 412 * GIB)
)
GHOST = {"GPU-a": 17 * GIB, RAM: GIB}
Steps = Callable[[Bench], Awaitable[None]]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of many colours, whatever the tests run in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


def picture(
    snap_compare: Any,
    home: Path,
    steps: Steps,
    *,
    size: tuple[int, int],
    models: tuple[Model, ...] = (LLAMA, QWEN, BROKEN),
    world: World | None = None,
    theme: str = "puna",
    machine: Snapshot | None = None,
    ascii_only: bool = False,
) -> bool:
    """Run `steps` and compare the screen with the picture."""
    world = world or World([ANSWER])
    where = home_paths(home)
    app = PunaApp(
        where, ThemeBook(share("themes"), where.user_themes_dir), Opening(theme=theme, ascii_only=ascii_only),
        models=models, meter=METER, start=world.start, watch=False, scan=False,
    )  # fmt: skip

    async def before(pilot: Pilot[int]) -> None:
        bench = Bench(app, pilot, world)
        await bench.until(lambda: app.settled and app.desk.settings is not None and app.desk.chatting.talk)
        await steps(bench)
        await bench.until(lambda: not any(worker.group != "answer" and worker.is_running for worker in app.workers))
        if machine is not None:
            _watched(app, machine)
        await pilot.pause()

    return bool(snap_compare(app, terminal_size=size, run_before=before))


def _watched(app: PunaApp, machine: Snapshot) -> None:
    """The meter after a minute of more and more work."""
    first, *others = machine.gpus
    for second in range(60):
        busy = replace(first, utilization=min(63, second + 4), used_bytes=(10 + second // 3) * GIB)
        app.meter.sampled(replace(machine, gpus=(busy, *others)))
    app.meter.sampled(machine, (RunningEngine(5170, "Qwen3-30B-A3B", 16384, 3174, 61.0),), GHOST)


async def answered(bench: Bench) -> None:
    """A question and its answer, the code coloured."""
    await bench.write("Write a bounded queue in Python.")
    await bench.shows("waits while it is empty", "3 tokens")
    await bench.until(lambda: not bench.app.bench.chat.transcript.needs_flush)


def test_side_by_side(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await answered(bench)
        await bench.press("f2", "down")

    assert picture(snap_compare, tmp_path, steps, size=(160, 45), machine=GPUS)


def test_the_chat_at_80_by_24(snap_compare: Any, tmp_path: Path) -> None:
    assert picture(snap_compare, tmp_path, answered, size=(80, 24), machine=GPUS)


def test_the_chat_at_40_by_10_in_ascii(snap_compare: Any, tmp_path: Path) -> None:
    assert picture(snap_compare, tmp_path, answered, size=(40, 10), ascii_only=True)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
def test_the_meter_in_full(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    async def steps(bench: Bench) -> None:
        await bench.press("f2", "m")

    assert picture(snap_compare, tmp_path, steps, size=size, machine=GPUS)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])
def test_conversations_searched(snap_compare: Any, tmp_path: Path, size: tuple[int, int]) -> None:
    store = Store(home_paths(tmp_path).history_file)
    for question, answer, tags in (
        ("Write a bounded queue in Python.", "A deque and two conditions are enough for a queue.", ["work", "python"]),
        ("What do llamas eat on the puna?", "Ichu grass, and what else grows there.", []),
        ("Translate: the queue is full", "La cola está llena.", ["idea"]),
    ):
        one = store.create_conversation()
        asked = store.add_message(one.id, None, "user", question)
        said = store.begin_answer(asked.id, "Qwen3-Coder-30B-A3B-Instruct")
        store.finish(said.id, "eog", {"n_ctx_used": 3100}, rest=[("answer", answer)])
        store.set_tags(one.id, tags)
    store.pin(1)
    store.set_draft(3, "half a thought")
    store.close()

    async def steps(bench: Bench) -> None:
        await bench.press("f6")
        await bench.shows("What do llamas eat")
        await bench.press(*"queue", "down")
        await bench.until(lambda: "What do llamas eat" not in bench.text())

    assert picture(snap_compare, tmp_path, steps, size=size)


def test_a_file_goes_along_by_a_preset(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("silt\nsand\n")
    monkeypatch.chdir(tmp_path)

    async def steps(bench: Bench) -> None:
        await bench.press("alt+p")
        await bench.shows("How the next answers are made")
        await bench.press(*"code", "enter")
        await bench.write("What is in @notes.txt?")
        await bench.shows("waits while it is empty", "3 tokens", "notes.txt, 2 lines")
        await bench.until(lambda: not bench.app.bench.chat.transcript.needs_flush)
        await bench.press(*"And in @notes.txt")
        await bench.shows("notes.txt, 2 tokens")
        bench.app.clear_notifications()

    assert picture(snap_compare, tmp_path, steps, size=(80, 24))


def test_no_model_yet_by_daylight(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        bench.app.desk.on_models_found(ModelsFound(()))
        await bench.shows("adds a file", "finds one")

    assert picture(snap_compare, tmp_path, steps, size=(120, 30), models=(), theme="salar")


def test_the_load_panel_with_something_wrong(snap_compare: Any, tmp_path: Path) -> None:
    async def steps(bench: Bench) -> None:
        await bench.press("f4")
        await bench.shows("Load tiny-llama")
        await bench.press("down", "down", "down", "right", "right", "down", "left")
        await bench.shows("type_v: q8_0 needs flash attention")

    assert picture(snap_compare, tmp_path, steps, size=(100, 32), theme="laguna")


def test_an_engine_that_stopped(snap_compare: Any, tmp_path: Path) -> None:
    gate = Gate()

    async def steps(bench: Bench) -> None:
        await bench.write("Write a bounded queue in Python.")
        await bench.shows("A deque and")
        bench.world.engine.die()
        gate.set()
        await bench.shows("the engine stopped", "reload with KV cache q8_0")
        await bench.until(lambda: not bench.app.desk.chatting.busy)

    assert picture(
        snap_compare, tmp_path, steps, size=(100, 24), world=World(["A deque and two conditions", gate, KILLED])
    )


def test_the_palette_in_sixteen_colours(snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "screen")
    monkeypatch.setenv("COLORTERM", "")
    names = tuple(
        a_model(f"model-{number}-with-a-long-name-that-has-to-be-cut-somewhere", gib=number) for number in (3, 4)
    )

    async def steps(bench: Bench) -> None:
        await bench.press("f2", "ctrl+p", "down")
        await bench.shows("What now?")

    assert picture(snap_compare, tmp_path, steps, size=(80, 24), models=names)


def test_pictures_hold_nothing_of_the_machine_that_drew_them() -> None:
    folder = Path(__file__).parent / "__snapshots__"
    drawn = list(folder.rglob("*.svg"))
    assert len(drawn) >= 7
    for file in drawn:
        text = file.read_text("utf-8")
        assert not re.search(r"/root|/home/|/tmp/|pytest-of", text), file.name
