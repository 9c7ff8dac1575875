"""The host is killed in every phase, over and over: each time the reason is told, the text is kept, and a new engine
answers at once.

A round counts only when the kill met its phase: the signal is sent inside the listener of an event that belongs to it,
while the front end still knows that there is more to come.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.rigs.asking import GREEDY, ask
from tests.rigs.gguf_maker import tiny_model
from tui.chat.events import SessionEvent
from tui.chat.session import ChatSession
from tui.chat.store import Store
from tui.chat.thread import AsyncStore
from tui.engine import client, registry
from tui.engine.client import Engine, EngineDied
from tui.engine.protocol import Delta, PromptProgress
from tui.llama.settings import LoadSettings
from tui.process.spawn import Child, spawn

SIGNALS = [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT]
ROUNDS = 20
LANES = 2
"""Rounds that go on side by side; two engines at a time keep two cores busy."""
MISSES = 20
"""Kills that came too late, on a machine too busy to be asked for better; they do not count."""

LONG = " ".join(f"word{number}" for number in range(400))
SETTINGS = LoadSettings(n_ctx=4096, n_gpu_layers=0, n_ubatch=32, threads=1)


@pytest.fixture(scope="module")
def slow_model(models_dir: Path) -> Path:
    """A model whose load takes long enough to be met in the middle."""
    return tiny_model(models_dir / "slow.gguf", n_embd=768, n_layer=4)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[AsyncStore]:
    """A history on disk."""
    opened = await AsyncStore.open(tmp_path / "history.db")
    yield opened
    await opened.close()


@pytest.fixture
def pids(monkeypatch: pytest.MonkeyPatch) -> dict[asyncio.Task[object], int]:
    """The engine process that a task has started, known while it still loads."""
    started: dict[asyncio.Task[object], int] = {}

    async def noted(*arguments: object, **options: object) -> Child:
        child = await spawn(*arguments, **options)  # type: ignore[arg-type]
        task = asyncio.current_task()
        assert task is not None
        started[task] = child.pid
        return child

    monkeypatch.setattr(client, "spawn", noted)
    return started


@dataclass
class Killer:
    """Starts engines and kills them with one signal."""

    number: signal.Signals
    model: Path
    slow_model: Path
    engines_dir: Path
    store: AsyncStore
    pids: dict[asyncio.Task[object], int]
    kept: dict[int, str] = field(default_factory=dict)
    """Answers as they were heard until the kill, by message id."""
    misses: int = 0

    async def fresh(self) -> Engine:
        """A new engine, which answers at once."""
        engine = await Engine.start(self.model, SETTINGS, name="tiny", nice=0, engines_dir=self.engines_dir)
        assert (await ask(engine, "ab", max_tokens=2)).done.reason == "length"
        return engine

    def check(self, died: EngineDied, doing: str) -> None:
        """The death is told as what it was."""
        assert died.kind == "died"
        assert died.signal == self.number
        assert died.returncode == -self.number
        assert self.number.name in died.meaning
        assert died.message.startswith(f"the engine stopped while {doing}: ")
        assert died.meaning in died.message
        assert died.hint
        assert 5 < len(died.log) <= 40, "llama.cpp's last words"

    async def in_load(self) -> bool:
        """Kill while the file is read; False when it was read by then."""
        task = asyncio.current_task()
        assert task is not None

        def progress(share: float) -> None:
            if share < 1.0 and task in self.pids:
                os.kill(self.pids.pop(task), self.number)

        try:
            engine = await Engine.start(
                self.slow_model, SETTINGS, name="slow", on_progress=progress, nice=0, engines_dir=self.engines_dir
            )
        except EngineDied as died:
            self.check(died, "loading the model")
            return True
        await engine.close()
        return False

    async def in_prefill(self) -> bool:
        """Kill while the prompt is read; False when an answer had begun by then."""

        def is_due(event: SessionEvent) -> bool:
            return isinstance(event, PromptProgress) and event.done < event.total

        died, text = await self._in_turn(LONG, is_due)
        if text:
            return False
        self.check(died, "reading your prompt")
        return True

    async def in_decode(self) -> bool:
        """Kill while the answer is written."""
        died, text = await self._in_turn("one two", lambda event: isinstance(event, Delta))
        assert text
        self.check(died, "writing the answer")
        return True

    async def _in_turn(self, question: str, is_due: object) -> tuple[EngineDied, str]:
        assert callable(is_due)
        engine = await self.fresh()
        deaths: list[EngineDied] = []
        engine.on_death(deaths.append)
        text = ""

        def heard(event: SessionEvent) -> None:
            nonlocal text
            if isinstance(event, Delta):
                text += event.text
            if engine.pid in alive and is_due(event):
                alive.remove(engine.pid)
                os.kill(engine.pid, self.number)

        alive = {engine.pid}
        session = ChatSession(self.store, on_event=heard)
        with pytest.raises(EngineDied) as caught:
            await session.send(question, engine, GREEDY)
        await asyncio.sleep(0)
        assert deaths == [caught.value]
        assert not engine.alive
        await engine.close()
        asked, answer = session.messages
        assert (asked.role, asked.content) == ("user", question)
        assert (answer.content, answer.state, answer.reason) == (text, "cut", "failed")
        assert caught.value.message in answer.error
        self.kept[answer.id] = text
        return caught.value, text

    async def round(self) -> None:
        """One kill in each phase that met it, and an engine that answers after each."""
        for kill in (self.in_load, self.in_prefill, self.in_decode):
            while not await kill():
                self.misses += 1
                assert self.misses <= MISSES, f"{kill.__name__} comes too late"
        await (await self.fresh()).close()  # the other phases begin with a fresh engine by themselves


def stored_answers(path: Path) -> dict[int, tuple[str, str]]:
    """Content and state of every answer in a history, read as after a restart."""
    store = Store(path)
    try:
        threads = [store.thread(conversation.id) for conversation in store.conversations()]
        answers = [message for thread in threads for message in thread if message.role == "assistant"]
        return {message.id: (message.content, message.state) for message in answers}
    finally:
        store.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
async def test_kills_in_load_prefill_and_decode(
    number: signal.Signals,
    tiny_llama: Path,
    slow_model: Path,
    engines_dir: Path,
    store: AsyncStore,
    pids: dict[asyncio.Task[object], int],
) -> None:
    killer = Killer(number, tiny_llama, slow_model, engines_dir, store, pids)

    async def lane() -> None:
        for _ in range(ROUNDS // LANES):
            await killer.round()

    await asyncio.gather(*[lane() for _ in range(LANES)])
    assert len(killer.kept) >= 2 * ROUNDS
    assert store.path is not None
    stored = await asyncio.to_thread(stored_answers, store.path)
    assert stored == {message_id: (text, "cut") for message_id, text in killer.kept.items()}
    assert registry.running(engines_dir) == ()


@pytest.mark.live
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
async def test_the_demo_model_is_killed_in_every_phase(
    number: signal.Signals,
    demo_model: Path,
    engines_dir: Path,
    store: AsyncStore,
    pids: dict[asyncio.Task[object], int],
) -> None:
    await Killer(number, demo_model, demo_model, engines_dir, store, pids).round()


async def test_an_idle_engine_is_killed(tiny_llama: Path, engines_dir: Path) -> None:
    engine = await Engine.start(tiny_llama, SETTINGS, name="tiny", engines_dir=engines_dir)
    dead = asyncio.Event()

    def faulty(_died: EngineDied) -> None:
        raise ZeroDivisionError

    engine.on_death(faulty)
    engine.on_death(lambda _died: dead.set())
    faults: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context))
    os.kill(engine.pid, signal.SIGKILL)
    await dead.wait()
    assert len(faults) == 1, "a listener's own fault is reported, and keeps no other from hearing"
    assert engine.died is not None
    assert engine.died.message.startswith("the engine stopped while waiting: ")
    with pytest.raises(EngineDied) as caught:
        await ask(engine, "ab")
    assert caught.value is engine.died
    with pytest.raises(EngineDied):
        await engine.count_tokens(text="ab")
    assert registry.running(engines_dir) == ()
    await engine.close()


async def test_who_asks_after_the_death_is_told_of_it(tiny_llama: Path, engines_dir: Path) -> None:
    engine = await Engine.start(tiny_llama, SETTINGS, name="tiny", engines_dir=engines_dir)
    first, second = asyncio.Event(), asyncio.Event()
    engine.on_death(lambda _died: first.set())
    os.kill(engine.pid, signal.SIGKILL)
    await first.wait()
    engine.on_death(lambda _died: second.set())
    await second.wait()
    assert engine.died is not None
    await engine.close()


async def test_everyone_who_waits_hears_of_the_death(tiny_llama: Path, engines_dir: Path) -> None:
    engine = await Engine.start(tiny_llama, SETTINGS, name="tiny", engines_dir=engines_dir)
    writing = asyncio.Event()

    async def read() -> None:
        async for event in engine.generate(prompt="ab", sampling=GREEDY):
            if isinstance(event, Delta):
                writing.set()

    waiting = [asyncio.create_task(read()) for _ in range(3)]
    await writing.wait()
    os.kill(engine.pid, signal.SIGSTOP)  # or the count might be there before the end
    counting = asyncio.create_task(engine.count_tokens(text="ab"))
    await asyncio.sleep(0)
    os.kill(engine.pid, signal.SIGSEGV)
    os.kill(engine.pid, signal.SIGCONT)
    for result in await asyncio.gather(*waiting, counting, return_exceptions=True):
        assert isinstance(result, EngineDied)
        assert result.signal == signal.SIGSEGV
    await engine.close()


async def test_stop_is_an_end_that_was_asked_for(tiny_llama: Path, engines_dir: Path) -> None:
    engine = await Engine.start(tiny_llama, SETTINGS, name="tiny", engines_dir=engines_dir)
    (row,) = registry.running(engines_dir)
    assert (row.pid, row.model) == (engine.pid, "tiny")
    answers: list[bool] = []

    async def read() -> None:
        async for event in engine.generate(prompt="ab", sampling=GREEDY):
            if isinstance(event, Delta) and not answers:
                answers.append(registry.stop(row))

    with pytest.raises(EngineDied) as caught:
        await read()
    assert answers == [True]
    assert caught.value.signal == signal.SIGTERM
    assert "it was asked to stop (SIGTERM)" in caught.value.message
    await engine.close()
    assert registry.running(engines_dir) == ()
    assert not registry.stop(row)


async def test_a_frozen_engine_can_be_closed(
    tiny_llama: Path, engines_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_QUIT_S", 0.2)
    engine = await Engine.start(tiny_llama, SETTINGS, name="tiny", engines_dir=engines_dir)
    os.kill(engine.pid, signal.SIGSTOP)
    await engine.close()
    assert not engine.alive
    assert engine.died is None
