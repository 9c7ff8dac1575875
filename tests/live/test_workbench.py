"""The workbench with the real small model in a real engine process: a question, a stop, a kill, a reload."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.app.rig import Bench, home_paths, write_config
from tests.rigs.terminal import Terminal
from tui.app.app import Opening, PunaApp
from tui.app.panels.chat.state import Answering, NoModel, Ready
from tui.app.themes import ThemeBook
from tui.chat.store import Store
from tui.config.paths import share
from tui.library import entry_for
from tui.models.lessons import learnt

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]


def real(home: Path, model: Path, conversation: int | None = None) -> PunaApp:
    """The app with the demo model and real engines."""
    where, opening = home_paths(home), Opening(view="chat", conversation=conversation)
    return PunaApp(where, ThemeBook(share("themes")), opening, models=(entry_for(model),), scan=False)


async def test_a_question_is_answered_by_the_real_model(tmp_path: Path, demo_model: Path) -> None:
    app = real(tmp_path, demo_model)
    async with app.run_test(size=(120, 40)) as pilot:
        bench = Bench(app, pilot, None)  # type: ignore[arg-type]
        await bench.until(lambda: app.settled)
        await bench.write("Name three rivers.")
        await bench.until(lambda: isinstance(bench.status(), Answering), 60)
        await bench.until(lambda: isinstance(bench.status(), Ready), 60)
        status = bench.status()
        assert isinstance(status, Ready)
        assert 20 < status.used < status.n_ctx == 8192
        talk = app.desk.chatting.talk
        assert talk is not None
        answer = talk.session.messages[-1]
        assert answer.state == "done"
        assert answer.content.split()[0] in bench.text()
        assert "tok/s" in bench.text()
        engine = app.desk.loading.engines.engine
        assert engine is not None
        await app.leave(0)
        await app.desk.loading.close()
        with pytest.raises(ProcessLookupError):
            os.kill(engine.pid, 0)


async def test_a_conversation_goes_on_after_a_restart_and_nothing_is_read_twice(
    tmp_path: Path, demo_model: Path
) -> None:
    write_config(tmp_path, "[chat]\nmax_tokens = 4\n")
    words = " ".join(f"word{number}" for number in range(60))
    held = 0
    for number, text in enumerate((f"Here are some words: {words}. Say hello.", "And goodbye?")):
        app = real(tmp_path, demo_model, conversation=1 if number else None)
        async with app.run_test(size=(120, 40)) as pilot:
            bench = Bench(app, pilot, None)  # type: ignore[arg-type]
            await bench.until(lambda: app.settled and app.desk.chatting.talk)  # noqa: B023
            await bench.write(text)
            await bench.until(lambda: app.desk.chatting.busy, 60)  # noqa: B023
            await bench.until(lambda: not app.desk.chatting.busy, 60)  # noqa: B023
            assert app.desk.chatting.talk is not None
            timings = app.desk.chatting.talk.session.messages[-1].timings
            await app.leave(0)
            await app.desk.loading.close()
        fresh, total, used = (int(timings[name] or 0) for name in ("prefilled_tokens", "prompt_tokens", "n_ctx_used"))
        assert fresh == total - held, timings
        held = used
        assert held > 128


async def test_a_killed_engine_leaves_the_partial_answer_and_comes_back(tmp_path: Path, demo_model: Path) -> None:
    app = real(tmp_path, demo_model)
    async with app.run_test(size=(120, 40)) as pilot:
        bench = Bench(app, pilot, None)  # type: ignore[arg-type]
        await bench.until(lambda: app.settled)
        await bench.write("Tell a very long story about a llama, with many chapters.")
        talk = app.desk.chatting.talk
        await bench.until(lambda: app.desk.chatting.talk and app.desk.chatting.talk.answer_tokens > 10, 60)
        talk = app.desk.chatting.talk
        engine = app.desk.loading.engines.engine
        assert talk is not None
        assert engine is not None
        os.kill(engine.pid, signal.SIGKILL)
        await bench.shows("the engine stopped", "SIGKILL", "are kept.", "r reload")
        await bench.until(lambda: isinstance(bench.status(), NoModel) and not talk.busy)
        answer = talk.session.messages[-1]
        assert (answer.state, answer.reason) == ("cut", "failed")
        assert len(answer.content) > 20
        await bench.press("r")
        await bench.until(lambda: app.desk.loading.ready, 60)
        await bench.press("r")
        await bench.until(lambda: talk.answer_tokens > 5, 60)
        await bench.press("escape")
        await bench.until(lambda: not talk.busy)
        assert talk.session.messages[-1].reason == "cancelled"
        await app.leave(0)
        await app.desk.loading.close()


async def test_a_trial_measures_what_the_load_panel_then_says(tmp_path: Path, demo_model: Path) -> None:
    app = real(tmp_path, demo_model)
    async with app.run_test(size=(120, 40)) as pilot:
        bench = Bench(app, pilot, None)  # type: ignore[arg-type]
        await bench.until(lambda: app.settled and app.desk.machine)
        await bench.press("f4")
        await bench.until(lambda: app.bench.load and app.bench.load.answer.price, 60)
        panel = app.bench.load
        assert panel is not None
        await bench.press("T")
        await bench.shows("Measuring with zeros in place of the weights")

        def measured() -> bool:
            price = panel.answer.price
            return price is not None and price.speed is not None and price.speed.source == "phantom"

        await bench.until(measured, 120)
        await bench.shows("Measured without weights: ", "speed: phantom")
        (kept,) = learnt(home_paths(tmp_path)).speeds.measurements
        assert kept.kind == "phantom"
        assert kept.decode_tok_s is not None
        assert kept.decode_tok_s > 1
        await app.leave(0)
        await app.desk.fit.close()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_an_answer_that_streams_is_kept_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    home = {"PUNA_HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf")}
    with Terminal([sys.executable, "-m", "tui", "chat", "smollm2-demo"], env=home, cwd=str(ROOT)) as terminal:
        terminal.wait_for("is ready", 60)
        terminal.type("Tell a very long story about a llama, with many chapters.\r")
        terminal.wait(lambda screen: "context" in screen and "~" in screen, 60)
        terminal.signal(number)
        assert terminal.end() == 128 + number
        assert b"\x1b[?1049l" in terminal.raw
    store = Store(home_paths(tmp_path).history_file)
    try:
        (conversation,) = store.conversations()
        question, answer = store.thread(conversation.id)
        assert question.content.startswith("Tell a very long story")
        assert (answer.state, answer.reason) == ("cut", "cancelled")
        assert len(answer.content) > 0
    finally:
        store.close()
