"""Two panes with the real small model: one engine, one prompt, two answers, and a conversation that stays in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.rig import Bench, write_config
from tests.live.test_workbench import real

pytestmark = pytest.mark.live
LONG = "Name one river, in one short sentence. " + " ".join(f"It is not river {number}." for number in range(40))


async def test_one_prompt_is_answered_twice_by_one_engine(tmp_path: Path, demo_model: Path) -> None:
    write_config(tmp_path, "[chat]\nmax_tokens = 12\n")
    app = real(tmp_path, demo_model)
    async with app.run_test(size=(120, 40)) as pilot:
        bench = Bench(app, pilot, None)  # type: ignore[arg-type]
        await bench.until(lambda: app.settled and app.desk.machine)

        async def idle() -> None:
            await bench.until(lambda: not any(pane.turns.busy or pane.turns.waiting for pane in app.desk.panes), 120)

        await bench.write(LONG)
        await idle()
        held = app.desk.panes.chosen.turns.talk
        assert held is not None
        before = int(str(held.session.messages[-1].timings["n_ctx_used"]))
        await bench.press("escape", "s", "enter")
        await bench.until(lambda: "opens it" in bench.text(), 60)
        await bench.shows("n_ctx 8 192 for each pane", "MiB more than one pane")
        await bench.press("enter")
        await bench.until(lambda: app.desk.panes.split and all(pane.ready for pane in app.desk.panes), 60)
        first, second = app.desk.panes
        assert first.engine is second.engine
        assert first.n_ctx == second.n_ctx == 8192
        await bench.write("And one mountain?")
        await bench.until(lambda: first.turns.busy and second.turns.busy, 60)
        await idle()
        for pane in (first, second):
            assert pane.turns.talk is not None
            answer = pane.turns.talk.session.messages[-1]
            assert answer.state == "done"
            assert answer.content
            timings = answer.timings
            assert int(str(timings["prefilled_tokens"])) <= int(str(timings["prompt_tokens"])) - before + 1, "kept"
        assert bench.app.desk.votes.pair is not None
        await app.leave(0)
        await app.desk.loading.close()
